/** Update packages in tests: a small release, packages made of it, and archives that no writer of ours would make. */
import { createHash, generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect } from 'vitest';
import { coded } from '../../src/errors.js';
import { idOf, type ReleaseManifest } from '../../src/update/manifest.js';
import { readPackage, HERE, type Demands, type Proven, type Take } from '../../src/update/package-reader.js';
import { writePackage, type WritingOptions } from '../../src/update/package-writer.js';
import { releaseIn } from '../../src/update/release.js';
import { MemorySink } from '../bundle/packages.js';

export interface KeyPair {
  privateKey: KeyObject;
  publicKey: KeyObject;
}

export const newKeys = (): KeyPair => generateKeyPairSync('ed25519');

/** What a release has, and beside it what it has not. */
export const SHIPPED: Readonly<Record<string, string>> = {
  LICENSE: 'licence',
  'bin/package.json': '{}',
  'bin/spillway': '#!/usr/bin/env node\n',
  'binding.gyp': '{}',
  'build/Release/spillway-compile': 'executable',
  'build/Release/spillway.node': Array.from({ length: 20_000 }, (_, i) => String.fromCharCode(33 + ((i * i) % 90))).join(''),
  'dist/cli/main.js': 'main',
  'dist/empty.js': '',
  'dist/run/spillway.js': 'x'.repeat(512),
  'docs/ünder.md': 'page',
  'node_modules/a/LICENSE.md': 'licence',
  'node_modules/a/index.js': 'a',
  'node_modules/a/lib/test/used.js': 'a',
  'node_modules/a/node_modules/b/index.js': 'b',
  'node_modules/optional/index.js': 'o',
};
const LEFT_OUT: Readonly<Record<string, string>> = {
  'build/Release/obj.target/spillway.node': 'o',
  'build/Release/spillway.a': 'a',
  'data/spillway.db': 'secret',
  'dist/.tsbuildinfo': '{}',
  'dist/cli/main.d.ts': 'types',
  'dist/cli/main.js.map': '{}',
  'node_modules/@types/a/package.json': '{}',
  'node_modules/a/.github/x.js': 'x',
  'node_modules/a/README.md': 'a',
  'node_modules/a/build/Release/obj.target/a.node': 'o',
  'node_modules/a/index.d.ts': 'types',
  'node_modules/a/src/a.cc': 'source',
  'node_modules/a/test/test.js': 'test',
  'node_modules/a/node_modules/unknown/index.js': 'x',
  'node_modules/dev/index.js': 'dev',
  'node_modules/unknown/index.js': 'x',
  'src/cli/main.ts': 'source',
  'test/x.test.ts': 'test',
};
const LOCK = {
  packages: {
    '': {},
    'node_modules/@types/a': {},
    'node_modules/a': {},
    'node_modules/a/node_modules/b': {},
    'node_modules/dev': { dev: true },
    'node_modules/elsewhere': { optional: true },
    'node_modules/optional': { optional: true },
  },
};
export const EXECUTABLE = ['bin/spillway', 'build/Release/spillway-compile', 'build/Release/spillway.node'];

/** Writes a release into a folder, some of it otherwise; null: without this one. */
export function makeRelease(folder: string, changed: Readonly<Record<string, string | null>> = {}, version = '1.2.3'): void {
  const about = { name: 'spillway', version, engines: { node: '>=20' } };
  const files = { ...SHIPPED, ...LEFT_OUT, 'package.json': JSON.stringify(about), 'package-lock.json': JSON.stringify(LOCK), ...changed };
  for (const [path, text] of Object.entries(files)) {
    if (text === null) continue;
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text, { mode: EXECUTABLE.includes(path) ? 0o755 : 0o644 });
  }
}

export const PATHS = [...Object.keys(SHIPPED), 'package.json', 'package-lock.json'].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));

/** A package of the release in a folder. */
export async function built(folder: string, more: Partial<WritingOptions> = {}): Promise<{ manifest: ReleaseManifest; bytes: Buffer }> {
  const sink = new MemorySink();
  const { platform, architecture } = HERE;
  const manifest = await writePackage({
    release: await releaseIn(folder),
    platform,
    architecture,
    createdMs: 1_800_000_000_000,
    key: null,
    sink,
    ...more,
  });
  return { manifest, bytes: sink.bytes };
}

export const ANY: Demands = { keys: [] };

/** In pieces of odd sizes, as they may come over a network. */
export async function* inPieces(bytes: Uint8Array, size = 1009): AsyncGenerator<Uint8Array, void, undefined> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

export const read = (bytes: Uint8Array, demands: Demands | null = ANY, take?: Take): Promise<Proven> =>
  readPackage(inPieces(bytes), demands, ...(take ? [take] : []));

/** The code that it is refused with; null: it is not. */
export const refusal = (work: Promise<unknown>): Promise<string | null> =>
  work.then(
    () => null,
    (error: unknown) => {
      const { code, message } = coded(error);
      // A sentence, and not one of a library that was surprised.
      expect(message).toMatch(/^[^\n]{10,400}$/);
      return code;
    },
  );

export interface Entry {
  name: string;
  body?: string | Uint8Array;
  /** Instead of the length of the body. */
  size?: number | string;
  type?: string;
  prefix?: string;
  link?: string;
  /** Of the header, before its checksum is made. */
  change?: (header: Buffer) => void;
  fill?: number;
}

/** tar, with whatever the entries say; `end` is what stands behind them. */
export function tarOf(entries: readonly Entry[], end: Uint8Array = Buffer.alloc(1024)): Buffer {
  const parts = entries.flatMap(({ name, body = '', size, type = '0', prefix = '', link = '', change, fill = 0 }) => {
    const bytes = Buffer.from(body);
    const header = Buffer.alloc(512);
    header.write(name, 0, 100);
    header.write('0000644\0', 100);
    header.write(typeof size === 'string' ? size : `${(size ?? bytes.length).toString(8).padStart(11, '0')}\0`, 124, 'latin1');
    header.write(type, 156);
    header.write(link, 157, 100);
    header.write('ustar\u000000', 257);
    header.write(prefix, 345, 155);
    change?.(header);
    header.fill(' ', 148, 156);
    const sum = header.reduce((all, byte) => all + byte, 0);
    header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
    return [header, bytes, Buffer.alloc(-bytes.length & 511, fill)];
  });
  return Buffer.concat([...parts, end]);
}

export const sha256 = (text: string | Uint8Array): string => createHash('sha256').update(text).digest('hex');

/** A manifest that agrees with the files, and has its own id unless it is given one. */
export function manifestOf(files: Readonly<Record<string, string>>, more: Partial<ReleaseManifest> = {}): ReleaseManifest {
  const listed = Object.entries(files).map(([path, text]) => ({ path, bytes: Buffer.byteLength(text), sha256: sha256(text), executable: false }));
  const facts = { name: 'spillway', version: '1.2.3', platform: 'linux', architecture: 'x64', node: '>=20', files: listed, ...more };
  return { format: 'spillway-update-package/1', id: idOf(facts), createdMs: 1_800_000_000_000, ...facts };
}

/** A package with these entries behind its manifest. */
export function crafted(manifest: object | string, entries: readonly Entry[], key: KeyObject | null = null, end?: Uint8Array): Buffer {
  const text = typeof manifest === 'string' ? manifest : JSON.stringify(manifest);
  const signature = key ? [{ name: 'manifest.sig', body: sign(null, Buffer.from(text), key) }] : [];
  return gzipSync(tarOf([{ name: 'manifest.json', body: text }, ...signature, ...entries], end));
}

export const entriesOf = (files: Readonly<Record<string, string>>): Entry[] =>
  Object.entries(files).map(([path, body]) => ({ name: `release/${path}`, body }));
