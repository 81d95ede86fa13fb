/** Exports of a repository, and what another one makes of them. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { SpillwayError } from '../../src/errors.js';
import { exportKind } from '../../src/update/export-kind.js';
import { RepositoryExports, type Export } from '../../src/update/repository-exports.js';
import { importAll } from '../../src/update/repository-import.js';
import type { Imported } from '../../src/update/repository.js';
import { canMount, withSmallDisk } from '../export/small-disk.js';
import { tool, unpacked } from '../bundle/packages.js';
import { requireOrSkip } from '../setup/require.js';
import { temporaryFolder } from '../support/temporary.js';
import { openRoom, type Room } from '../task/harness.js';
import { RepositoryRoom } from './repository-room.js';
import { inPieces, keyPair, somePackage } from './some-package.js';

const code = (wanted: string) => expect.objectContaining({ code: wanted }) as Error;

interface Exporting {
  room: RepositoryRoom;
  tasks: Room;
  exports: RepositoryExports;
  /** Packages are read when it resolves. */
  gate: Promise<void>;
  ids: string[];
}

interface Bounds {
  path?: string;
  /** Of all exports together. */
  exportsBytes?: number;
  /** Of all artifacts together. */
  artifactsBytes?: number;
}

async function exporting(versions = ['0.1.0', '0.2.0'], { path, exportsBytes = 1e6, artifactsBytes = 1e9 }: Bounds = {}): Promise<Exporting> {
  const room = await RepositoryRoom.open();
  const ids: string[] = [];
  for (const version of versions) ids.push((await room.repository.import(inPieces(await somePackage({ version })))).package.id);
  const opened: Exporting = { room, ids, gate: Promise.resolve() } as unknown as Exporting;
  const kind = exportKind({
    get: (id) => room.repository.get(id),
    bytes: async function* (id) {
      await opened.gate;
      yield* room.repository.bytes(id);
    },
  });
  kind.artifactBytes = exportsBytes;
  opened.tasks = await openRoom([kind], path, { limits: { artifactsBytes, artifactBytes: artifactsBytes, artifacts: 100 } });
  opened.exports = new RepositoryExports(room.repository, opened.tasks.tasks, kind);
  return opened;
}

const fileOf = ({ tasks }: Exporting, one: Export): Buffer => readFileSync(join(tasks.folder, 'packages', one.result!.artifact));
const ended = async ({ tasks }: Exporting, one: Export): Promise<Export> => (await tasks.tasks.ended(one.id)) as Export;
const versionsOf = (imported: Imported[]): string[] => imported.map((each) => each.package.version);

describe('an export', () => {
  it.each(['all', 'payloads'] as const)('holds %s', async (content) => {
    const all = await exporting();
    const one = await ended(all, all.exports.start('ann', content, null));
    expect(one).toMatchObject({ state: 'done', progress: 100, owner: 'ann' });
    expect(one.input.name).toMatch(/^repository\d{14}\.zip$/);
    const bytes = fileOf(all, one);
    expect([bytes.length, bytes.length]).toEqual([one.input.totalBytes, one.result!.bytes]);
    const found = await unpacked(bytes);
    const packages = all.room.repository.list();
    const names = packages.map(({ id, version }) => `spillway-${version}-linux-x64-${id}.tar.gz`);
    expect([...found.keys()]).toEqual(content === 'all' ? ['index.json', ...names] : names);
    for (const [i, version] of ['0.1.0', '0.2.0'].entries()) expect(found.get(names[i]!)).toEqual(await somePackage({ version }));
    if (content === 'all')
      expect(JSON.parse(found.get('index.json')!.toString())).toEqual({
        format: 'spillway-repository/1',
        createdMs: one.input.number * 1000,
        packages: packages.map(({ id, version, bytes: size, sha256 }, i) => {
          return {
            id,
            file: names[i],
            version,
            platform: 'linux',
            architecture: 'x64',
            node: '>=20',
            bytes: size,
            sha256,
            signer: null,
            createdMs: 1,
          };
        }),
      });
    if (requireOrSkip('unzip', tool('unzip', '-v').exit === 0)) {
      const path = temporaryFolder().write('a.zip', bytes);
      expect(tool('unzip', '-t', path)).toMatchObject({ exit: 0, out: expect.stringContaining('No errors detected') as string });
    }
  });

  it('of some packages holds those, in any order and however often they are named', async () => {
    const all = await exporting(['0.1.0', '0.2.0', '0.3.0']);
    const [first, , third] = all.ids;
    const one = await ended(all, all.exports.start('ann', 'payloads', [third!, first!, third!]));
    expect([...(await unpacked(fileOf(all, one))).keys()].map((name) => name.split('-')[1])).toEqual(['0.1.0', '0.3.0']);
    expect(() => all.exports.start('ann', 'all', [first!, 'none'])).toThrow(code('REQUEST_INVALID'));
  });

  it('of an empty repository holds nothing but its index', async () => {
    const all = await exporting([]);
    const one = await ended(all, all.exports.start('ann', 'all', null));
    expect([...(await unpacked(fileOf(all, one))).keys()]).toEqual(['index.json']);
    const none = await ended(all, all.exports.start('ann', 'payloads', null));
    expect([...(await unpacked(fileOf(all, none))).keys()]).toEqual(['index.json']);
    expect(await importAll(all.room.repository, inPieces(fileOf(all, none)))).toEqual([]);
  });

  describe('takes the room of', () => {
    const bytesOfOne = async (): Promise<number> => {
      const all = await exporting();
      return (await ended(all, all.exports.start('ann', 'all', null))).result!.bytes;
    };

    it.each(['exports', 'artifacts'] as const)('those that have ended, the oldest first (limit of %s)', async (limited) => {
      const one = await bytesOfOne();
      const all = await exporting(undefined, { [`${limited}Bytes`]: 2 * one });
      const [first, second] = [await ended(all, all.exports.start('ann', 'all', null)), await ended(all, all.exports.start('bob', 'all', null))];
      const reading = await all.tasks.artifacts.read(first.result!.artifact);
      const third = await ended(all, all.exports.start('ann', 'all', null));
      expect([third.state, all.exports.list()]).toEqual(['done', [second, third]]);
      expect(all.tasks.artifacts.list().map(({ name }) => name)).toEqual([second.input.name, third.input.name]);
      // Who downloads it reads on.
      expect(await reading.readFile()).toHaveLength(one);
      await reading.close();
    });

    it('none that has not ended, nor of what other tasks have made; it is refused then, and none is let go of', async () => {
      const one = await bytesOfOne();
      const all = await exporting(undefined, { exportsBytes: one, artifactsBytes: 10 * one });
      let open = (): void => undefined;
      all.gate = new Promise((resolve) => (open = resolve));
      const first = all.exports.start('ann', 'all', null);
      expect(() => all.exports.start('bob', 'payloads', null)).toThrow(code('TASK_QUOTA'));
      open();
      await ended(all, first);
      const second = await ended(all, all.exports.start('bob', 'payloads', null));
      expect([second.state, all.exports.list()]).toEqual(['done', [second]]);
      const other = await all.tasks.artifacts.make({ task: 'other', name: 'other', about: {}, keptMs: 1e6, maxBytes: 1e6 });
      await other.write(Buffer.alloc(all.tasks.artifacts.freeBytes));
      expect(() => all.exports.start('ann', 'all', null)).toThrow(code('TASK_QUOTA'));
      expect(all.exports.list()).toEqual([second]);
      await other.abort();
      expect((await ended(all, all.exports.start('ann', 'all', null))).state).toBe('done');
    });
  });

  it('of the same is refused until it has ended, and keeps its packages; others wait their turn', async () => {
    const all = await exporting();
    let open = (): void => undefined;
    all.gate = new Promise((resolve) => (open = resolve));
    const one = all.exports.start('ann', 'all', null);
    expect(() => all.exports.start('bob', 'all', [...all.ids].reverse())).toThrow(code('TASK_RUNNING'));
    const two = all.exports.start('bob', 'payloads', null);
    const three = all.exports.start('bob', 'all', all.ids.slice(0, 1));
    expect([one, two, three].map(({ state }) => state)).toEqual(['running', 'pending', 'pending']);
    expect(new Set([one, two, three].map(({ input }) => input.name)).size).toBe(3);
    await expect(all.room.repository.remove(all.ids[0]!)).rejects.toThrow(code('PACKAGE_IN_USE'));
    open();
    for (const each of [one, two, three]) expect((await ended(all, each)).state).toBe('done');
    await all.room.repository.remove(all.ids[0]!);
    expect((await ended(all, all.exports.start('ann', 'all', null))).input.packages).toEqual([all.ids[1]]);
    expect([all.exports.find(one.input.number), all.exports.named(two.input.name), all.exports.find(1)]).toEqual([one, two, null]);
  });

  it('tells how far it is', async () => {
    const all = await exporting();
    let step = (): void => undefined;
    let isAsked = (): void => undefined;
    let asked = new Promise<void>((resolve) => (isAsked = resolve));
    Object.defineProperty(all, 'gate', {
      get: () => {
        isAsked();
        return new Promise<void>((resolve) => (step = resolve));
      },
    });
    const one = all.exports.start('ann', 'all', null);
    const seen: number[] = [];
    for (const before of [0, 1]) {
      await asked;
      asked = new Promise<void>((resolve) => (isAsked = resolve));
      const { packages, bytes } = all.exports.packed(one);
      expect(packages).toBe(before);
      seen.push(bytes);
      step();
    }
    await ended(all, one);
    expect(seen[0]).toBeGreaterThan(0);
    expect(seen[1]).toBeGreaterThan(seen[0]!);
    expect(all.exports.packed(one)).toEqual({ packages: 0, bytes: 0 });
  });

  it('is ended while it runs, and let go of with its ZIP when it has', async () => {
    const all = await exporting();
    all.gate = new Promise(() => undefined);
    const one = all.exports.start('ann', 'all', null);
    await all.exports.end(one);
    expect(one).toMatchObject({ state: 'cancelled', result: null });
    await all.room.repository.remove(all.ids[0]!);
    await all.exports.end(one);
    expect([all.exports.list(), all.tasks.artifacts.list()]).toEqual([[], []]);
    all.gate = Promise.resolve();
    const two = await ended(all, all.exports.start('ann', 'all', null));
    await all.exports.end(two);
    expect([all.exports.list(), all.tasks.artifacts.list()]).toEqual([[], []]);
  });

  it('of a package that rots fails, and leaves nothing', async () => {
    const all = await exporting();
    const { file } = all.room.repository.get(all.ids[1]!);
    const path = join(all.room.path, 'repository', file);
    const bytes = readFileSync(path);
    bytes[bytes.length >> 1]! ^= 1;
    writeFileSync(path, bytes);
    expect(await ended(all, all.exports.start('ann', 'all', null))).toMatchObject({ state: 'failed', error: { code: 'FILE_CHANGED' } });
    expect(all.tasks.artifacts.list()).toEqual([]);
  });

  it.runIf(requireOrSkip('the right to mount a file system', canMount()))('on a full disk fails, and leaves nothing', async () => {
    const { path } = temporaryFolder();
    await withSmallDisk(join(path, 'packages'), async () => {
      const all = await exporting(['0.1.0'], { path, exportsBytes: 1e9 });
      const large = await somePackage({ content: Buffer.from(Array.from({ length: 2 << 20 }, () => Math.floor(Math.random() * 256))) });
      await all.room.repository.import(inPieces(large, 1 << 16));
      const one = await ended(all, all.exports.start('ann', 'all', null));
      expect(one).toMatchObject({ state: 'failed', error: { code: 'OUTPUT_FAILED', message: expect.stringContaining('no space') as string } });
      expect((await ended(all, all.exports.start('ann', 'all', all.ids))).state).toBe('done');
      await all.tasks.close();
    });
  });
});

describe('what another repository makes of it', () => {
  const exported = async (versions?: string[]): Promise<Buffer> => {
    const all = await exporting(versions);
    return fileOf(all, await ended(all, all.exports.start('ann', 'all', null)));
  };

  it.each([1, 10, 1 << 20])('the same packages, once (pieces of %i bytes)', async (length) => {
    const bytes = await exported();
    const { repository } = await RepositoryRoom.open();
    const first = await importAll(repository, inPieces(bytes, length));
    expect([versionsOf(first), first.map(({ isNew }) => isNew)]).toEqual([
      ['0.1.0', '0.2.0'],
      [true, true],
    ]);
    expect((await importAll(repository, inPieces(bytes, length))).map(({ isNew }) => isNew)).toEqual([false, false]);
    // A package by itself goes the same way.
    expect(versionsOf(await importAll(repository, inPieces(await somePackage({ version: '0.9.0' }), length)))).toEqual(['0.9.0']);
    expect(repository.list()).toHaveLength(3);
  });

  it('of one that is cut anywhere: whole packages, or an error', async () => {
    const bytes = await exported();
    const end = bytes.indexOf(Buffer.from([0x50, 0x4b, 0x01, 0x02]));
    const room = await RepositoryRoom.open();
    const seen = new Set<number>();
    for (let at = 0; at < end; at += 37) {
      await expect(importAll(room.repository, inPieces(bytes.subarray(0, at)))).rejects.toThrow(code('PACKAGE_INVALID'));
      const kept = room.repository.list();
      expect(room.files()).toEqual(kept.map(({ file }) => file));
      seen.add(kept.length);
      for (const { id } of kept) await room.repository.remove(id);
    }
    expect([...seen]).toEqual([0, 1]);
  });

  it('of one in which a package was changed: those before it, and its name', async () => {
    const bytes = await exported();
    // Its name stands in the index, too.
    const name = 'spillway-0.2.0';
    const second = bytes.indexOf(name, bytes.indexOf(name) + 1);
    bytes[second + 200]! ^= 0x40;
    const room = await RepositoryRoom.open();
    const failure = await importAll(room.repository, inPieces(bytes)).catch((error: unknown) => error as SpillwayError);
    expect(failure).toMatchObject({
      code: expect.stringMatching(/^PACKAGE_/) as string,
      message: expect.stringContaining('spillway-0.2.0') as string,
    });
    expect([room.repository.list().map(({ version }) => version), room.files().length]).toEqual([['0.1.0'], 1]);
  });

  it('where keys are configured: nothing that nobody has signed', async () => {
    const room = await RepositoryRoom.open();
    room.keys.add(keyPair().pem, 'ours', { who: 'ann', address: 'local' });
    await expect(importAll(room.repository, inPieces(await exported()))).rejects.toThrow(code('PACKAGE_UNSIGNED'));
    expect(room.files()).toEqual([]);
  });

  it.each<[string, () => AsyncIterable<Uint8Array>]>([
    ['nothing', () => inPieces(Buffer.alloc(0))],
    ['neither', () => inPieces(Buffer.from('neither'))],
    ['ten million entries', () => entries(10_000_000)],
    ['an end that never ends', () => endless()],
  ])('of %s: an error, soon', async (_, bytes) => {
    const room = await RepositoryRoom.open();
    await expect(importAll(room.repository, bytes())).rejects.toThrow(code('PACKAGE_INVALID'));
    expect(room.files()).toEqual([]);
  });
});

/** Empty files of an archive, each named as the index is. */
async function* entries(count: number): AsyncGenerator<Uint8Array> {
  const header = Buffer.alloc(40);
  header.writeUInt32LE(0x04034b50, 0);
  header.writeUInt16LE(10, 26);
  header.write('index.json', 30);
  for (let i = 0; i < count; i += 100) yield Buffer.concat(Array.from({ length: 100 }, () => header));
}

async function* endless(): AsyncGenerator<Uint8Array> {
  for await (const piece of entries(100)) yield piece;
  yield Buffer.from([0x50, 0x4b, 0x05, 0x06]);
  for (;;) yield Buffer.alloc(1 << 16);
}
