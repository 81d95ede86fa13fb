/** Packages that were cut, changed or made by somebody else: refused, each with its code, and nothing of them believed. */
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../support/temporary.js';
import { ANY, built, crafted, entriesOf, makeRelease, manifestOf, newKeys, read, refusal, tarOf, type Entry } from './packages.js';

const folder = temporaryFolder();
makeRelease(join(folder.path, 'release'));
const { privateKey: key, publicKey } = newKeys();
const proving = { ...ANY, keys: [publicKey] };
const whole = (await built(join(folder.path, 'release'), { key })).bytes;

function unpacked(bytes: Buffer): Buffer | null {
  try {
    return gunzipSync(bytes);
  } catch {
    return null;
  }
}

describe('a package', () => {
  it('is whole', async () => {
    expect(await refusal(read(whole, proving))).toBe(null);
  });

  it('cut anywhere is refused', async () => {
    const places = [
      ...Array.from({ length: 20 }, (_, i) => i),
      ...Array.from({ length: 60 }, (_, i) => Math.floor((whole.length * i) / 60)),
      whole.length - 9,
      whole.length - 8,
      whole.length - 1,
    ];
    for (const at of places) expect([at, await refusal(read(whole.subarray(0, at), proving))]).toEqual([at, 'PACKAGE_INVALID']);
  });

  it('cut between any two blocks, and compressed again, is refused', async () => {
    const tar = gunzipSync(whole);
    for (let at = 0; at < tar.length; at += 512)
      expect([at, await refusal(read(gzipSync(tar.subarray(0, at)), proving))]).toEqual([at, 'PACKAGE_INVALID']);
  });

  it('with any byte changed is refused, or unpacks to the same', async () => {
    const places = [...Array.from({ length: 30 }, (_, i) => i), ...Array.from({ length: 150 }, (_, i) => Math.floor((whole.length * i) / 150))];
    for (let at = whole.length - 10; at < whole.length; at++) places.push(at);
    const tar = gunzipSync(whole);
    let sames = 0;
    for (const at of places) {
      const bytes = Buffer.from(whole);
      bytes[at] = bytes[at]! ^ 0x20;
      // gzip has bytes of no account in its head, and more than one way to say the same.
      const isSame = unpacked(bytes)?.equals(tar) === true;
      sames += isSame ? 1 : 0;
      const expected = isSame ? null : (expect.stringMatching(/^PACKAGE_(?:INVALID|TAMPERED)$/) as string);
      expect([at, await refusal(read(bytes, proving))]).toEqual([at, expected]);
    }
    expect(sames).toBeLessThan(places.length / 10);
  });

  it('with any byte of its archive changed is refused, also where the sum over all is right', async () => {
    const tar = gunzipSync(whole);
    for (let at = 0; at < tar.length; at += 409) {
      const bytes = Buffer.from(tar);
      bytes[at] = bytes[at]! ^ 1;
      expect([at, await refusal(read(gzipSync(bytes, { level: 1 }), proving))]).toEqual([
        at,
        expect.stringMatching(/^PACKAGE_(?:INVALID|TAMPERED)$/),
      ]);
    }
  });

  it.each([
    ['a byte', Buffer.from('x')],
    ['a zero', Buffer.alloc(1)],
    ['many zeros', Buffer.alloc(1 << 20)],
    ['text', Buffer.from('trailing bytes that are long enough to be looked at')],
    ['another package', whole],
    ['an archive', gzipSync(Buffer.alloc(1024))],
    ['half of one', whole.subarray(0, 100)],
  ])('with %s behind it is refused', async (_, more) => {
    expect(await refusal(read(Buffer.concat([whole, more]), proving))).toBe('PACKAGE_INVALID');
  });

  it.each([
    ['nothing', Buffer.alloc(0)],
    ['text', Buffer.from('hello, this is no package')],
    ['zeros', Buffer.alloc(10_000)],
    ['an empty gzip', gzipSync('')],
    ['text in gzip', gzipSync('hello')],
    ['long text in gzip', gzipSync('hello '.repeat(10_000))],
    ['an empty tar', gzipSync(Buffer.alloc(1024))],
    ['a package without gzip', gunzipSync(whole)],
    ['another tar', gzipSync(tarOf([{ name: 'package/package.json', body: '{}' }]))],
    ['a tar of a folder', gzipSync(tarOf([{ name: 'x/', type: '5' }]))],
    ['a tar of GNU', gzipSync(tarOf([{ name: 'manifest.json', body: '{}', change: (header) => void header.write('ustar  \0', 257, 'latin1') }]))],
    ['a manifest alone', crafted(manifestOf({ a: 'x' }), [], key)],
  ])('is not %s', async (_, bytes) => {
    expect(await refusal(read(bytes, proving))).toBe('PACKAGE_INVALID');
    expect(await refusal(read(bytes, null))).toBe('PACKAGE_INVALID');
  });
});

const FILES = { 'a/b': 'bbb', 'a/c': 'ccc', d: '' };
const manifest = manifestOf(FILES);
const [first, second, third] = entriesOf(FILES) as [Entry, Entry, Entry];

describe('an archive', () => {
  it('that is a package by hand is taken', async () => {
    expect(await refusal(read(crafted(manifest, [first, second, third], key), proving))).toBe(null);
  });

  const put = (entry: Partial<Entry>): Entry[] => [{ ...first, ...entry }, second, third];
  it.each<[string, Entry[], string]>([
    ['a file changed', put({ body: 'bxb' }), 'PACKAGE_TAMPERED'],
    ['a file swapped for another', put({ body: 'ccc' }), 'PACKAGE_TAMPERED'],
    ['a file that is longer', put({ body: 'bbbb' }), 'PACKAGE_TAMPERED'],
    ['a file that is shorter', put({ body: 'bb' }), 'PACKAGE_TAMPERED'],
    ['files out of order', [second, first, third], 'PACKAGE_TAMPERED'],
    ['a file twice', [first, first, second, third], 'PACKAGE_TAMPERED'],
    ['the last file twice', [first, second, third, third], 'PACKAGE_TAMPERED'],
    ['a file left out', [first, third], 'PACKAGE_TAMPERED'],
    ['the last file left out', [first, second], 'PACKAGE_INVALID'],
    ['a file that is not named', [first, second, third, { name: 'release/e', body: 'x' }], 'PACKAGE_TAMPERED'],
    ['one in front', [{ name: 'release/a/a', body: 'x' }, first, second, third], 'PACKAGE_TAMPERED'],
    ['a second manifest', [{ name: 'manifest.json', body: JSON.stringify(manifest) }, first, second, third], 'PACKAGE_TAMPERED'],
    ['a second signature', [{ name: 'manifest.sig', body: 'x' }, first, second, third], 'PACKAGE_TAMPERED'],
    ['a folder', [{ name: 'release/', type: '5' }, first, second, third], 'PACKAGE_TAMPERED'],
    ['a link for a file', put({ type: '2', body: '', link: '/etc/passwd' }), 'PACKAGE_TAMPERED'],
    ['a link to a folder in front', [{ name: 'release/a', type: '2', link: '/etc' }, first, second, third], 'PACKAGE_TAMPERED'],
    ...['1', '3', '4', '5', '6', '7', 'x', 'g', 'L', 'K', 'S', 'D', '\0', 'A'].map((type): [string, Entry[], string] => [
      `an entry of the type ${JSON.stringify(type)}`,
      put({ type }),
      'PACKAGE_TAMPERED',
    ]),
    ['a name with ..', put({ name: 'release/../a/b' }), 'PACKAGE_TAMPERED'],
    ['an absolute name', put({ name: '/release/a/b' }), 'PACKAGE_TAMPERED'],
    ['a name with a backslash', put({ name: 'release\\a\\b' }), 'PACKAGE_TAMPERED'],
    ['a name with a dot', put({ name: './release/a/b' }), 'PACKAGE_TAMPERED'],
    ['a name that goes on behind a NUL', put({ change: (header) => void header.write('x', 50) }), 'PACKAGE_INVALID'],
    ['a name that is no UTF-8', put({ change: (header) => void header.writeUInt8(0xff, 3) }), 'PACKAGE_INVALID'],
    ['a prefix', put({ prefix: '..' }), 'PACKAGE_TAMPERED'],
    ['a size in letters', put({ size: 'zzz' }), 'PACKAGE_INVALID'],
    ['a size that is negative', put({ size: '-0000000001\0' }), 'PACKAGE_INVALID'],
    ['no size', put({ size: '\0' }), 'PACKAGE_INVALID'],
    ['a size in the other form', put({ size: '\x80\0\0\0\0\0\0\0\0\0\0\x03' }), 'PACKAGE_INVALID'],
    ['a size of 8 GB', put({ size: '77777777777\0' }), 'PACKAGE_TAMPERED'],
    ['bytes behind a file', put({ fill: 7 }), 'PACKAGE_INVALID'],
  ])('with %s is refused', async (_, entries, code) => {
    const bytes = crafted(manifest, entries, key);
    expect(await refusal(read(bytes, proving))).toBe(code);
    // Also where nobody asks who made it.
    expect(await refusal(read(bytes, null))).toBe(code);
  });

  it.each<[string, Buffer]>([
    ['a pax header with another name', tarOf([{ name: 'PaxHeader', type: 'x', body: '16 path=../evil\n' }, first], Buffer.alloc(0))],
    ['a pax header with another size', tarOf([{ name: 'PaxHeader', type: 'x', body: '10 size=4\n' }, first], Buffer.alloc(0))],
    ['a pax header for all', tarOf([{ name: 'PaxHeader', type: 'g', body: '16 path=../evil\n' }, first], Buffer.alloc(0))],
    ['a pax header whose lengths lead nowhere', tarOf([{ name: 'PaxHeader', type: 'x', body: '2x'.repeat(100_000) }, first], Buffer.alloc(0))],
    ['a long name of GNU', tarOf([{ name: '././@LongLink', type: 'L', body: '../evil\0' }, first], Buffer.alloc(0))],
  ])('with %s is refused', async (_, part) => {
    const head = tarOf([{ name: 'manifest.json', body: JSON.stringify(manifest) }], Buffer.alloc(0));
    expect(await refusal(read(gzipSync(Buffer.concat([head, part, tarOf([second, third])]))))).toBe('PACKAGE_TAMPERED');
    expect(await refusal(read(gzipSync(Buffer.concat([part, head, tarOf([first, second, third])]))))).toBe('PACKAGE_INVALID');
  });

  it.each<[string, Buffer]>([
    ['no end', Buffer.alloc(0)],
    ['half an end', Buffer.alloc(512)],
    ['three blocks of end', Buffer.alloc(1536)],
    ['bytes behind its end', Buffer.concat([Buffer.alloc(1024), Buffer.from('x')])],
    ['files behind its end', Buffer.concat([Buffer.alloc(1024), tarOf([third])])],
    ['files behind half an end', Buffer.concat([Buffer.alloc(512), tarOf([third])])],
  ])('with %s is refused', async (_, end) => {
    expect(await refusal(read(crafted(manifest, [first, second, third], key, end), proving))).toBe('PACKAGE_INVALID');
  });

  it.each<[string, object]>([
    ['out of its folder', { path: '../evil' }],
    ['to the root', { path: '/evil' }],
    ['where a file has another below it', { path: 'a' }],
  ])('whose manifest leads %s is refused, whoever signed it', async (_, { path }: { path?: string }) => {
    const evil = manifestOf({ [path!]: 'x', 'a/b': 'x' });
    expect(await refusal(read(crafted(evil, entriesOf({ [path!]: 'x', 'a/b': 'x' }), key), proving))).toBe('PACKAGE_INVALID');
  });
});

describe('a signature', () => {
  const other = manifestOf({ a: 'x' });
  const signatureIn = (bytes: Buffer): Buffer => {
    const tar = gunzipSync(bytes);
    const at = tar.indexOf('manifest.sig');
    return tar.subarray(at + 512, at + 512 + 64);
  };
  const withSignature = (body: Uint8Array | string, more: Partial<Entry> = {}): Buffer =>
    crafted(manifest, [{ name: 'manifest.sig', body, ...more }, first, second, third]);

  it.each<[string, Buffer, string]>([
    ['none', crafted(manifest, [first, second, third]), 'PACKAGE_UNSIGNED'],
    ['of another key', crafted(manifest, [first, second, third], newKeys().privateKey), 'PACKAGE_TAMPERED'],
    ['of another manifest', withSignature(signatureIn(crafted(other, entriesOf({ a: 'x' }), key))), 'PACKAGE_TAMPERED'],
    ['of nothing', withSignature(''), 'PACKAGE_TAMPERED'],
    ['half of one', withSignature(signatureIn(crafted(manifest, [], key)).subarray(0, 32)), 'PACKAGE_TAMPERED'],
    ['zeros', withSignature(Buffer.alloc(64)), 'PACKAGE_TAMPERED'],
    ['too long', withSignature(Buffer.alloc(65)), 'PACKAGE_INVALID'],
    ['a link', withSignature('', { type: '2', link: 'other.sig' }), 'PACKAGE_TAMPERED'],
    ['behind the files', crafted(manifest, [first, second, third, { name: 'manifest.sig', body: Buffer.alloc(64) }]), 'PACKAGE_UNSIGNED'],
  ])('%s', async (_, bytes, code) => {
    expect(await refusal(read(bytes, proving))).toBe(code);
  });

  it('of the manifest as it was before one of its bytes changed', async () => {
    const text = JSON.stringify(manifest);
    const bytes = crafted(text.replace('"1.2.3"', '"1.2.4"'), [
      { name: 'manifest.sig', body: signatureIn(crafted(text, [], key)) },
      first,
      second,
      third,
    ]);
    expect(await refusal(read(bytes, proving))).toBe('PACKAGE_TAMPERED');
  });
});
