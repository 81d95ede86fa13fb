/** What a package costs who reads it: no more than its limits say, whatever it holds. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { gunzipped } from '../../src/update/gunzip.js';
import { UPDATE_LIMITS } from '../../src/update/limits.js';
import { readPackage } from '../../src/update/package-reader.js';
import { temporaryFolder } from '../support/temporary.js';
import { ANY, crafted, entriesOf, makeRelease, manifestOf, read, refusal, tarOf, type Entry } from './packages.js';

const folder = temporaryFolder();
const MB = 1 << 20;
const FILES = { a: 'x', z: 'y' };
const head = (manifest: object | string): Buffer =>
  tarOf([{ name: 'manifest.json', body: typeof manifest === 'string' ? manifest : JSON.stringify(manifest) }], Buffer.alloc(0));
const [first] = entriesOf(FILES) as [Entry];

/** Gives one piece again and again, and counts. */
class Endless {
  given = 0;
  constructor(
    private readonly start: Uint8Array,
    private readonly piece: Uint8Array,
    private readonly most = Infinity,
  ) {}
  async *bytes(): AsyncGenerator<Uint8Array, void, undefined> {
    yield this.start;
    for (; this.given < this.most; this.given++) yield this.piece;
  }
}

describe('an archive without end', () => {
  const empty = (name: string, type = '0'): Buffer =>
    gzipSync(
      tarOf(
        Array.from({ length: 1000 }, () => ({ name, type })),
        Buffer.alloc(0),
      ),
    );
  it.each<[string, Buffer, Buffer, string]>([
    ['of empty files', gzipSync(head(manifestOf(FILES))), empty('release/b'), 'PACKAGE_TAMPERED'],
    [
      'of one file again and again',
      gzipSync(tarOf([{ name: 'manifest.json', body: JSON.stringify(manifestOf({ a: '' })) }], Buffer.alloc(0))),
      empty('release/a'),
      'PACKAGE_TAMPERED',
    ],
    ['of manifests', gzipSync(head(manifestOf(FILES))), empty('manifest.json'), 'PACKAGE_TAMPERED'],
    ['of signatures', gzipSync(head(manifestOf(FILES))), empty('manifest.sig'), 'PACKAGE_TAMPERED'],
    ['of folders', gzipSync(head(manifestOf(FILES))), empty('release/a/', '5'), 'PACKAGE_TAMPERED'],
    ['of pax headers', gzipSync(head(manifestOf(FILES))), empty('x', 'x'), 'PACKAGE_TAMPERED'],
    ['of pax headers for all, in front', empty('x', 'g'), empty('x', 'g'), 'PACKAGE_INVALID'],
    ['of zeros behind its files', crafted(manifestOf({ a: 'x' }), [first]), gzipSync(Buffer.alloc(MB)), 'PACKAGE_INVALID'],
    ['of zeros in front', gzipSync(Buffer.alloc(MB)), gzipSync(Buffer.alloc(MB)), 'PACKAGE_INVALID'],
    ['of text', Buffer.alloc(MB, 'x'), Buffer.alloc(MB, 'x'), 'PACKAGE_INVALID'],
  ])('%s ends early', async (_, start, piece, code) => {
    const source = new Endless(start, piece);
    expect(await refusal(readPackage(source.bytes(), ANY))).toBe(code);
    // 10 million files would be 10,000 pieces.
    expect(source.given).toBeLessThan(20);
  });

  it('of nothing at all ends with the bytes that a package may have', async () => {
    const piece = Buffer.concat(Array.from({ length: 1000 }, () => gzipSync('')));
    const source = new Endless(piece, piece);
    const most = 10 * MB;
    const all = (async () => {
      for await (const bytes of gunzipped(source.bytes(), most)) expect(bytes.length).toBe(0);
    })();
    expect(await refusal(all)).toBe('PACKAGE_INVALID');
    expect(source.given).toBeLessThan(most / piece.length + 1);
  });
});

describe('a bomb', () => {
  const zeros = gzipSync(Buffer.alloc(64 * MB));
  const size = (bytes: number): Partial<Entry> => ({ size: bytes });
  it.each<[string, Buffer, string]>([
    ['in the manifest', gzipSync(tarOf([{ name: 'manifest.json', ...size(4 * 2 ** 30) }], Buffer.alloc(0))), 'PACKAGE_INVALID'],
    [
      'in a manifest that is just small enough',
      gzipSync(tarOf([{ name: 'manifest.json', ...size(UPDATE_LIMITS.manifestBytes) }], Buffer.alloc(0))),
      'PACKAGE_INVALID',
    ],
    [
      'in the signature',
      gzipSync(Buffer.concat([head(manifestOf(FILES)), tarOf([{ name: 'manifest.sig', ...size(4 * 2 ** 30) }], Buffer.alloc(0))])),
      'PACKAGE_INVALID',
    ],
    [
      'in a file',
      gzipSync(Buffer.concat([head(manifestOf(FILES)), tarOf([{ name: 'release/a', ...size(4 * 2 ** 30) }], Buffer.alloc(0))])),
      'PACKAGE_TAMPERED',
    ],
    ['behind a file', gzipSync(Buffer.concat([head(manifestOf({ a: 'x' })), tarOf([first], Buffer.alloc(0))])), 'PACKAGE_INVALID'],
  ])('%s does not go off', async (_, start, code) => {
    const source = new Endless(start, zeros);
    expect(await refusal(readPackage(source.bytes(), ANY))).toBe(code);
    expect(source.given).toBeLessThan(5);
  });

  it('of JSON takes little time', async () => {
    const begun = performance.now();
    for (const text of [`{"files":[${'0,'.repeat(4_000_000)}0]}`, '['.repeat(8_000_000), `{${'"a":1,'.repeat(1_300_000)}"b":2}`])
      expect(await refusal(read(gzipSync(head(text))))).toBe('PACKAGE_INVALID');
    expect(performance.now() - begun).toBeLessThan(5000);
  });
});

/** Runs a script in a process of its own and gives what it prints. */
function alone(script: string): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
  expect(status, stderr).toBe(0);
  return stdout;
}

describe('memory', () => {
  it('is the same for a package of 300 MB: to make it and to read it', () => {
    const path = join(folder.path, 'large');
    makeRelease(path);
    mkdirSync(join(path, 'dist', 'large'));
    for (const name of ['a', 'b', 'c']) {
      writeFileSync(join(path, 'dist', 'large', name), '');
      truncateSync(join(path, 'dist', 'large', name), 100 * MB);
    }
    const from = (name: string): string => JSON.stringify(new URL(`../../dist/${name}.js`, import.meta.url).href);
    const out = JSON.stringify(join(folder.path, 'large.tar.gz'));
    const [before, made, readIt] = alone(`
      import { createReadStream } from 'node:fs';
      import { readFileSync } from 'node:fs';
      import { writePackage } from ${from('update/package-writer')};
      import { readPackage } from ${from('update/package-reader')};
      import { releaseIn } from ${from('update/release')};
      import { FileSink } from ${from('state/file-sink')};
      const most = () => Number(/VmHWM:\\s+(\\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1]) / 1024;
      const said = [most()];
      const sink = await FileSink.open(${out});
      await writePackage({ release: await releaseIn(${JSON.stringify(path)}), platform: 'linux', architecture: 'x64', createdMs: 0, key: null, sink });
      await sink.finish();
      said.push(most());
      const { manifest } = await readPackage(createReadStream(${out}), { keys: [] });
      if (manifest.files.length < 10) throw new Error('it is another one');
      said.push(most());
      console.log(said.join(' '));
    `)
      .trim()
      .split(' ')
      .map(Number);
    expect(made! - before!).toBeLessThan(100);
    expect(readIt! - before!).toBeLessThan(100);
  }, 60_000);
});
