/** What holds for tasks of every kind. A new kind is added to the list, and is held to all of it. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { diagnosticKind } from '../../src/bundle/diagnostic-kind.js';
import { supportKind } from '../../src/bundle/support-kind.js';
import { SpillwayError } from '../../src/errors.js';
import { isEnded } from '../../src/task/states.js';
import type { TaskKind } from '../../src/task/task.js';
import { exportKind } from '../../src/update/export-kind.js';
import { FakeDevices } from '../bundle/fake-devices.js';
import { canMount, withSmallDisk } from '../export/small-disk.js';
import { requireOrSkip } from '../setup/require.js';
import { temporaryFolder } from '../support/temporary.js';
import { exportInput, fakeRepository } from '../update/export-source.js';
import { openRoom, type Room } from './harness.js';

const SECRET = 'correct-horse-battery-staple';

type AnyKind = TaskKind<never, never, unknown>;

interface Case {
  make(devices: FakeDevices): AnyKind;
  /** Of this probe, and of the peer `::9`. */
  own: unknown;
  peer: unknown;
  secrets: unknown;
  /** How many artifacts a whole run leaves. */
  artifacts: number;
}

const sections = { configuration: true, event_logs: false, statistics: false, status: false, system_log: false, user_credentials: false };

const KINDS: Record<string, Case> = {
  'diagnostic-package': {
    make: (devices) => diagnosticKind(devices),
    own: { verbosity: 'base', ...sections, target: null },
    peer: { verbosity: 'base', ...sections, target: '::9' },
    secrets: { passphrase: SECRET },
    artifacts: 1,
  },
  'support-packages': {
    make: (devices) => supportKind(devices),
    own: { devices: [{ address: 'localhost', profile: null }], request: { uri: '/', body: {} } },
    peer: { devices: [{ address: '::9', profile: null }], request: { uri: '/', body: {} } },
    secrets: null,
    artifacts: 1,
  },
  'repository-export': {
    make: (devices) => exportKind(fakeRepository(devices)),
    own: exportInput('own'),
    peer: exportInput('::9'),
    secrets: null,
    artifacts: 1,
  },
};

const filesOf = ({ folder }: Room): string[] => readdirSync(join(folder, 'packages'));

describe.each(Object.entries(KINDS))('a task of the kind %s', (name, { make, own, peer, secrets, artifacts }) => {
  const open = async (folder?: string) => {
    const devices = new FakeDevices();
    const kind = make(devices);
    const room = await openRoom([kind], folder);
    const create = (input: unknown = own) => room.tasks.create(kind, 'ann', input as never, secrets as never);
    return { devices, kind, room, create };
  };

  it('has its name, and bounds', async () => {
    const { kind } = await open();
    expect(kind.name).toBe(name);
    for (const bound of [kind.runningAtOnce, kind.activeAtOnce, kind.runMs, kind.keptMs, kind.artifactsKeptMs]) expect(bound).toBeGreaterThan(0);
    expect(kind.artifactsKeptMs).toBeLessThanOrEqual(30 * 24 * 3_600_000);
  });

  it.each(['own', 'peer'])('runs to its end and leaves what it made (%s)', async (which) => {
    const { devices, room, create } = await open();
    devices.add('::9');
    const { id } = create(which === 'own' ? own : peer);
    const task = await room.tasks.ended(id);
    expect(task).toMatchObject({ state: 'done', progress: 100, error: null, owner: 'ann' });
    expect(task.result).not.toBeNull();
    expect(room.artifacts.list()).toHaveLength(artifacts);
    for (const artifact of room.artifacts.list()) {
      expect(artifact.task).toBe(id);
      const { mode, size } = statSync(join(room.folder, 'packages', artifact.id));
      expect([mode & 0o777, size]).toEqual([0o600, artifact.bytes]);
    }
  });

  it('writes its secrets nowhere', async () => {
    const { devices, room, create } = await open();
    devices.shut();
    create();
    await room.tasks.close();
    const files = readdirSync(room.folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    expect(files.length).toBeGreaterThan(0);
    for (const { parentPath, name: file } of files) expect(readFileSync(join(parentPath, file)).includes(SECRET)).toBe(false);
    devices.open();
  });

  it.each(['PEER_FAILED', 'DISK_FULL', 'TASK_QUOTA'] as const)('that fails (%s) says why and leaves no file', async (code) => {
    const { devices, room, create } = await open();
    devices.add('::9', async ({ sink }) => {
      await sink.write(Buffer.alloc(1000));
      throw new SpillwayError(code, 'the test says so');
    });
    const task = await room.tasks.ended(create(peer).id);
    expect(task).toMatchObject({ state: 'failed', error: { code } });
    expect(task.error!.message).toContain('the test says so');
    expect(filesOf(room)).toEqual([]);
  });

  it('that is dropped half-way by kill -9 has failed at the next start, and no part of a file is there', async () => {
    const { devices, room, create } = await open();
    let begun = (): void => undefined;
    const writing = new Promise<void>((resolve) => (begun = resolve));
    let end = (): void => undefined;
    devices.add('::9', async ({ sink }) => {
      await sink.write(Buffer.alloc(1000));
      begun();
      await new Promise<void>((resolve) => (end = resolve));
    });
    const { id } = create(peer);
    await writing;
    room.drop();
    expect(filesOf(room)).toHaveLength(1);
    const after = await open(room.folder);
    expect(after.room.tasks.find(id)).toMatchObject({ state: 'failed', error: { code: 'INTERRUPTED' } });
    expect(filesOf(after.room)).toEqual([]);
    expect(after.room.artifacts.list()).toEqual([]);
    end();
  });

  it('is still there behind a restart, with what it made', async () => {
    const { room, create } = await open();
    const { id } = create();
    const before = await room.tasks.ended(id);
    await room.close();
    const after = await open(room.folder);
    expect(after.room.tasks.find(id)).toMatchObject({ state: before.state, result: before.result, input: before.input });
    expect(after.room.artifacts.list()).toHaveLength(artifacts);
  });

  it('is cancelled, or says that it can not be', async () => {
    const { devices, kind, room, create } = await open();
    devices.shut();
    const task = create();
    if (!kind.isCancellable) {
      expect(() => room.tasks.cancel(task.id)).toThrow(expect.objectContaining({ code: 'TASK_STATE' }) as Error);
      devices.open();
      return expect((await room.tasks.ended(task.id)).state).toBe('done');
    }
    room.tasks.cancel(task.id);
    expect(await room.tasks.ended(task.id)).toMatchObject({ state: 'cancelled', error: { code: 'CANCELLED' } });
    expect(filesOf(room)).toEqual([]);
  });

  it('is refused where too many wait', async () => {
    const { devices, kind, room, create } = await open();
    devices.shut();
    const made = Array.from({ length: kind.activeAtOnce }, () => create());
    expect(() => create()).toThrow(expect.objectContaining({ code: 'TOO_MANY_TASKS' }) as Error);
    devices.open();
    for (const { id } of made) expect((await room.tasks.ended(id)).state).toBe('done');
    await room.tasks.ended(create().id);
  });

  it('steps forward only', async () => {
    const { devices, room, create } = await open();
    const seen: number[] = [];
    devices.add('::9', async ({ sink, progress }) => {
      for (const done of [0, 0.5, 0.2, 1]) {
        progress(done, 'a step');
        seen.push(task.progress);
      }
      await sink.write(Buffer.from('x'));
    });
    const task = create(peer);
    await room.tasks.ended(task.id);
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
    expect(isEnded(task.state)).toBe(true);
  });
});

describe('a collection from several devices', () => {
  it('is partly done where one of them fails, and the others are unharmed', async () => {
    const devices = new FakeDevices();
    const kind = supportKind(devices);
    const room = await openRoom([kind]);
    devices.add('::1:good');
    devices.add('::1:empty', async () => undefined);
    devices.add('::1:bad', () => Promise.reject(new SpillwayError('PEER_UNREACHABLE', 'nobody is there')));
    devices.add('::1:broken', () => Promise.reject(new Error('a defect that says /too/much')));
    const list = ['::1:bad', '::1:good', 'localhost', '::1:empty', '::1:broken'].map((address) => ({ address, profile: null }));
    const { id } = room.tasks.create(kind, 'ann', { devices: list, request: { uri: '/', body: {} } }, null);
    const { state, result } = (await room.tasks.ended(id)) as { state: string; result: { packages: { address: string }[]; failures: object[] } };
    expect(state).toBe('partial');
    expect(result.packages.map(({ address }) => address).sort()).toEqual(['::1:good', 'localhost']);
    expect(result.failures).toEqual(
      expect.arrayContaining([
        { address: '::1:bad', code: 'PEER_UNREACHABLE', message: 'nobody is there' },
        { address: '::1:empty', code: 'PEER_FAILED', message: 'the package is empty' },
        { address: '::1:broken', code: 'INTERNAL', message: 'the probe failed in a way it does not know' },
      ]),
    );
    expect(room.artifacts.list().every(({ bytes }) => bytes > 0)).toBe(true);
    expect(room.artifacts.list()).toHaveLength(2);
  });

  it.runIf(requireOrSkip('root, to mount a small disk', canMount()))(
    'whose disk is full in the middle of one leaves nothing of that one',
    async () => {
      const devices = new FakeDevices();
      const kind = supportKind(devices);
      let isThere = (): void => undefined;
      const small = new Promise<void>((resolve) => (isThere = resolve));
      devices.add('::1:small', ({ sink }) => sink.write(Buffer.from('x')).then(isThere));
      devices.add('::1:large', ({ sink }) => small.then(() => sink.write(Buffer.alloc(3 << 20, 'x'))));
      const { path } = temporaryFolder();
      await withSmallDisk(join(path, 'packages'), async () => {
        const room = await openRoom([kind], path);
        const list = ['::1:large', '::1:small'].map((address) => ({ address, profile: null }));
        const { id } = room.tasks.create(kind, 'ann', { devices: list, request: { uri: '/', body: {} } }, null);
        const { state, result } = (await room.tasks.ended(id)) as { state: string; result: { failures: object[] } };
        expect(state).toBe('partial');
        expect(result.failures).toEqual([
          { address: '::1:large', code: 'OUTPUT_FAILED', message: expect.stringContaining('no space left') as string },
        ]);
        expect(filesOf(room)).toEqual(room.artifacts.list().map((artifact) => artifact.id));
        expect(room.artifacts.list().map(({ about }) => about['address'])).toEqual(['::1:small']);
        await room.close();
      });
    },
  );
});
