/** A probe that updates itself: every way it may end, up to the restart and behind it. */
import { generateKeyPairSync } from 'node:crypto';
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { canMount, withSmallDisk } from '../export/small-disk.js';
import { requireOrSkip } from '../setup/require.js';
import { temporaryFolder } from '../support/temporary.js';
import { member, pack, sendRange, type Pack, type PackWish } from './member-rooms.js';

const releases = temporaryFolder();
const keys = generateKeyPairSync('ed25519');
let good: Pack;
let large: Pack;
beforeAll(async () => {
  good = await pack(releases.path);
  large = await pack(releases.path, { fillBytes: 3 << 20 });
});

describe('an update', () => {
  it('fetches, unpacks, switches, and asks for a restart; the next server tells that it succeeded', async () => {
    const probe = await member(good);
    const { id } = await probe.install(good);
    expect(probe.restarts).toBe(1);
    // The only file that is not empty.
    const unpacked = statSync(join(probe.folder, 'updates', 'a', 'bin', 'spillway')).size;
    expect(probe.room.tasks.find(id)).toMatchObject({
      state: 'running',
      result: {
        update_progress_status: 'REBOOT_IN_PROGRESS',
        error: 'NOT_SET',
        download_status: { status: 'DOWNLOAD_SUCCESS', progress: 100, bytes: good.bytes.length, total_bytes: good.bytes.length },
        install_status: { status: 'INSTALL_SUCCESS', progress: 100, bytes: unpacked, total_bytes: unpacked },
      },
    });
    expect(probe.slots.read()).toMatchObject({
      active: 'a',
      trial: { install: id, from: 'installed', starts: 0 },
      slots: { a: { version: '9.1.0' }, b: null },
    });
    expect(statSync(join(probe.folder, 'updates', 'a', 'bin', 'spillway')).mode & 0o777).toBe(0o700);
    expect(readdirSync(join(probe.folder, 'updates', 'downloads'))).toEqual([]);
    await probe.restart(() => {
      expect(probe.slots.begin()).toBe('a');
      probe.slots.confirm();
    });
    expect(await probe.room.tasks.ended(id)).toMatchObject({
      state: 'done',
      result: { update_progress_status: 'SUCCESS', detail: 'version 9.1.0 runs' },
    });
    expect(probe.restarts).toBe(1);
  });

  it('goes into the slots by turns', async () => {
    const probe = await member(good);
    for (const slot of ['a', 'b', 'a']) {
      const { id } = await probe.install(good);
      expect(probe.slots.read().active).toBe(slot);
      await probe.restart(() => probe.slots.confirm());
      expect(await probe.room.tasks.ended(id)).toMatchObject({ state: 'done' });
    }
  });

  it('that was given up tells why', async () => {
    const probe = await member(good);
    const { id } = await probe.install(good);
    await probe.restart(() => probe.slots.rollBack('it ended with exit code 2'));
    expect(await probe.room.tasks.ended(id)).toMatchObject({
      state: 'failed',
      error: { code: 'UPDATE_FAILED', message: 'the new version was given up: it ended with exit code 2' },
      result: { update_progress_status: 'FAILED', error: 'IMAGE_ACTIVATION_FAILED', install_status: { status: 'INSTALL_SUCCESS' } },
    });
    expect(probe.slots.read().active).toBe('installed');
  });

  it('that the end of the server interrupts is begun anew, and what was fetched is kept', async () => {
    let cutAt = 1 << 20;
    const probe = await member((request, response) => {
      if (cutAt === 0) return sendRange(large.bytes, large.sha256, request, response);
      response.writeHead(200, { 'content-length': large.bytes.length });
      response.write(large.bytes.subarray(0, cutAt));
      cutAt = 0;
    });
    const task = probe.install(large);
    await expect.poll(() => part(probe.folder)).toBe(1 << 20);
    await probe.restart();
    const [again] = probe.room.tasks.list();
    await expect.poll(() => probe.restarts).toBe(1);
    expect(probe.fake.heard.at(-1)!.headers).toMatchObject({ range: `bytes=${1 << 20}-`, 'if-range': `"${large.sha256}"` });
    await probe.restart(() => probe.slots.confirm());
    expect(await probe.room.tasks.ended(again!.id)).toMatchObject({ state: 'done' });
    await task;
  });
});

const SOON = { timeout: 20_000, interval: 5 };

const part = (folder: string): number => {
  const downloads = join(folder, 'updates', 'downloads');
  const [name] = existsSync(downloads) ? readdirSync(downloads) : [];
  return name === undefined ? -1 : statSync(join(downloads, name)).size;
};

describe('a download', () => {
  it('that breaks off goes on where it ended', async () => {
    let cuts = 3;
    const probe = await member((request, response) => {
      if (cuts-- <= 0) return sendRange(large.bytes, large.sha256, request, response);
      const from = Number(/\d+/.exec(request.headers.range ?? '0')![0]);
      const rest = large.bytes.subarray(from);
      const range = from > 0 ? { 'content-range': `bytes ${from}-${large.bytes.length - 1}/${large.bytes.length}` } : {};
      response.writeHead(from > 0 ? 206 : 200, { 'content-length': rest.length, ...range });
      response.write(rest.subarray(0, 700_000), () => setTimeout(() => response.destroy(), 20));
    });
    expect(await probe.install(large)).toMatchObject({ state: 'running' });
    expect(probe.fake.heard).toHaveLength(4);
    expect(probe.restarts).toBe(1);
  });

  it('waits for a server that is away: before it begins, and as often as it goes away later', async () => {
    const probe = await member(async ({ headers }, response) => {
      const from = Number(/\d+/.exec(headers.range ?? '0')![0]);
      const piece = large.bytes.subarray(from, from + 500_000);
      const range = { 'content-range': `bytes ${from}-${large.bytes.length - 1}/${large.bytes.length}` };
      response.writeHead(from > 0 ? 206 : 200, { 'content-length': large.bytes.length - from, ...range });
      response.write(piece);
      const has = from + piece.length;
      if (has === large.bytes.length) return;
      await expect.poll(() => part(probe.folder), SOON).toBe(has);
      await probe.fake.stop();
      await probe.fake.up();
    });
    await probe.fake.stop();
    const task = probe.install(large);
    await expect.poll(() => part(probe.folder), SOON).toBe(0);
    await probe.fake.up();
    expect(await task).toMatchObject({ state: 'running', result: { update_progress_status: 'REBOOT_IN_PROGRESS' } });
    expect(probe.fake.heard.length).toBeGreaterThan(6);
  });

  it.each([
    { of: 'a server that was never there', has: 0, patience: { unreachedMs: 50 } },
    { of: 'one that does not come back', has: 1000, patience: { silentMs: 50 } },
  ])('of $of is given up in the end', async ({ has, patience }) => {
    const probe = await member(large, { patience: { retryMs: 5, ...patience } });
    await probe.fake.stop();
    const downloads = join(probe.folder, 'updates', 'downloads');
    mkdirSync(downloads, { recursive: true });
    if (has > 0) writeFileSync(join(downloads, `${large.sha256}.part`), large.bytes.subarray(0, has));
    expect(await probe.install(large)).toMatchObject({
      state: 'failed',
      error: { code: 'PEER_UNREACHABLE' },
      result: { error: 'IMAGE_URL_NOT_REACHABLE', download_status: { status: 'DOWNLOAD_FAILED' } },
    });
  });

  it('that is refused is not asked for again; one that the server can not serve now is', async () => {
    for (const [status, code] of [
      [404, 'IMAGE_URL_NOT_REACHABLE'],
      [503, 'NOT_SET'],
    ] as const) {
      const probe = await member((request, response) => {
        if (probe.fake.heard.length > 1) return sendRange(good.bytes, good.sha256, request, response);
        response.writeHead(status).end();
      });
      expect((await probe.install(good)).result!.error).toBe(code);
    }
  });

  it('goes on with a part of before, but not with that of another package', async () => {
    const probe = await member(large);
    const downloads = join(probe.folder, 'updates', 'downloads');
    mkdirSync(downloads, { recursive: true });
    writeFileSync(join(downloads, `${large.sha256}.part`), large.bytes.subarray(0, 1_000_000));
    writeFileSync(join(downloads, `${good.sha256}.part`), good.bytes);
    await probe.install(large);
    expect(probe.restarts).toBe(1);
    expect(probe.fake.heard.map(({ headers }) => headers.range)).toEqual(['bytes=1000000-']);
    expect(readdirSync(downloads)).toEqual([]);
  });

  it('of a server that knows no ranges, or another range, begins anew', async () => {
    for (const status of [200, 206, 416]) {
      let isFirst = true;
      const probe = await member((_, response) => {
        if (!isFirst || status === 200) return void response.writeHead(200, { 'content-length': large.bytes.length }).end(large.bytes);
        isFirst = false;
        response.writeHead(status, { 'content-range': status === 206 ? 'bytes 5-9/10' : 'bytes */10' }).end(status === 206 ? 'wrong' : '');
      });
      const downloads = join(probe.folder, 'updates', 'downloads');
      mkdirSync(downloads, { recursive: true });
      writeFileSync(join(downloads, `${large.sha256}.part`), 'x'.repeat(1000));
      await probe.install(large);
      expect(probe.restarts).toBe(1);
    }
  });
});

describe('an update that fails', () => {
  const cases: { what: string; error: string; code?: string; run: () => Promise<Awaited<ReturnType<typeof failing>>> }[] = [
    { what: 'the address is no URL', error: 'MALFORMED_IMAGE_URL', run: () => failing(good, { url: 'ftp://127.0.0.1/x' }) },
    { what: 'the address is none of a peer', error: 'MALFORMED_IMAGE_URL', run: () => failing(good, { url: 'https://127.0.0.1:1/x' }) },
    {
      what: 'nothing answers',
      error: 'IMAGE_URL_NOT_REACHABLE',
      code: 'PEER_FAILED',
      run: () => failing(good, {}, (_, response) => response.destroy()),
    },
    {
      what: 'the peer has no such package',
      error: 'IMAGE_URL_NOT_REACHABLE',
      run: () => failing(good, {}, (_, response) => response.writeHead(404).end()),
    },
    {
      what: 'there is no folder to download to',
      error: 'DOWNLOAD_FAILED',
      code: 'FILE_FAILED',
      run: () => failing(good, {}, undefined, {}, (folder) => writeFileSync(join(folder, 'updates', 'downloads'), '')),
    },
    {
      what: 'it breaks off again and again',
      error: 'DOWNLOAD_FAILED',
      code: 'DOWNLOAD_BROKEN',
      run: () =>
        failing(large, {}, (_, response) => {
          response.writeHead(200, { 'content-length': large.bytes.length });
          response.write(large.bytes.subarray(0, 700_000), () => setTimeout(() => response.destroy(), 20));
        }),
    },
    {
      what: 'more comes than was announced',
      error: 'DOWNLOAD_VALIDATION_FAILED',
      code: 'DOWNLOAD_WRONG',
      run: () => failing(good, {}, (_, response) => response.writeHead(200).end(Buffer.concat([good.bytes, Buffer.alloc(5)]))),
    },
    {
      what: 'other bytes come',
      error: 'DOWNLOAD_VALIDATION_FAILED',
      code: 'DOWNLOAD_WRONG',
      run: () => failing(good, {}, (_, response) => response.writeHead(200).end(Buffer.alloc(good.bytes.length))),
    },
    {
      what: 'another version was announced',
      error: 'DOWNLOAD_VALIDATION_FAILED',
      code: 'DOWNLOAD_WRONG',
      run: () => failing(good, { version: '9.9.9' }),
    },
    {
      what: 'it is not signed, and has to be',
      error: 'DOWNLOAD_VALIDATION_FAILED',
      code: 'PACKAGE_UNSIGNED',
      run: () => failing(good, {}, undefined, { keys: () => [keys.publicKey] }),
    },
    {
      what: 'it is for another machine',
      error: 'DOWNLOAD_VALIDATION_FAILED',
      code: 'PACKAGE_ARCHITECTURE',
      run: async () => failing(await pack(releases.path, { architecture: 'pdp11' })),
    },
    {
      what: 'it is older than allowed',
      error: 'DOWNLOAD_VALIDATION_FAILED',
      code: 'PACKAGE_TOO_OLD',
      run: async () => failing(await pack(releases.path, { version: '0.0.9' })),
    },
    {
      what: 'it can not be unpacked',
      error: 'EXTRACTION_FAILED',
      run: () =>
        failing(good, {}, undefined, {}, (_, slots) => {
          slots.clear = () => '/dev/null/nowhere';
        }),
    },
    {
      what: 'what was unpacked does not run',
      error: 'IMAGE_INSTALL_FAILED',
      code: 'UPDATE_FAILED',
      run: async () => failing(await pack(releases.path, { program: 'throw new Error("no");' })),
    },
    {
      what: 'what was unpacked says that it is something else',
      error: 'IMAGE_INSTALL_FAILED',
      code: 'UPDATE_FAILED',
      run: async () => failing(await pack(releases.path, { program: 'console.log("1.2.3")' })),
    },
    {
      what: 'the switch can not be written down',
      error: 'IMAGE_SET_BOOT_FAILED',
      run: async () =>
        failing(good, {}, undefined, {}, (_, slots) => {
          slots.activate = () => {
            throw new Error('ENOSPC');
          };
        }),
    },
  ];

  it.each(cases)('since $what leaves what runs as it is', async ({ error, code, run }) => {
    const { task, active } = await run();
    expect(task).toMatchObject({ state: 'failed', result: { update_progress_status: 'FAILED', error } });
    if (code !== undefined) expect(task.error!.code).toBe(code);
    expect(active).toBe('installed');
  });

  it('by another that runs is refused', async () => {
    const probe = await member(() => undefined);
    void probe.install(good);
    await expect(probe.install(good)).rejects.toMatchObject({ code: 'TOO_MANY_TASKS' });
    expect(() => probe.room.tasks.cancel(probe.room.tasks.list()[0]!.id)).toThrow(/can't be cancelled/);
  });
});

/** Writes until nothing more can be written. */
function fill(folder: string): void {
  const fd = openSync(join(folder, 'filler'), 'w');
  try {
    for (let size = 65_536; size >= 1; size = Math.floor(size / 2)) {
      try {
        for (;;) writeSync(fd, Buffer.alloc(size));
      } catch {
        // A smaller piece may fit.
      }
    }
  } finally {
    closeSync(fd);
  }
}

describe.runIf(requireOrSkip('root, to mount a small disk', canMount()))('a disk that is full', () => {
  const full: { at: string; error: string; wish: PackWish; fills?: 'fill' | 'activate' }[] = [
    { at: 'the download', error: 'DOWNLOAD_FAILED', wish: { fillBytes: 2 << 20 } },
    { at: 'the unpacking', error: 'EXTRACTION_FAILED', wish: { zeroBytes: 2 << 20 } },
    { at: 'what is written of the slot', error: 'IMAGE_INSTALL_FAILED', wish: {}, fills: 'fill' },
    { at: 'the switch', error: 'IMAGE_SET_BOOT_FAILED', wish: {}, fills: 'activate' },
  ];

  it.each(full)('at $at leaves what runs as it is, and nothing of the update', async ({ error, wish, fills }) => {
    const { path: folder } = temporaryFolder();
    const updates = join(folder, 'updates');
    const about = await pack(releases.path, wish);
    await withSmallDisk(updates, async () => {
      const probe = await member(about, {}, folder);
      if (fills !== undefined) {
        const usual = probe.slots[fills].bind(probe.slots) as (...args: unknown[]) => void;
        Object.assign(probe.slots, {
          [fills]: (...args: unknown[]) => {
            fill(updates);
            usual(...args);
          },
        });
      }
      const task = await probe.install(about);
      expect(task).toMatchObject({ state: 'failed', result: { update_progress_status: 'FAILED', error } });
      if (fills === undefined) {
        expect(task.error!.code).toBe('DISK_FULL');
        expect(readdirSync(updates).filter((name) => name !== 'slots.json')).toEqual(['downloads']);
      }
      expect(probe.slots.begin()).toBe('installed');
      expect(probe.restarts).toBe(0);
    });
  });
});

async function failing(
  about: Pack,
  input: Parameters<Awaited<ReturnType<typeof member>>['install']>[1] = {},
  answer?: Parameters<typeof member>[0],
  options: Parameters<typeof member>[1] = {},
  prepare: (folder: string, slots: Awaited<ReturnType<typeof member>>['slots']) => void = () => undefined,
) {
  const probe = await member(answer ?? about, { patience: { retryMs: 5, silentMs: 100, unreachedMs: 100 }, ...options });
  mkdirSync(join(probe.folder, 'updates'));
  prepare(probe.folder, probe.slots);
  const task = await probe.install(about, input);
  expect(probe.restarts).toBe(0);
  return { task, active: probe.slots.read().active };
}
