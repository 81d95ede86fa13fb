/** ZIPs of stored files, as other programs read them; also where they need records of 64 bits. */
import { closeSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { Sink } from '../../src/engine/types.js';
import { ByteReader } from '../../src/update/byte-reader.js';
import { readStoredEntry, storedZipBytes, writeStoredZip, type FileToStore } from '../../src/update/stored-zip.js';
import { MemorySink, tool, unpacked } from '../bundle/packages.js';
import { requireOrSkip } from '../setup/require.js';
import { temporaryFolder } from '../support/temporary.js';
import { inPieces } from './some-package.js';

const folder = temporaryFolder();
const WHEN = new Date(Date.UTC(2026, 10, 22, 4, 11, 32));

const file = (path: string, content: string): FileToStore => {
  const bytes = Buffer.from(content);
  return { path, bytes: bytes.length, crc32: crc32(bytes), read: () => inPieces(bytes, 3) };
};
const FILES = [file('index.json', '{}'), file('a', ''), file('ümlaut.tar.gz', 'x'.repeat(10_000)), file('b', 'hello')];

async function zipOf(files: readonly FileToStore[]): Promise<Buffer> {
  const sink = new MemorySink();
  await writeStoredZip(sink, files, WHEN);
  return sink.bytes;
}

const has7z = tool('7z').exit === 0;
const hasUnzip = tool('unzip', '-v').exit === 0;

describe('a ZIP of stored files', () => {
  it.each([FILES, FILES.slice(0, 1), []].map((files) => [files.length, files] as const))('of %i files is as long as was said', async (_, files) => {
    expect((await zipOf(files)).length).toBe(storedZipBytes(files));
  });

  it('is read by others, in any way', async () => {
    const bytes = await zipOf(FILES);
    const found = await unpacked(bytes);
    expect([...found].map(([name, data]) => [name, data.toString()])).toEqual([
      ['index.json', '{}'],
      ['a', ''],
      ['ümlaut.tar.gz', 'x'.repeat(10_000)],
      ['b', 'hello'],
    ]);
    const path = folder.write('some.zip', bytes);
    if (requireOrSkip('unzip', hasUnzip)) {
      expect(tool('unzip', '-t', path)).toMatchObject({ exit: 0, out: expect.stringContaining('No errors detected') as string });
      expect(tool('unzip', '-l', path).out).toMatch(/2026-11-22 04:11/);
    }
    if (requireOrSkip('7z', has7z))
      expect(tool('7z', 't', path)).toMatchObject({ exit: 0, out: expect.stringContaining('Everything is Ok') as string });
    // A wrong checksum is seen by them.
    const wrong = folder.write('wrong.zip', await zipOf([{ ...FILES[2]!, crc32: 1 }]));
    if (hasUnzip) expect(tool('unzip', '-t', wrong).exit).not.toBe(0);
  });

  it.each([0, 4e15])('has a date also where the clock has none (%i ms)', async (ms) => {
    const sink = new MemorySink();
    await writeStoredZip(sink, FILES, new Date(ms));
    expect(await unpacked(sink.bytes)).toHaveProperty('size', FILES.length);
  });

  it('is refused in the making where a file is not as long as was said', async () => {
    for (const bytes of [4, 6]) await expect(zipOf([{ ...file('b', 'hello'), bytes }])).rejects.toMatchObject({ code: 'FILE_CHANGED' });
  });

  it('is read as it comes, in pieces of any size', async () => {
    const bytes = await zipOf(FILES);
    for (const length of [1, 7, 1000, 1 << 20]) {
      const reader = new ByteReader(inPieces(bytes, length));
      const found: [string, string][] = [];
      for (let entry = await readStoredEntry(reader); entry; entry = await readStoredEntry(reader)) {
        const pieces: Uint8Array[] = [];
        for await (const piece of entry.read()) pieces.push(piece);
        found.push([entry.path, Buffer.concat(pieces).toString()]);
      }
      expect(found.map(([name, text]) => [name, text.length])).toEqual(FILES.map(({ path, bytes: size }) => [path, size]));
    }
  });

  const local = (change: (header: Buffer) => void): Promise<Buffer> =>
    zipOf(FILES).then((bytes) => {
      change(bytes);
      return bytes;
    });
  it.each<[string, () => Promise<Buffer>]>([
    ['nothing', async () => Buffer.alloc(0)],
    ['three bytes', () => zipOf(FILES).then((bytes) => bytes.subarray(0, 3))],
    ['half a header', () => zipOf(FILES).then((bytes) => bytes.subarray(0, 20))],
    ['something else', async () => Buffer.alloc(100, 'x')],
    ['a compressed file', () => local((bytes) => bytes.writeUInt16LE(8, 8))],
    ['an encrypted file', () => local((bytes) => bytes.writeUInt16LE(1, 6))],
    ['a file with its sizes behind it', () => local((bytes) => bytes.writeUInt16LE(8, 6))],
    ['two sizes', () => local((bytes) => bytes.writeUInt32LE(7, 18))],
    ['a file of 64 bits', () => local((bytes) => bytes.fill(0xff, 18, 26))],
  ])('is none: %s', async (_, bytes) => {
    await expect(readStoredEntry(new ByteReader(inPieces(await bytes())))).rejects.toMatchObject({ code: 'PACKAGE_INVALID' });
  });
});

/** Writes long stretches of zeros as holes. */
function sparseSink(path: string): Sink & { close(): void } {
  const fd = openSync(path, 'w');
  let at = 0;
  return {
    write: async (bytes) => {
      if (bytes !== ZEROS) writeSync(fd, bytes, 0, bytes.length, at);
      at += bytes.length;
    },
    finish: () => Promise.resolve(),
    abort: () => Promise.resolve(),
    close: () => {
      ftruncateSync(fd, at);
      closeSync(fd);
    },
  };
}
const ZEROS = Buffer.alloc(64 << 20);

it.runIf(requireOrSkip('unzip and 7z', hasUnzip && has7z))('over 4 GiB has its places in 64 bits, and others find them', async () => {
  const large = (path: string): FileToStore => ({
    path,
    bytes: 33 * ZEROS.length,
    crc32: 0,
    read: async function* () {
      for (let i = 0; i < 33; i++) yield ZEROS;
    },
  });
  const files = [large('one'), large('two'), file('behind', 'it is there')];
  const path = join(folder.path, 'large.zip');
  const sink = sparseSink(path);
  await writeStoredZip(sink, files, WHEN);
  sink.close();
  const listed = tool('unzip', '-l', path).out;
  expect(listed).toMatch(/2214592512 .* two/);
  expect(tool('unzip', '-p', path, 'behind')).toEqual({ exit: 0, out: 'it is there' });
  expect(tool('7z', 'l', path)).toMatchObject({ exit: 0, out: expect.stringContaining(`Physical Size = ${storedZipBytes(files)}`) as string });
  expect(tool('7z', 'e', '-so', path, 'behind').out).toContain('it is there');
});
