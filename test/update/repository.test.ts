/** The repository: whole or invisible, once for each release, within its quota, and what a restart makes of it. */
import { createHash } from 'node:crypto';
import { readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { SpillwayError } from '../../src/errors.js';
import { FileSink } from '../../src/state/file-sink.js';
import { canMount, withSmallDisk } from '../export/small-disk.js';
import { requireOrSkip } from '../setup/require.js';
import { temporaryFolder } from '../support/temporary.js';
import { RepositoryRoom } from './repository-room.js';
import { inPieces, keyPair, somePackage } from './some-package.js';

afterEach(() => void vi.restoreAllMocks());

const BY = { who: 'ann', address: 'local' };
const code = (wanted: string) => expect.objectContaining({ code: wanted }) as Error;
const noise = (bytes: number): Uint8Array => {
  const made = Buffer.alloc(bytes);
  for (let i = 0; i < bytes; i += 32) createHash('sha256').update(String(i)).digest().copy(made, i);
  return made;
};

async function all(bytes: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of bytes) pieces.push(piece);
  return Buffer.concat(pieces);
}

describe('a package', () => {
  it('is kept as it came, with what it says of itself', async () => {
    const room = await RepositoryRoom.open();
    const file = await somePackage({ version: '0.3.0', createdMs: 77, architecture: 'arm64' });
    const { package: made, isNew } = await room.repository.import(inPieces(file));
    const sha256 = createHash('sha256').update(file).digest('hex');
    expect(isNew).toBe(true);
    expect(made).toMatchObject({
      id: expect.stringMatching(/^[0-9a-f]{24}$/) as string,
      version: '0.3.0',
      platform: 'linux',
      architecture: 'arm64',
      node: '>=20',
      bytes: file.length,
      sha256,
      crc32: crc32(file),
      signer: null,
      madeMs: 77,
    });
    expect(room.repository.list()).toEqual([made]);
    expect(room.files()).toEqual([made.file]);
    expect(statSync(join(room.path, 'repository', made.file)).mode & 0o777).toBe(0o600);
    expect(await all(room.repository.bytes(made.id))).toEqual(file);
    room.close();
    const after = await RepositoryRoom.open(room.path);
    expect(after.repository.list()).toEqual([made]);
    expect(await all(after.repository.bytes(made.id))).toEqual(file);
  });

  it('is taken once, however often it comes, also at the same moment', async () => {
    const room = await RepositoryRoom.open();
    const file = await somePackage();
    const imported = await Promise.all([1, 7, 100].map((length) => room.repository.import(inPieces(file, length))));
    expect(imported.map(({ isNew }) => isNew).filter(Boolean)).toHaveLength(1);
    expect(new Set(imported.map((each) => each.package)).size).toBe(1);
    expect(await room.repository.import(inPieces(file))).toMatchObject({ isNew: false });
    expect([room.repository.list().length, room.files().length]).toEqual([1, 1]);
  });

  it('gives way to another file of the same release, unless something needs it', async () => {
    const room = await RepositoryRoom.open();
    const { key, pem } = keyPair();
    const { package: first } = await room.repository.import(inPieces(await somePackage()));
    const { fingerprint } = room.keys.add(pem, 'ours', BY);
    const signed = await somePackage({ key });
    const free = room.repository.pin(first.id);
    await expect(room.repository.import(inPieces(signed))).rejects.toThrow(code('PACKAGE_IN_USE'));
    expect([room.repository.list(), room.files()]).toEqual([[first], [first.file]]);
    const reading = room.repository.bytes(first.id);
    const begin = await reading.next();
    free();
    const { package: second, isNew } = await room.repository.import(inPieces(signed));
    expect([second.id, isNew, second.signer]).toEqual([first.id, true, fingerprint]);
    expect([room.repository.list(), room.files()]).toEqual([[second], [second.file]]);
    // Who reads the one of before reads on.
    expect(Buffer.concat([begin.value as Uint8Array, await all(reading)])).toEqual(await somePackage());
  });

  it('is written down for good before another one goes, and before anybody is told', async () => {
    const room = await RepositoryRoom.open();
    room.db.exec(`CREATE TEMP TABLE seen (level);
      CREATE TEMP TRIGGER written AFTER INSERT ON main.update_packages BEGIN INSERT INTO seen SELECT synchronous FROM pragma_synchronous; END`);
    for (const createdMs of [1, 2]) await room.repository.import(inPieces(await somePackage({ createdMs })));
    const [FULL, NORMAL] = [2, 1];
    expect(room.db.prepare('SELECT level FROM seen').all()).toEqual([{ level: FULL }, { level: FULL }]);
    expect(room.db.prepare('PRAGMA synchronous').get()).toMatchObject({ synchronous: NORMAL });
  });

  it('is removed, unless something needs it; who reads it reads on', async () => {
    const room = await RepositoryRoom.open();
    const file = await somePackage();
    const { id } = (await room.repository.import(inPieces(file))).package;
    const [one, two] = [room.repository.pin(id), room.repository.pin(id)];
    one();
    one();
    await expect(room.repository.remove(id)).rejects.toThrow(code('PACKAGE_IN_USE'));
    two();
    const handle = await room.repository.read(id);
    await room.repository.remove(id);
    expect([room.repository.list(), room.files()]).toEqual([[], []]);
    expect(await handle.readFile()).toEqual(file);
    await handle.close();
    for (const gone of [() => room.repository.remove(id), () => room.repository.read(id), async () => room.repository.pin(id)])
      await expect(gone()).rejects.toThrow(code('PACKAGE_NOT_FOUND'));
    expect(await room.repository.import(inPieces(file))).toMatchObject({ isNew: true });
  });

  it('that rots on its disk is found out when it is read', async () => {
    const room = await RepositoryRoom.open();
    const { id, file, bytes } = (await room.repository.import(inPieces(await somePackage()))).package;
    writeFileSync(join(room.path, 'repository', file), Buffer.alloc(bytes));
    await expect(all(room.repository.bytes(id))).rejects.toThrow(code('FILE_CHANGED'));
  });
});

describe('what is refused leaves nothing behind', () => {
  const good = somePackage({ content: noise(200_000) });
  const cases: [string, string, () => Promise<AsyncIterable<Uint8Array>>][] = [
    ['nothing', 'PACKAGE_INVALID', async () => inPieces(Buffer.alloc(0))],
    ['no package', 'PACKAGE_INVALID', async () => inPieces(Buffer.from('hello'))],
    ['half of one', 'PACKAGE_INVALID', async () => inPieces((await good).subarray(0, 100_000))],
    ['all but its last byte', 'PACKAGE_INVALID', async () => inPieces((await good).subarray(0, -1))],
    ['one and something behind it', 'PACKAGE_INVALID', async () => inPieces(Buffer.concat([await good, Buffer.from('more')]))],
    ['one and much behind it', 'PACKAGE_INVALID', async () => inPieces(Buffer.concat([await good, noise(1 << 20)]))],
    [
      'a client that leaves',
      'CLIENT_LEFT',
      async () =>
        (async function* () {
          yield (await good).subarray(0, 100_000);
          throw new SpillwayError('CLIENT_LEFT', 'the client left');
        })(),
    ],
  ];
  it.each(cases)('%s (%s)', async (_, wanted, bytes) => {
    const room = await RepositoryRoom.open();
    await expect(room.repository.import(await bytes())).rejects.toThrow(code(wanted));
    expect([room.repository.list(), room.files(), room.table.all()]).toEqual([[], [], []]);
    expect(await room.repository.import(inPieces(await good))).toMatchObject({ isNew: true });
  });

  it('what nobody of the known has signed, once keys are there', async () => {
    const room = await RepositoryRoom.open();
    const [ours, theirs] = [keyPair(), keyPair()];
    room.keys.add(ours.pem, 'ours', BY);
    await expect(room.repository.import(inPieces(await somePackage()))).rejects.toThrow(code('PACKAGE_UNSIGNED'));
    await expect(room.repository.import(inPieces(await somePackage({ key: theirs.key })))).rejects.toThrow(code('PACKAGE_TAMPERED'));
    expect(room.files()).toEqual([]);
    expect((await room.repository.import(inPieces(await somePackage({ key: ours.key })))).isNew).toBe(true);
  });

  it('what is not signed by the keys of the moment in which all of it is there', async () => {
    const room = await RepositoryRoom.open();
    const [ours, theirs] = [keyPair(), keyPair()];
    const changing = async function* (file: Buffer, change: () => void): AsyncGenerator<Uint8Array> {
      yield file.subarray(0, -1);
      change();
      yield file.subarray(-1);
    };
    const addOurs = (): void => void room.keys.add(ours.pem, 'ours', BY);
    const removeAll = (): void => room.keys.list().forEach(({ fingerprint }) => room.keys.remove(fingerprint, BY));
    const change = (): void => {
      removeAll();
      addOurs();
    };
    const [plain, signed] = [await somePackage(), await somePackage({ key: ours.key })];
    await expect(room.repository.import(changing(plain, addOurs))).rejects.toThrow(code('PACKAGE_UNSIGNED'));
    removeAll();
    room.keys.add(theirs.pem, 'theirs', BY);
    await expect(room.repository.import(changing(await somePackage({ key: theirs.key }), change))).rejects.toThrow(code('PACKAGE_TAMPERED'));
    expect([room.repository.list(), room.files()]).toEqual([[], []]);
    removeAll();
    const taken = await room.repository.import(changing(signed, addOurs));
    expect(taken.package.signer).toBe(room.keys.list()[0]!.fingerprint);
  });

  it('one of which a piece comes too late: by its own code, and it takes no room', async () => {
    const file = await somePackage();
    const room = await RepositoryRoom.open(undefined, { limits: { packageBytes: 1e6, repositoryBytes: file.length + 10, packages: 9 } });
    const { fingerprint } = room.keys.add(keyPair().pem, 'ours', BY);
    for (const when of ['before', 'behind']) {
      let goOn = (): void => undefined;
      const going = new Promise<void>((resolve) => (goOn = resolve));
      let isTaken = (): void => undefined;
      const taken = new Promise<void>((resolve) => (isTaken = resolve));
      const late = async (): Promise<void> => {
        goOn();
        await taken;
        await new Promise(setImmediate);
      };
      const bytes = async function* (): AsyncGenerator<Uint8Array> {
        try {
          yield file;
          await going;
          yield Buffer.alloc(100);
        } finally {
          isTaken();
        }
      };
      const abort = FileSink.prototype.abort;
      vi.spyOn(FileSink.prototype, 'abort').mockImplementationOnce(async function (this: FileSink) {
        await abort.call(this);
        if (when === 'before') await late();
      });
      await expect(room.repository.import(bytes())).rejects.toThrow(code('PACKAGE_UNSIGNED'));
      await late();
    }
    room.keys.remove(fingerprint, BY);
    expect((await room.repository.import(inPieces(file))).isNew).toBe(true);
  });

  it('an import that is given up', async () => {
    const room = await RepositoryRoom.open();
    const file = await good;
    const gone = new AbortController();
    const bytes = async function* (): AsyncGenerator<Uint8Array> {
      yield file.subarray(0, 1000);
      gone.abort(new SpillwayError('CANCELLED', 'given up'));
      yield file.subarray(1000);
    };
    await expect(room.repository.import(bytes(), gone.signal)).rejects.toThrow(code('CANCELLED'));
    expect(room.files()).toEqual([]);
  });
});

describe('the limits', () => {
  it.each([
    ['of a package', { packageBytes: 1000, repositoryBytes: 1e6, packages: 9 }, 'UPLOAD_TOO_LARGE'],
    ['of all packages', { packageBytes: 1e6, repositoryBytes: 30_400, packages: 9 }, 'TASK_QUOTA'],
    ['of their number', { packageBytes: 1e6, repositoryBytes: 1e6, packages: 1 }, 'TASK_QUOTA'],
  ])('%s', async (_, limits, wanted) => {
    const room = await RepositoryRoom.open(undefined, { limits });
    const small = await somePackage();
    const { id } = (await room.repository.import(inPieces(small))).package;
    const other = (): AsyncGenerator<Uint8Array> => inPieces(file);
    const file = await somePackage({ version: '0.9.0', content: noise(29_500) });
    await expect(room.repository.import(other())).rejects.toThrow(code(wanted));
    // What failed takes no room, and what is there already needs none.
    expect(room.files()).toHaveLength(1);
    expect((await room.repository.import(inPieces(small))).isNew).toBe(false);
    await room.repository.remove(id);
    if (wanted === 'TASK_QUOTA') expect((await room.repository.import(other())).isNew).toBe(true);
  });

  it('of imports at once', async () => {
    const room = await RepositoryRoom.open();
    const file = await somePackage();
    let go = (): void => undefined;
    const waiting = new Promise<void>((resolve) => (go = resolve));
    const slow = async function* (): AsyncGenerator<Uint8Array> {
      await waiting;
      yield file;
    };
    const first = Array.from({ length: 4 }, () => room.repository.import(slow()));
    await expect(room.repository.import(slow())).rejects.toThrow(code('TOO_MANY_UPLOADS'));
    go();
    expect((await Promise.all(first)).filter(({ isNew }) => isNew)).toHaveLength(1);
    expect((await room.repository.import(slow())).isNew).toBe(false);
  });
});

describe('a restart', () => {
  it('sweeps what was not finished, and forgets what is not whole any more', async () => {
    const room = await RepositoryRoom.open();
    const { package: kept } = await room.repository.import(inPieces(await somePackage()));
    const { package: cut } = await room.repository.import(inPieces(await somePackage({ version: '0.4.0' })));
    let isWriting = (): void => undefined;
    const writing = new Promise<void>((resolve) => (isWriting = resolve));
    let end = (): void => undefined;
    const file = await somePackage({ version: '0.5.0', content: noise(100_000) });
    const importing = room.repository.import(
      (async function* () {
        yield file.subarray(0, 90_000);
        isWriting();
        await new Promise<void>((resolve) => (end = resolve));
      })(),
    );
    await writing;
    // As kill -9 leaves it: one is half written, another was renamed and never written down.
    writeFileSync(join(room.path, 'repository', 'f'.repeat(24)), file);
    truncateSync(join(room.path, 'repository', cut.file), 10);
    expect(room.files()).toHaveLength(4);
    room.close();
    const after = await RepositoryRoom.open(room.path);
    expect([after.repository.list(), after.files()]).toEqual([[kept], [kept.file]]);
    expect(after.table.all()).toEqual([kept]);
    expect(after.reports).toEqual([code('FILE_CHANGED')]);
    end();
    await expect(importing).rejects.toThrow();
  });
});

describe.runIf(requireOrSkip('the right to mount a file system', canMount()))('on a full disk', () => {
  it('nothing is left, and what fits is still taken', async () => {
    const { path } = temporaryFolder();
    await withSmallDisk(join(path, 'repository'), async () => {
      const room = await RepositoryRoom.open(path);
      const large = await somePackage({ content: noise(2 << 20) });
      await expect(room.repository.import(inPieces(large, 10_000))).rejects.toThrow(code('DISK_FULL'));
      expect([room.repository.list(), room.files()]).toEqual([[], []]);
      const small = await somePackage();
      const { file } = (await room.repository.import(inPieces(small))).package;
      expect(readFileSync(join(path, 'repository', file))).toEqual(small);
      room.close();
    });
  });

  it.each(['open', 'finish'] as const)('that is met at %s as well', async (step) => {
    const room = await RepositoryRoom.open();
    const file = await somePackage();
    const full = new SpillwayError('OUTPUT_FAILED', 'writing failed', { errno: 'ENOSPC' });
    if (step === 'open') vi.spyOn(FileSink, 'open').mockRejectedValueOnce(full);
    else vi.spyOn(FileSink.prototype, 'finish').mockRejectedValueOnce(full);
    await expect(room.repository.import(inPieces(file))).rejects.toThrow(code('DISK_FULL'));
    expect([room.repository.list(), room.files()]).toEqual([[], []]);
    expect((await room.repository.import(inPieces(file))).isNew).toBe(true);
  });

  it.each(['SQLITE_FULL', 'ENOSPC'])('of the database (%s) as well', async (errno) => {
    const room = await RepositoryRoom.open();
    const save = room.table.save.bind(room.table);
    room.table.save = () => {
      throw Object.assign(new Error('database or disk is full'), { code: errno });
    };
    const file = await somePackage();
    await expect(room.repository.import(inPieces(file))).rejects.toThrow(code('DISK_FULL'));
    expect([room.repository.list(), room.files()]).toEqual([[], []]);
    room.table.save = save;
    expect((await room.repository.import(inPieces(file))).isNew).toBe(true);
  });
});

describe('a package that cannot be removed from the database', () => {
  it('goes all the same, its file first, and a restart finds its row alone', async () => {
    const room = await RepositoryRoom.open();
    const { id } = (await room.repository.import(inPieces(await somePackage()))).package;
    const left: string[][] = [];
    room.table.remove = () => {
      left.push(room.files());
      throw Object.assign(new Error('database or disk is full'), { code: 'SQLITE_FULL' });
    };
    await room.repository.remove(id);
    expect([left, room.repository.list(), room.reports]).toEqual([[[]], [], [code('SQLITE_FULL')]]);
    room.close();
    const after = await RepositoryRoom.open(room.path);
    expect([after.repository.list(), after.table.all()]).toEqual([[], []]);
  });
});

describe('keys', () => {
  it('are kept, listed, audited and removed', async () => {
    const room = await RepositoryRoom.open();
    const { pem } = keyPair();
    const added = room.keys.add(pem, 'ours', BY);
    expect(added).toMatchObject({ name: 'ours', pem, fingerprint: expect.stringMatching(/^[0-9a-f]{64}$/) as string });
    expect(() => room.keys.add(pem, 'again', BY)).toThrow(code('KEY_EXISTS'));
    room.close();
    const after = await RepositoryRoom.open(room.path);
    expect([after.keys.list(), after.keys.keys().length]).toEqual([[added], 1]);
    after.keys.remove(added.fingerprint, BY);
    expect([after.keys.list(), after.keys.keys()]).toEqual([[], []]);
    expect(() => after.keys.remove(added.fingerprint, BY)).toThrow(code('KEY_NOT_FOUND'));
    expect([...room.noted, ...after.noted]).toEqual([
      { ...BY, action: 'update_key_added', what: `ours: ${added.fingerprint}` },
      { ...BY, action: 'update_key_deleted', what: `ours: ${added.fingerprint}` },
    ]);
  });

  it('are bounded, and are no private keys and no others', async () => {
    const { keys } = await RepositoryRoom.open();
    const { key, pem } = keyPair();
    const secret = key.export({ type: 'pkcs8', format: 'pem' }).toString();
    for (const bad of ['', 'x', secret, `${pem}${'x'.repeat(5000)}`]) expect(() => keys.add(bad, 'bad', BY)).toThrow(code('KEY_INVALID'));
    for (const name of ['', 'a\nb', 'x'.repeat(101)]) expect(() => keys.add(pem, name, BY)).toThrow(code('REQUEST_INVALID'));
    for (let i = 0; i < 16; i++) keys.add(keyPair().pem, `${i}`, BY);
    expect(() => keys.add(pem, 'one more', BY)).toThrow(code('TOO_MANY_KEYS'));
  });
});
