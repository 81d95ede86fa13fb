/** The executable's side of the frames, bytes in and bytes out: it must bear whatever it is sent. */
import { spawn } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { compilerEnvironment, compilerPath } from '../../src/filter/executable.js';
import { packageVersion } from '../../src/root.js';
import { type Answer, AnswerReader, encodeHello, encodeRequest } from '../../src/filter/frames.js';

interface Ended {
  answers: Answer[];
  code: number | null;
}

/** Feeds a new process all of `input`, and says what it answered and how it ended. */
function feed(input: Buffer, args: string[] = []): Promise<Ended & { raw: Buffer }> {
  return new Promise((resolve, reject) => {
    const child = spawn(compilerPath(), args, { stdio: ['pipe', 'pipe', 'ignore'], env: compilerEnvironment() });
    const chunks: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.stdin.on('error', () => {}); // it may end before it has read everything
    child.once('error', reject);
    child.once('close', (code, signal) => {
      if (signal) return reject(new Error(`ended by ${signal}`));
      const raw = Buffer.concat(chunks);
      resolve({ answers: args.length ? [] : new AnswerReader().push(raw), code, raw });
    });
    child.stdin.end(input);
  });
}

const hello = encodeHello(packageVersion());
const filter = (id: number, text: string) => encodeRequest(id, { linkType: 1, snapLengthBytes: 96, optimise: true, text });
const framed = (body: Buffer) => Buffer.concat([Buffer.from(new Uint32Array([body.length]).buffer), body]);
const brief = ({ answers }: Ended) => answers.map(({ id, status }) => `${id} ${status}`);
const text = (answer: Answer | undefined) => Buffer.from(answer?.payload ?? []).toString();

describe('spillway-compile', () => {
  it('answers requests in their order until its input ends', async () => {
    const ended = await feed(Buffer.concat([hello, filter(7, 'ip'), filter(3, 'no such'), filter(9, 'ip and ip6')]));
    expect(brief(ended)).toEqual(['0 ready', '7 program', '3 refused', '9 program']);
    expect(text(ended.answers[0])).toMatch(/libpcap/i);
    expect(ended.answers.map(({ rejectsAll }) => rejectsAll)).toEqual([false, false, false, true]);
    expect(ended.code).toBe(0);
  });

  it('tells its version', async () => {
    const { raw, code } = await feed(Buffer.alloc(0), ['--version']);
    expect(raw.toString()).toBe(`${packageVersion()}\n`);
    expect(code).toBe(0);
    expect((await feed(Buffer.alloc(0), ['--help'])).code).toBe(1);
  });

  it('refuses a caller of another version', async () => {
    for (const other of ['0.0.0', '', `${packageVersion()}0`]) {
      const ended = await feed(Buffer.concat([encodeHello(other), filter(1, 'ip')]));
      expect(brief(ended)).toEqual(['0 versionMismatch']);
      expect(text(ended.answers[0])).toBe(packageVersion());
      expect(ended.code).toBe(2);
    }
    const protocol2 = Buffer.from(hello);
    protocol2.writeUInt32LE(2, 8);
    expect(brief(await feed(protocol2))).toEqual(['0 versionMismatch']);
  });

  it('refuses what is no hello', async () => {
    const frames = [
      Buffer.alloc(0),
      Buffer.from([1]),
      framed(Buffer.alloc(0)),
      framed(Buffer.from('SPW')),
      framed(Buffer.from('SPWC\x01')),
      framed(Buffer.from(`SPWX\x01\0\0\0${packageVersion()}`)),
      framed(Buffer.concat([hello.subarray(4), Buffer.alloc(65)])),
      filter(1, 'ip'),
      Buffer.from('GET / HTTP/1.1\r\n\r\n'),
    ];
    for (const frame of frames) {
      const ended = await feed(frame);
      expect(brief(ended)).toEqual(['0 badRequest']);
      expect(ended.code).toBe(2);
    }
  });

  it('refuses a request that is wrong and goes on with the next', async () => {
    const wrong: [string, (request: Buffer) => Buffer][] = [
      ['unknown kind', (r) => (r.writeUInt8(2, 8), r)],
      ['unknown flags', (r) => (r.writeUInt8(0x81, 9), r)],
      ['snap length', (r) => (r.writeUInt32LE(0, 12), r)],
      ['snap length', (r) => (r.writeUInt32LE(0x80000000, 12), r)],
      ['NUL', (r) => (r.writeUInt8(0, 16), r)],
      ['shorter than its header', (r) => framed(r.subarray(4, 15))],
      ['shorter than its header', () => framed(Buffer.alloc(0))],
    ];
    for (const [why, change] of wrong) {
      const ended = await feed(Buffer.concat([hello, change(filter(5, 'ip')), filter(6, 'ip')]));
      expect(ended.answers.map(({ status }) => status)).toEqual(['ready', 'badRequest', 'program']);
      expect(text(ended.answers[1])).toContain(why);
      expect(ended.code).toBe(0);
    }
  });

  it('takes the longest text and ends at a longer frame, or in the middle of one', async () => {
    const longest = await feed(Buffer.concat([hello, filter(1, ' '.repeat(65_536)), filter(2, 'ip')]));
    expect(brief(longest)).toEqual(['0 ready', '1 program', '2 program']);
    for (const bad of [filter(1, ' '.repeat(65_537)), Buffer.from([0xff, 0xff, 0xff, 0xff]), filter(1, 'ip').subarray(0, 9), Buffer.from([1, 0])]) {
      const ended = await feed(Buffer.concat([hello, filter(1, 'ip'), bad]));
      expect(brief(ended)).toEqual(['0 ready', '1 program', '0 badRequest']);
      expect(ended.code).toBe(2);
    }
  });

  it('bears random bytes', async () => {
    let seed = 0x5eed;
    const random = () => (seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0) >>> 24;
    for (let round = 0; round < 40; round += 1) {
      const noise = Buffer.from(Array.from({ length: 1 + random() * 4 }, random));
      const requests = round % 2 ? framed(noise) : noise;
      const ended = await feed(Buffer.concat([hello, requests, requests]));
      expect(ended.answers[0]?.status, `round ${round}`).toBe('ready');
      expect([0, 2]).toContain(ended.code);
      for (const { status } of ended.answers.slice(1)) expect(['badRequest', 'refused', 'program', 'tooComplex']).toContain(status);
    }
  });
});
