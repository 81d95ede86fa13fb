/** Packages there and back: what is written is read, what is demanded is proven, and failures keep their own codes. */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SpillwayError } from '../../src/errors.js';
import { HERE, readPackage, type Demands } from '../../src/update/package-reader.js';
import { releaseIn } from '../../src/update/release.js';
import { fingerprintOf, readPrivateKey, readPublicKey } from '../../src/update/signature.js';
import { temporaryFolder } from '../support/temporary.js';
import { ANY, built, EXECUTABLE, inPieces, makeRelease, newKeys, PATHS, read, refusal, SHIPPED } from './packages.js';

const folder = temporaryFolder();
const release = join(folder.path, 'release');
makeRelease(release);
const keys = newKeys();
const key = keys.privateKey;
const proving = { ...ANY, keys: [newKeys().publicKey, keys.publicKey] };

describe('a package', () => {
  it('holds the release: every file with its bytes and whether it is executable', async () => {
    const { manifest, bytes } = await built(release, { key });
    const taken = new Map<string, string>();
    const proven = await read(bytes, { ...proving, ...HERE, leastVersion: '1.2.3' }, async ({ path }, pieces) => {
      const parts: Uint8Array[] = [];
      for await (const piece of pieces) parts.push(piece);
      taken.set(path, Buffer.concat(parts).toString());
    });
    expect(proven).toMatchObject({ manifest, isSigned: true, signer: fingerprintOf(keys.publicKey) });
    expect([...taken.keys()]).toEqual(PATHS);
    expect(Object.fromEntries(taken)).toMatchObject(SHIPPED);
    expect(manifest.files.filter(({ executable }) => executable).map(({ path }) => path)).toEqual(EXECUTABLE);
    expect(manifest).toMatchObject({ name: 'spillway', version: '1.2.3', node: '>=20', platform: process.platform, architecture: process.arch });
  });

  it('is read in pieces of any size, and by tar', async () => {
    const { manifest, bytes } = await built(release);
    for (const size of [1, 511, 512, 1 << 20]) expect((await readPackage(inPieces(bytes, size), ANY)).manifest).toEqual(manifest);
    const names = execFileSync('tar', ['-tzf', folder.write('plain.tar.gz', bytes)], {
      encoding: 'utf8',
      env: { ...process.env, LC_ALL: 'C.UTF-8' },
    });
    expect(names.trim().split('\n')).toEqual(['manifest.json', ...PATHS.map((path) => `release/${path}`)]);
  });

  it('of the same release has the same id, whenever it is made and whoever signs it', async () => {
    const first = await built(release);
    const second = await built(release, { createdMs: 1_900_000_000_000, key });
    expect(second.manifest.id).toBe(first.manifest.id);
    expect((await built(release, { createdMs: 1_800_000_000_000 })).bytes.equals(first.bytes)).toBe(true);
  });

  it.each<[string, (path: string) => void]>([
    ['of a file', (path) => writeFileSync(join(path, 'dist', 'empty.js'), 'x')],
    ['of a mode', (path) => chmodSync(join(path, 'dist', 'empty.js'), 0o755)],
    ['of files', (path) => writeFileSync(join(path, 'dist', 'more.js'), '')],
    ['of the version', (path) => makeRelease(path, {}, '1.2.4')],
  ])('has another id after a change %s', async (what, change) => {
    const path = join(folder.path, `changed ${what}`);
    makeRelease(path);
    change(path);
    expect((await built(path)).manifest.id).not.toBe((await built(release)).manifest.id);
  });

  it('can be made again of what was unpacked, and has the same id', async () => {
    const { manifest, bytes } = await built(release);
    const path = join(folder.path, 'unpacked');
    await read(bytes, ANY, async (file, pieces) => {
      mkdirSync(dirname(join(path, file.path)), { recursive: true });
      await writeFile(join(path, file.path), pieces, { mode: file.executable ? 0o755 : 0o644 });
    });
    expect((await built(path)).manifest.id).toBe(manifest.id);
  });

  it('made of what changes meanwhile is given up', async () => {
    const path = join(folder.path, 'changing');
    makeRelease(path);
    const there = await releaseIn(path);
    let isChanged = false;
    const progress = (done: number): void => {
      if (done < 0.3 || isChanged) return;
      isChanged = true;
      writeFileSync(join(path, 'package.json'), 'y'.repeat(100_000));
    };
    expect(await refusal(built(path, { release: there, progress }))).toBe('FILE_CHANGED');
    expect(isChanged).toBe(true);
  });

  it('is given up where its signal says so, and where the disk is full', async () => {
    const controller = new AbortController();
    const reason = new SpillwayError('CANCELLED', 'that is enough of it');
    const progress = (done: number): void => void (done > 0.5 && controller.abort(reason));
    expect(await refusal(built(release, { progress, signal: controller.signal }))).toBe('CANCELLED');
    const full = new SpillwayError('OUTPUT_FAILED', 'there is no space left');
    const sink = { write: () => Promise.reject(full), finish: () => Promise.resolve(), abort: () => Promise.resolve() };
    expect(await refusal(built(release, { sink }))).toBe('OUTPUT_FAILED');
  });

  it('is made of no release that would not be taken', async () => {
    const path = join(folder.path, 'long');
    makeRelease(path, { [`dist/${'x'.repeat(101)}`]: '' });
    expect(await refusal(built(path))).toBe('PACKAGE_INVALID');
  });
});

describe('what is demanded', () => {
  const here = { platform: process.platform, architecture: process.arch, node: '22.15.0' };
  it.each<[string, Partial<Demands>, string | null]>([
    ['nothing', {}, null],
    ['this machine', here, null],
    ['another system', { ...here, platform: 'sunos' }, 'PACKAGE_ARCHITECTURE'],
    ['another processor', { ...here, architecture: 'mips' }, 'PACKAGE_ARCHITECTURE'],
    ['an older Node', { ...here, node: '18.19.0' }, 'PACKAGE_NODE'],
    ['this version', { leastVersion: '1.2.3' }, null],
    ['an older one', { leastVersion: '1.2.3-rc.1' }, null],
    ['a later one', { leastVersion: '1.10.0' }, 'PACKAGE_TOO_OLD'],
    ['its key', { keys: [keys.publicKey] }, null],
    ['another key', { keys: [newKeys().publicKey] }, 'PACKAGE_TAMPERED'],
  ])('%s', async (_, demands, code) => {
    const { bytes } = await built(release, { key });
    expect(await refusal(read(bytes, { ...ANY, ...demands }))).toBe(code);
  });

  it('a signature where keys are known; where none are it is not looked at, and is said to be there at most', async () => {
    const { bytes: plain } = await built(release);
    expect(await refusal(read(plain, proving))).toBe('PACKAGE_UNSIGNED');
    expect(await read(plain, ANY)).toMatchObject({ isSigned: false, signer: null });
    const { bytes } = await built(release, { key: newKeys().privateKey });
    for (const demands of [ANY, null]) expect(await read(bytes, demands)).toMatchObject({ isSigned: true, signer: null });
  });

  it('who made it counts before what it says: nothing of a manifest is believed that nobody signed', async () => {
    const { bytes } = await built(release, { architecture: 'mips', key: newKeys().privateKey });
    expect(await refusal(read(bytes, { ...proving, ...here, leastVersion: '9.0.0' }))).toBe('PACKAGE_TAMPERED');
  });
});

describe('failures of others', () => {
  it('keep their codes: of the source, and of who takes', async () => {
    const { bytes } = await built(release);
    async function* breaking(error: Error): AsyncGenerator<Uint8Array> {
      yield bytes.subarray(0, 2000);
      throw error;
    }
    for (const error of [new SpillwayError('CLIENT_LEFT', 'the client is gone'), new Error('EIO')])
      await expect(readPackage(breaking(error), ANY)).rejects.toBe(error);
    const full = async (): Promise<void> => Promise.reject(new SpillwayError('OUTPUT_FAILED', 'there is no space left'));
    expect(await refusal(read(bytes, ANY, full))).toBe('OUTPUT_FAILED');
  });

  it('the source is let go of, whatever ends the reading', async () => {
    const { bytes } = await built(release);
    let isOver = false;
    async function* watched(): AsyncGenerator<Uint8Array> {
      try {
        yield bytes;
        // More than anybody reads ahead.
        for (;;) yield bytes;
      } finally {
        isOver = true;
      }
    }
    expect(await refusal(readPackage(watched(), { ...ANY, leastVersion: '2.0.0' }))).toBe('PACKAGE_TOO_OLD');
    await expect.poll(() => isOver).toBe(true);
  });

  it('who takes a file and does not read it to its end is told', async () => {
    const { bytes } = await built(release);
    const part = async (_: unknown, pieces: AsyncIterable<Uint8Array>): Promise<void> => {
      for await (const piece of pieces) return void piece;
    };
    for (const take of [part, async () => Promise.resolve()]) expect(await refusal(read(bytes, ANY, take))).toBe('INTERNAL');
  });
});

describe('keys', () => {
  const pem = (args: string[]): string => execFileSync('openssl', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });

  it('are those that openssl makes', async () => {
    const privatePem = pem(['genpkey', '-algorithm', 'ed25519']);
    const made = folder.write('made.key', Buffer.from(privatePem));
    const publicPem = pem(['pkey', '-in', made, '-pubout']);
    const { bytes } = await built(release, { key: readPrivateKey(privatePem) });
    const { signer } = await read(bytes, { ...ANY, keys: [readPublicKey(publicPem)] });
    expect(signer).toBe(fingerprintOf(readPrivateKey(privatePem)));
    expect(await refusal((async () => readPublicKey(privatePem))())).toBe('KEY_INVALID');
    expect(await refusal((async () => readPrivateKey(publicPem))())).toBe('KEY_INVALID');
  });

  it.each([
    ['', 'x'],
    ['-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n', '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n'],
    [pem(['genpkey', '-algorithm', 'x25519']), pem(['genpkey', '-algorithm', 'x25519', '-outform', 'DER'])],
    [pem(['genpkey', '-algorithm', 'ed25519', '-aes256', '-pass', 'pass:x']), 'y'],
  ])('and no others (%#)', async (privatePem, publicPem) => {
    expect(await refusal((async () => readPrivateKey(privatePem))())).toBe('KEY_INVALID');
    expect(await refusal((async () => readPublicKey(publicPem))())).toBe('KEY_INVALID');
  });
});
