/** Damaged captures at the command line: every whole packet is used, the output is properly ended, the exit code is 3. */
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { NgBlocks, payload, pcapHeader, pcapRecord } from '../support/build.js';
import { readCapture } from '../support/reader.js';
import { temporaryFolder } from '../support/temporary.js';
import { expectSentence, run, seconds, spillway } from './support.js';

const folder = temporaryFolder();
const input = join(folder.path, 'input');
const out = join(folder.path, 'out');
const HEADER = 24;
const RECORD = 16 + 60;

function ngFile(): Buffer {
  const ng = new NgBlocks();
  const packets = Array.from({ length: 5 }, (_, i) => ng.enhanced({ ticks: 1_700_000_000_000_000n + BigInt(i), data: payload(61, i), comment: 'x' }));
  return Buffer.concat([ng.section('one'), ng.interface({ name: 'eth0' }), ...packets]);
}

/** Every length of the first 200 bytes and of the last packet. */
function cuts(whole: Buffer, lastPacketBytes: number): number[] {
  const all = Array.from({ length: whole.length + 1 }, (_, length) => length);
  return all.filter((length) => length <= 200 || length >= whole.length - lastPacketBytes);
}

/** Exports the first `length` bytes and holds what comes out against the independent reader. `headerBytes`: what makes it a capture. */
async function exportCut(whole: Buffer, length: number, headerBytes: number): Promise<void> {
  const cut = whole.subarray(0, length);
  writeFileSync(input, cut);
  writeFileSync(out, 'before');
  const begun = performance.now();
  const { exit, stdout, stderr } = await run(['export', input, '-F', 'pcapng_ns', '-o', out]);
  expect(performance.now() - begun, `time for ${length} bytes`).toBeLessThan(1000);
  expect(stdout).toBe('');
  expect(readdirSync(folder.path).filter((name) => name.endsWith('.part'))).toEqual([]);
  if (exit === 2) {
    expectSentence(stderr, 'SOURCE_NOT_A_CAPTURE');
    expect(readFileSync(out, 'utf8')).toBe('before');
    // Refused only while the file does not yet say what it is.
    expect(length).toBeLessThan(headerBytes);
    return;
  }
  const expected = readCapture(cut);
  const written = readCapture(readFileSync(out));
  expect(written.damageAt).toBeNull();
  expect(written.packets.map(({ data }) => data)).toEqual(expected.packets.map(({ data }) => data));
  expect(exit, `exit code for ${length} bytes`).toBe(expected.damageAt === null ? 0 : 3);
  const sentence = expected.damageAt === null ? '' : `spillway: ${input}: damaged at byte ${expected.damageAt}: `;
  expect(stderr.slice(0, sentence.length)).toBe(sentence);
  expect(stderr.split('\n')).toHaveLength(sentence === '' ? 1 : 2);
}

describe('a file that is cut', () => {
  it('in its first 200 bytes or in its last packet: pcap', async () => {
    const whole = seconds(5);
    for (const length of cuts(whole, RECORD)) await exportCut(whole, length, HEADER);
  });
  it('in its first 200 bytes or in its last packet: PCAPNG', async () => {
    const whole = ngFile();
    for (const length of cuts(whole, 112)) await exportCut(whole, length, whole.readUInt32LE(4));
  });
});

describe('a captured length that can not be', () => {
  it.each([0x8000_0000, 0xffff_ffff, 0x7fff_ffff, 262_145])('%d', async (caplen) => {
    const bad = pcapRecord({ seconds: 1_700_000_002, fraction: 0, data: payload(60), caplen });
    writeFileSync(input, Buffer.concat([seconds(2), bad]));
    for (const args of [
      ['export', input, '-o', out],
      ['info', input],
    ]) {
      const { exit, stderr } = await run(args);
      expect(exit).toBe(3);
      expect(stderr).toMatch(/^spillway: .*: damaged at byte 176: [^\n]+; every whole packet before it was used\n$/);
    }
    expect(readCapture(readFileSync(out)).packets).toHaveLength(2);
  });

  it('0 is a packet without bytes', async () => {
    writeFileSync(input, Buffer.concat([pcapHeader(), pcapRecord({ seconds: 1, fraction: 0, data: Buffer.alloc(0) }), seconds(1).subarray(HEADER)]));
    expect(await run(['export', input, '-o', out])).toEqual({ exit: 0, stdout: '', stderr: '' });
    expect(readCapture(readFileSync(out)).packets.map(({ caplen }) => caplen)).toEqual([0, 60]);
  });

  it.each([0, 11, 13, 0x8000_0000, 0xffff_ffff])('of a PCAPNG block: %d', async (length) => {
    const block = Buffer.alloc(32);
    block.writeUInt32LE(6, 0);
    block.writeUInt32LE(length, 4);
    const whole = ngFile();
    writeFileSync(input, Buffer.concat([whole, block]));
    const { exit, stderr } = await run(['export', input, '-F', 'pcapng_us', '-o', out]);
    expect(exit).toBe(3);
    expect(stderr).toContain(`damaged at byte ${whole.length}: `);
    expect(readCapture(readFileSync(out)).packets).toHaveLength(5);
  });
});

it('is told in the receipt, and the receipt is the last line of stderr when the capture goes to stdout', async () => {
  const cut = seconds(3).subarray(0, -1);
  const { exit, stdout, stderr } = await spillway(['export', '-', '--json'], cut);
  expect(exit).toBe(3);
  expect(readCapture(stdout).packets).toHaveLength(2);
  const [sentence, json, ...rest] = stderr.split('\n');
  expect(sentence).toBe('spillway: standard input: damaged at byte 176: the file ends inside a packet; every whole packet before it was used');
  expect(JSON.parse(json!)).toMatchObject({ truncated: true, damage: [{ file: 'standard input', offset_bytes: 176 }] });
  expect(rest).toEqual(['']);
});
