/** A probe that updates itself: what is told of every end of it, and that what has failed is not started. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { SpillwayError } from '../../src/errors.js';
import { ended, Half, RECEIVED, type InstallStatus } from '../../src/update/install.js';
import { FOLLOW_PATIENCE } from '../../src/update/limits.js';
import type { Ended } from '../../src/task/task.js';
import { canMount, withSmallDisk } from '../export/small-disk.js';
import { requireOrSkip } from '../setup/require.js';
import { temporaryFolder } from '../support/temporary.js';
import { member, pack, type Member, type Pack } from './member-rooms.js';

const SOON = { timeout: 20_000, interval: 5 };
const releases = temporaryFolder();
let good: Pack;
let slow: Pack;
beforeAll(async () => {
  good = await pack(releases.path);
  slow = await pack(releases.path, { program: `setTimeout(() => console.log('9.1.0'), 60_000);` });
});

interface Run {
  end: Promise<Ended<InstallStatus>>;
  stop: (code: 'TASK_TIMEOUT' | 'INTERRUPTED') => void;
  told: InstallStatus[];
}

/** Without the tasks around it, which stop it by a clock. */
function run(probe: Member, about: Pack): Run {
  const controller = new AbortController();
  const told: InstallStatus[] = [];
  const work = { id: 'f'.repeat(24), owner: 'ann', input: probe.wish(about), secrets: null, signal: controller.signal, before: null };
  const end = probe.kind.run({
    ...work,
    progress: () => undefined,
    note: (status) => void told.push(status),
    artifact: () => Promise.reject(new Error('it makes none')),
  });
  return { end, told, stop: (code) => controller.abort(new SpillwayError(code, 'the test says so')) };
}

/** Moments of an update, from the first to the last. */
const MOMENTS = {
  'is fetched': async () => {
    const probe = await member((_, response) => void response.writeHead(200, { 'content-length': good.bytes.length }).write('x'));
    return { probe, ...run(probe, good), isNow: () => probe.fake.heard.length > 0 };
  },
  'is tried': async () => {
    const probe = await member(slow);
    return { probe, ...run(probe, slow), isNow: () => probe.slots.read().slots.a !== null };
  },
  'waits for its restart': async () => {
    const probe = await member(good);
    return { probe, ...run(probe, good), isNow: () => probe.restarts === 1 };
  },
};
const WORDS = { 'is fetched': 'DOWNLOAD_FAILED', 'is tried': 'IMAGE_INSTALL_FAILED', 'waits for its restart': 'IMAGE_ACTIVATION_FAILED' } as const;
const moments = Object.keys(MOMENTS) as (keyof typeof MOMENTS)[];

const halves = ({ download_status, install_status }: InstallStatus): string[] => [download_status.status, install_status.status];

describe('an update', () => {
  it.each(moments)('that is out of time while it %s has failed in that step, and is not started', async (moment) => {
    const { probe, end, stop, isNow } = await MOMENTS[moment]();
    await expect.poll(isNow, SOON).toBe(true);
    stop('TASK_TIMEOUT');
    const { state, result, error } = await end;
    expect({ state, error }).toMatchObject({ state: 'failed', error: { code: 'TASK_TIMEOUT' } });
    expect(result).toMatchObject({ update_progress_status: 'FAILED', error: WORDS[moment], detail: 'the test says so' });
    for (const half of [result.download_status, result.install_status]) {
      expect(half.status).not.toMatch(/_IN_PROGRESS$/);
      if (half.status.endsWith('_FAILED')) expect(half).toMatchObject({ detail: 'the test says so', end_time: expect.any(Number) as number });
      if (half.status !== 'IDLE') expect(half.end_time).toBeGreaterThan(0);
    }
    expect(probe.slots.read()).toMatchObject({ active: 'installed', trial: null });
    expect(probe.slots.begin()).toBe('installed');
  });

  it.each(moments)('that the end of the server meets while it %s is left to the next one', async (moment) => {
    const { probe, end, stop, isNow } = await MOMENTS[moment]();
    await expect.poll(isNow, SOON).toBe(true);
    stop('INTERRUPTED');
    await expect(end).rejects.toMatchObject({ code: 'INTERRUPTED' });
    expect(probe.slots.read().trial === null).toBe(moment !== 'waits for its restart');
  });

  it('has ended before whoever follows it gives it up', async () => {
    const { kind } = await member(good);
    expect(kind.runMs).toBeLessThan(FOLLOW_PATIENCE.memberMs);
  });

  it('tells how much there is to unpack, and how much is unpacked', async () => {
    const about = await pack(releases.path, { fillBytes: 5000 });
    const { end, told, stop } = run(await member(about), about);
    await expect.poll(() => told.at(-1)!.update_progress_status, SOON).toBe('REBOOT_IN_PROGRESS');
    stop('INTERRUPTED');
    await expect(end).rejects.toThrow();
    const [begun] = told.filter(({ update_progress_status: step }) => step === 'INSTALL_IN_PROGRESS');
    const bytes = begun!.install_status.total_bytes;
    expect(bytes).toBeGreaterThan(5000);
    expect(told.at(-1)!.install_status).toMatchObject({ progress: 100, bytes, total_bytes: bytes });
  });
});

describe('an update that the next server finds, which was started so that it can not be updated,', () => {
  const off = { state: 'failed', error: { code: 'UPDATES_OFF' }, result: { update_progress_status: 'FAILED', error: 'IMAGE_INSTALL_FAILED' } };

  it('has failed, and nothing more is fetched', async () => {
    const probe = await member((_, response) => void response.writeHead(200, { 'content-length': good.bytes.length }).write('x'));
    void probe.install(good);
    await expect.poll(() => probe.fake.heard.length, SOON).toBe(1);
    probe.hasLauncher = false;
    await probe.restart();
    const [task] = probe.room.tasks.list();
    const { result } = await probe.room.tasks.ended(task!.id);
    expect(task).toMatchObject(off);
    expect(halves(result as InstallStatus)).toEqual(['DOWNLOAD_FAILED', 'IDLE']);
    expect(probe.fake.heard).toHaveLength(1);
  });

  it('is not tried later, where it was switched to', async () => {
    const probe = await member(good);
    const { id } = await probe.install(good);
    probe.hasLauncher = false;
    await probe.restart();
    expect(await probe.room.tasks.ended(id)).toMatchObject(off);
    expect(probe.fake.heard).toHaveLength(1);
    expect(probe.slots.begin()).toBe('installed');
    expect(probe.slots.read()).toMatchObject({ active: 'installed', trial: null, slots: { a: { version: '9.1.0' } } });
  });

  it('has succeeded, where it had before', async () => {
    const probe = await member(good);
    const { id } = await probe.install(good);
    probe.hasLauncher = false;
    await probe.restart(() => probe.slots.confirm());
    expect(await probe.room.tasks.ended(id)).toMatchObject({ state: 'done', result: { update_progress_status: 'SUCCESS' } });
  });
});

it.runIf(requireOrSkip('root, to mount a small disk', canMount()))('a disk without an inode for the download is full', async () => {
  const { path: folder } = temporaryFolder();
  const updates = join(folder, 'updates');
  const fill = async (): Promise<void> => {
    mkdirSync(join(updates, 'downloads'));
    expect(() => {
      for (let i = 0; i < 10; i++) writeFileSync(join(updates, `f${i}`), '');
    }).toThrow(/ENOSPC/);
    const probe = await member(good, {}, folder);
    expect(await probe.install(good)).toMatchObject({ state: 'failed', error: { code: 'DISK_FULL' }, result: { error: 'DOWNLOAD_FAILED' } });
  };
  await withSmallDisk(updates, fill, 'size=1m,nr_inodes=6');
});

describe('what is told of an update', () => {
  it('whose run told no end is one, with its reason, in the step that it told last', () => {
    const fetching: InstallStatus = {
      ...RECEIVED,
      update_progress_status: 'DOWNLOAD_IN_PROGRESS',
      download_status: new Half('DOWNLOAD', 100).at(50),
    };
    const fetched = { ...fetching.download_status, status: 'DOWNLOAD_SUCCESS' } as const;
    const installing = new Half('INSTALL', 200);
    const unpacking: InstallStatus = {
      ...{ ...fetching, download_status: fetched },
      ...{ update_progress_status: 'INSTALL_IN_PROGRESS', install_status: installing.at(50, 'unpacking') },
    };
    expect(unpacking.install_status).toMatchObject({ progress: 25, bytes: 50, total_bytes: 200 });
    const restarting: InstallStatus = { ...unpacking, update_progress_status: 'REBOOT_IN_PROGRESS', install_status: installing.succeeded() };
    const over = { update_progress_status: 'FAILED', detail: 'why' };
    const half = { end_time: 7, detail: 'why' };
    expect(ended(RECEIVED, 'why', 7000)).toMatchObject({ ...over, error: 'IMAGE_INSTALL_FAILED' });
    expect(ended(fetching, 'why', 7000)).toMatchObject({
      ...{ ...over, error: 'DOWNLOAD_FAILED' },
      download_status: { status: 'DOWNLOAD_FAILED', ...half },
      install_status: { status: 'IDLE', end_time: 0 },
    });
    expect(ended(unpacking, 'why', 7000)).toMatchObject({
      ...{ ...over, error: 'IMAGE_INSTALL_FAILED' },
      download_status: fetched,
      install_status: { status: 'INSTALL_FAILED', bytes: 50, ...half },
    });
    expect(ended(restarting, 'why', 7000)).toMatchObject({ ...over, error: 'IMAGE_ACTIVATION_FAILED', install_status: restarting.install_status });
    const told: InstallStatus = { ...restarting, update_progress_status: 'SUCCESS' };
    expect(ended(told, 'why', 7000)).toBe(told);
  });

  it('says that both halves are done where its release was switched to, whatever its run came to note', async () => {
    for (const outcome of ['confirm', 'rollBack'] as const) {
      const probe = await member(good);
      // The copy of the database that takes the place of the one that a release spoilt is that old.
      const { slots } = probe;
      const activate = slots.activate.bind(slots);
      slots.activate = (slot, install) => {
        activate(slot, install);
        probe.room.drop();
      };
      const task = probe.room.tasks.create(probe.kind, 'ann', probe.wish(good), null);
      await expect.poll(() => probe.restarts, SOON).toBe(1);
      await probe.restart(() => slots[outcome]('it did not work'));
      const { result } = await probe.room.tasks.ended(task.id);
      expect(halves(result as InstallStatus)).toEqual(['DOWNLOAD_SUCCESS', 'INSTALL_SUCCESS']);
      expect((result as InstallStatus).error).toBe(outcome === 'confirm' ? 'NOT_SET' : 'IMAGE_ACTIVATION_FAILED');
    }
  });
});
