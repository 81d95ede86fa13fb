/** Reading packages back: whole ones, damaged ones, and archives that somebody made to do harm. */
import { readdirSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { TextReader, Uint8ArrayWriter, ZipWriter } from '@zip.js/zip.js';
import { packTar } from 'modern-tar';
import { afterEach, describe, expect, it } from 'vitest';
import { FILES_MAX } from '../../src/bundle/archive.js';
import { decryptBundle, inspectBundle } from '../../src/bundle/read.js';
import { temporaryFolder } from '../support/temporary.js';
import { collector, lines, MemorySink, packed, unpacked } from './packages.js';

const folder = temporaryFolder();
let count = 0;
const write = (bytes: Uint8Array): string => folder.write(`p${count++}`, bytes);
const some = [
  collector('a/value.json', async () => ({ a: 1 })),
  collector('b.log', () => lines('x\n'.repeat(5000))),
  collector('none', () => lines()),
];
const openFiles = (): number => readdirSync('/proc/self/fd').length;

async function zipOf(files: Record<string, string>, options = {}): Promise<Buffer> {
  const writer = new ZipWriter(new Uint8ArrayWriter(), { useWebWorkers: false, level: 0, ...options });
  for (const [name, text] of Object.entries(files)) await writer.add(name, new TextReader(text));
  return Buffer.from(await writer.close());
}

const tarOf = async (files: Record<string, string>): Promise<Buffer> =>
  gzipSync(await packTar(Object.entries(files).map(([name, body]) => ({ header: { name, size: body.length }, body }))));

describe.each(['zip', 'tar.gz'] as const)('%s', (format) => {
  it('is listed and agrees with its manifest', async () => {
    const { manifest, bytes } = await packed(some, { format });
    const before = openFiles();
    const inspection = await inspectBundle(write(bytes), null);
    expect(inspection).toMatchObject({ format, isEncrypted: false, manifest, problems: [] });
    expect(inspection.files.map(({ path }) => path)).toEqual(['a/value.json', 'b.log', 'README.txt', 'manifest.json']);
    expect(openFiles()).toBe(before);
  });

  it('says what does not agree', async () => {
    const files = Object.fromEntries([...(await unpacked((await packed(some, { format })).bytes))].map(([name, data]) => [name, String(data)]));
    const rest: Record<string, string> = { ...files, 'a/value.json': 'other', 'new.txt': 'x' };
    delete rest['b.log'];
    const { problems } = await inspectBundle(write(await (format === 'zip' ? zipOf : tarOf)(rest)), null);
    expect(problems).toEqual(['a/value.json is not as it was written: its SHA-256 differs', 'b.log is missing', 'new.txt is not in the manifest']);
  });

  it('cut anywhere, or with a changed byte, is refused or found out', async () => {
    const { bytes } = await packed(some, { format });
    const before = openFiles();
    for (let length = 0; length < bytes.length; length += 131)
      await expect(inspectBundle(write(bytes.subarray(0, length)), null), `cut at ${length}`).rejects.toMatchObject({ code: 'BUNDLE_INVALID' });
    for (let at = 4; at < bytes.length; at += 71) {
      const changed = Buffer.from(bytes);
      changed[at]! ^= 0x55;
      await inspectBundle(write(changed), null).catch((error: unknown) =>
        expect((error as { code: string }).code, `changed at ${at}`).toBe('BUNDLE_INVALID'),
      );
    }
    expect(openFiles()).toBe(before);
  });

  it.each<[string, Record<string, string>]>([
    ['names that lead out', { '../x': 'a' }],
    ['names that lead out later', { 'a/../../x': 'a' }],
    ['absolute names', { '/etc/x': 'a' }],
    ['other systems’ names', { 'a\\..\\x': 'a' }],
    ['no manifest', { a: 'a' }],
    ['a manifest that is none', { 'manifest.json': 'null' }],
    ['a manifest of another format', { 'manifest.json': '{"format":"x/1"}' }],
    ['a damaged manifest', { 'manifest.json': '{"format":"spillway-diagnostic-package/1","entries":[null]}' }],
    ['too many files', Object.fromEntries(Array.from({ length: FILES_MAX + 1 }, (_, i) => [`f${i}`, '']))],
    ['a file of 20 MiB', { 'manifest.json': ' '.repeat(20 << 20) }],
  ])('%s: refused', async (_, files) => {
    const path = write(await (format === 'zip' ? zipOf : tarOf)(files));
    await expect(inspectBundle(path, null)).rejects.toMatchObject({ code: 'BUNDLE_INVALID' });
  });
});

describe('with a passphrase', () => {
  it('is listed without it, and read with it alone', async () => {
    const { manifest, bytes } = await packed(some, { passphrase: 'pässword' });
    const path = write(bytes);
    expect(await inspectBundle(path, null)).toMatchObject({
      isEncrypted: true,
      manifest: null,
      files: [{ path: 'a/value.json', bytes: null }, {}, {}, {}],
    });
    expect(await inspectBundle(path, 'pässword')).toMatchObject({ isEncrypted: true, manifest, problems: [] });
    for (const wrong of ['password', 'pässword ', 'x']) await expect(inspectBundle(path, wrong)).rejects.toMatchObject({ code: 'BUNDLE_PASSPHRASE' });
  });

  it('is decrypted into the same files', async () => {
    const { bytes } = await packed(some, { passphrase: 'x' });
    const sink = new MemorySink();
    await decryptBundle(write(bytes), 'x', sink);
    expect(await unpacked(sink.bytes)).toEqual(await unpacked(bytes, 'x'));
    expect(await inspectBundle(write(sink.bytes), null)).toMatchObject({ isEncrypted: false, problems: [] });
  });

  it('is not decrypted with another, when it is changed, or when there is none', async () => {
    const { bytes } = await packed(some, { passphrase: 'x' });
    await expect(decryptBundle(write(bytes), 'y', new MemorySink())).rejects.toMatchObject({ code: 'BUNDLE_PASSPHRASE' });
    const changed = Buffer.from(bytes);
    // Behind the head, the salt and the check of the passphrase.
    changed[30 + bytes.readUInt16LE(26) + bytes.readUInt16LE(28) + 16 + 2 + 1]! ^= 1;
    await expect(decryptBundle(write(changed), 'x', new MemorySink())).rejects.toMatchObject({ code: 'BUNDLE_INVALID' });
    await expect(decryptBundle(write((await packed(some)).bytes), 'x', new MemorySink())).rejects.toMatchObject({ code: 'REQUEST_INVALID' });
  });

  it('a full disk is told', async () => {
    const sink = new MemorySink();
    sink.write = () => Promise.reject(Object.assign(new Error('full'), { code: 'ENOSPC' }));
    await expect(decryptBundle(write((await packed(some, { passphrase: 'x' })).bytes), 'x', sink)).rejects.toMatchObject({ code: 'ENOSPC' });
  });
});

describe('what is no package', () => {
  it.each([
    ['nothing', Buffer.alloc(0)],
    ['text', Buffer.from('just a text of some length')],
    ['the beginning of a ZIP archive', Buffer.from('PK\u0003\u0004 and no more')],
    ['gzip of a text', gzipSync('just a text of some length')],
    ['gzip of nothing', gzipSync('')],
    ['gzip of zeros', gzipSync(Buffer.alloc(4096))],
  ])('%s', async (_, bytes) => {
    await expect(inspectBundle(write(bytes), null)).rejects.toMatchObject({ code: 'BUNDLE_INVALID' });
  });

  it('no file, a folder', async () => {
    await expect(inspectBundle(`${folder.path}/none`, null)).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
    await expect(inspectBundle(folder.path, null)).rejects.toMatchObject({ code: 'BUNDLE_INVALID' });
  });

  it('a link in a tar.gz', async () => {
    const bytes = gzipSync(await packTar([{ header: { name: 'x', type: 'symlink', linkname: '/etc/shadow', size: 0 } }]));
    await expect(inspectBundle(write(bytes), null)).rejects.toMatchObject({ code: 'BUNDLE_INVALID' });
  });

  it('gzip that unpacks to half a gigabyte is left early', async () => {
    const begun = performance.now();
    const member = gzipSync(Buffer.alloc(64 << 20), { level: 1 });
    await expect(inspectBundle(write(Buffer.concat(Array.from({ length: 8 }, () => member))), null)).rejects.toMatchObject({
      code: 'BUNDLE_INVALID',
    });
    expect(performance.now() - begun).toBeLessThan(10_000);
  });
});

let rejections = 0;
process.on('unhandledRejection', () => rejections++);
afterEach(async () => {
  await new Promise(setImmediate);
  expect(rejections).toBe(0);
});
