/** Requests to the root parent, honest and hostile. */
import { PassThrough } from 'node:stream';
import { randomUUID } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { Duplex } from 'node:stream';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { captureExecutable } from '../../src/capture/executable.js';
import type { CaptureAnswer } from '../../src/capture/parent.js';
import { asUser, PLAIN_VIEW } from '../../src/privileged/as-user.js';
import { answerRequests } from '../../src/privileged/parent.js';
import { jobFolder, readRequest } from '../../src/privileged/request.js';
import { temporaryFolder } from '../support/temporary.js';

const { path: data } = temporaryFolder();
const user = { uid: process.getuid!(), gid: process.getgid!(), name: 'me' };
const id = randomUUID();
const folder = join(data, 'buffer', id);
mkdirSync(folder, { recursive: true });

const honest = {
  id,
  program: true,
  interfaces: ['lo', 'eth0.42'],
  snapLengthBytes: 96,
  segmentBytes: 2 ** 20,
  retainBytes: 10 ** 12,
  retainAgeSeconds: 3600,
  fsync: 'commit',
};

describe('a request', () => {
  it('is taken as it is, without what is not asked for', () => {
    expect(readRequest(JSON.stringify(honest))).toEqual(honest);
    expect(readRequest(JSON.stringify({ ...honest, folder: '/etc', user: '0:0' }))).toEqual(honest);
    const least = { ...honest, program: false, snapLengthBytes: 0, segmentBytes: 0, retainBytes: 0, retainAgeSeconds: 0 };
    expect(readRequest(JSON.stringify(least))).toEqual(least);
  });

  it.each<[keyof typeof honest, unknown[]]>([
    ['id', ['', '.', '..', '../../etc', `${id}/..`, `../buffer/${id}`, id.toUpperCase(), `${id}\n`, `x${id}`, 1, null, [id], {}]],
    ['program', [0, 1, 'true', '/etc/shadow', null]],
    ['interfaces', ['lo', [], [''], ['.'], ['..'], ['a/b'], ['a b'], ['lo\n'], ['lo\0'], ['ü'], ['x'.repeat(16)], ['lo', 'lo'], [1], [['lo']]]],
    ['interfaces', [Array.from({ length: 65 }, (_, i) => `i${i}`), { length: 1, 0: 'lo' }, null]],
    ['snapLengthBytes', [-1, 262_145, 1.5, '96', null, '1e1']],
    ['segmentBytes', [1, 2 ** 20 - 1, 2 ** 32 + 1, '0']],
    ['retainBytes', [-1, 2 ** 53, 0.5]],
    ['retainAgeSeconds', [-1, 100 * 366 * 86_400 + 1]],
    ['fsync', ['', 'SEAL', '--user', 0, null, ['seal']]],
  ])('with another %s is refused', (name, values) => {
    for (const value of [...values, undefined])
      expect(() => readRequest(JSON.stringify({ ...honest, [name]: value })), JSON.stringify(value)).toThrow(
        expect.objectContaining({ code: 'REQUEST_INVALID', message: `a request to start a capture has no usable ${name}` }),
      );
  });

  it('has switches that may be missing, and are nothing but switches', () => {
    const switched = { ...honest, hardwareTimestamps: true, libpcap: false };
    expect(readRequest(JSON.stringify(switched))).toEqual(switched);
    for (const name of ['hardwareTimestamps', 'libpcap'])
      for (const value of [1, 'true', null, ['--user']])
        expect(() => readRequest(JSON.stringify({ ...honest, [name]: value }))).toThrow(expect.objectContaining({ code: 'REQUEST_INVALID' }));
  });

  it('that is no object is refused', () => {
    for (const line of ['', '{', 'null', '1', '"x"', '[]', '{"__proto__":{"id":1}}'])
      expect(() => readRequest(line), line).toThrow(expect.objectContaining({ code: 'REQUEST_INVALID' }));
  });
});

describe("a job's folder", () => {
  const refused = (why: string): unknown =>
    expect.objectContaining({ code: 'CAPTURE_FOLDER_UNUSABLE', message: expect.stringContaining(why) as string });

  it('is that of the user, below the data folder', () => {
    expect(jobFolder(data, id, user)).toBe(folder);
    expect(() => jobFolder(data, id, { ...user, uid: user.uid + 1 })).toThrow(refused('belongs to another user'));
    expect(() => jobFolder(data, randomUUID(), user)).toThrow(refused('ENOENT'));
  });

  it('is reached through no link', () => {
    const [job, whole] = [randomUUID(), join(data, 'other')];
    symlinkSync(folder, join(data, 'buffer', job));
    expect(() => jobFolder(data, job, user)).toThrow(refused('can not be used: E'));
    mkdirSync(whole);
    symlinkSync(join(data, 'buffer'), join(whole, 'buffer'));
    expect(() => jobFolder(whole, id, user)).toThrow(refused('can not be used: E'));
    const file = randomUUID();
    writeFileSync(join(data, 'buffer', file), '');
    expect(() => jobFolder(data, file, user)).toThrow(refused('ENOTDIR'));
  });
});

/** What the parent answers to some bytes, with an executable in the capture's place that tells how it was started. */
async function ask(...parts: string[]): Promise<{ answers: CaptureAnswer[]; started: string[] | null }> {
  const seen = join(data, 'started');
  const recorder = join(data, 'recorder');
  rmSync(seen, { force: true });
  writeFileSync(recorder, `#!/bin/sh\nprintf '%s\\n' "$@" > '${seen}'\n`);
  chmodSync(recorder, 0o755);
  const [asking, answering] = [new PassThrough(), new PassThrough()];
  const done = answerRequests(Duplex.from({ readable: asking, writable: answering }), { user, dataFolder: data, view: { prefix: [recorder] } });
  for (const part of parts) asking.write(part);
  asking.end();
  let text = '';
  answering.setEncoding('utf8').on('data', (more: string) => (text += more));
  await done;
  const answers = text.split('\n').slice(0, -1);
  const started = existsSync(seen) ? readFileSync(seen, 'utf8').trimEnd().split('\n') : null;
  return { answers: answers.map((line) => JSON.parse(line) as CaptureAnswer), started };
}

describe('the parent', () => {
  it('makes the command line by itself', async () => {
    const { answers, started } = await ask(`${JSON.stringify({ ...honest, folder: '/etc', args: ['--foreground'] })}\n`);
    expect(answers).toEqual([{ ok: true }]);
    const expected = [
      ...['--folder', folder, '--interface', 'lo', '--interface', 'eth0.42', '--program', join(folder, 'program')],
      ...['--snap', '96', '--segment-bytes', '1048576', '--retain-bytes', '1000000000000', '--retain-age-s', '3600', '--fsync', 'commit'],
    ];
    // Nothing that the user could have put in the executable's place runs as root.
    const command = asUser(user, PLAIN_VIEW, [captureExecutable(), ...expected], 'net_raw');
    expect(command.slice(0, 4)).toEqual(['nice', '-n', '-10', 'setpriv']);
    expect(started).toEqual(command.slice(3));
  });

  it('answers each line, however it is cut, and goes on after a refusal', async () => {
    const text = `nonsense\n${JSON.stringify({ ...honest, id: randomUUID() })}\n${JSON.stringify({ ...honest, program: false })}\n`;
    const { answers, started } = await ask(...text);
    expect(answers).toMatchObject([{ ok: false, code: 'REQUEST_INVALID' }, { ok: false, code: 'CAPTURE_FOLDER_UNUSABLE' }, { ok: true }]);
    expect(started).not.toContain('--program');
  });

  it('starts nothing for a request that is refused', async () => {
    const { answers, started } = await ask(`${JSON.stringify({ ...honest, interfaces: ['lo', '--foreground x'] })}\n`);
    expect(answers).toMatchObject([{ ok: false, code: 'REQUEST_INVALID' }]);
    expect(started).toBeNull();
  });

  it('reads no more from whoever sends an endless line', async () => {
    const { answers, started } = await ask('x'.repeat(20_000), `\n${JSON.stringify(honest)}\n`);
    expect({ answers, started }).toEqual({ answers: [], started: null });
  });
});
