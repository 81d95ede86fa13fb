/** BUFFER_STREAM: what is spooled can be fetched again; what has no room is passed on once. */
import { existsSync, readdirSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ADMIN } from '../../src/access/caller.js';
import { receipt, Gate, until } from './fakes.js';
import type { Output } from '../../src/export/contract.js';
import type { Spooled } from '../../src/export/spool-fetch.js';
import { Client, create, data, engine, fetchAll, get, ids, restart, service, spoolLimits, start, status, temporary, useService } from './harness.js';

useService();

const BUFFERED = { mode: 'BUFFER_STREAM' } as const;
const files = (): string[] => readdirSync(join(temporary.path, 'spool'));
const state = async (id: string): Promise<string | undefined> => (await status(id)).state;
const ready = async (id: string): Promise<void> => until(async () => (await state(id)) === 'READY');

async function withRoomFor(bytes: number, work: () => Promise<void>): Promise<void> {
  spoolLimits.eachBytes = bytes;
  try {
    await restart();
    await work();
  } finally {
    spoolLimits.eachBytes = 1 << 20;
  }
}

describe('a spooled export', () => {
  it('runs by itself, waits, is fetched as often as its client likes, and goes with its file', async () => {
    const id = await create({ ...BUFFERED, handle_timeout_msec: 1000 });
    await ready(id);
    const { progress, stats } = await status(id);
    expect([progress, stats?.exported_bytes]).toEqual([50, 500n]);
    expect((await get(id))['receipt']).toMatchObject({ sha256: expect.stringMatching(/^[0-9a-f]{64}$/) });
    expect(engine.closed).toBe(1);
    for (let i = 0; i < 3; i++) {
      expect((await fetchAll(id)).chunks).toEqual(['headtail']);
      expect(await state(id)).toBe('DONE');
      expect((await status(id)).progress).toBe(100);
    }
    expect(statSync(join(temporary.path, 'spool', id)).mode & 0o777).toBe(0o600);
    await until(async () => (await ids()).length === 0);
    await until(() => files().length === 0, 'the file to go');
  });

  it('holds an early client until it is complete', async () => {
    const gate = new Gate();
    engine.runGate = gate.passed;
    const id = await create(BUFFERED);
    const fetching = fetchAll(id);
    await until(() => engine.running === 1);
    expect(await state(id)).toBe('RUNNING');
    gate.open();
    expect((await fetching).chunks).toEqual(['headtail']);
  });

  it('waits again when its client leaves before the end, and is done when the end was fetched', async () => {
    const id = await create(BUFFERED);
    const client = new Client();
    client.enough = 5;
    await service.fetch(id, ADMIN, client);
    expect([client.chunks, await state(id)]).toEqual([['headt'], 'READY']);
    expect((await status(id)).progress).toBeLessThan(100);
    await fetchAll(id);
    expect(await state(id)).toBe('DONE');
    await service.fetch(id, ADMIN, client);
    expect(await state(id)).toBe('DONE');
  });

  it('can be fetched by several at once', async () => {
    const id = await create(BUFFERED);
    const all = await Promise.all(Array.from({ length: 5 }, () => fetchAll(id)));
    expect(all.map(({ chunks }) => chunks.join())).toEqual(Array.from({ length: 5 }, () => 'headtail'));
    expect(await state(id)).toBe('DONE');
  });

  it('without a packet in its range is NODATA, and still a valid file', async () => {
    engine.receipt = receipt({ packets_processed: 0n, packets_exported: 0n });
    const id = await create(BUFFERED);
    await until(async () => (await state(id)) === 'NODATA');
    expect((await status(id)).progress).toBe(100);
    for (let i = 0; i < 2; i++) expect((await fetchAll(id)).chunks).toEqual(['headtail']);
    expect(await state(id)).toBe('NODATA');
  });

  it('that fails leaves no file and says why', async () => {
    engine.runError = Object.assign(new Error('the disk is gone'), {});
    const id = await create(BUFFERED);
    await until(async () => (await state(id)) === 'ERRORS');
    await expect(fetchAll(id)).rejects.toMatchObject({ code: 'EXPORT_STATE' });
    expect(files()).toEqual([]);
  });

  it('that is deleted ends its downloads and leaves nothing', async () => {
    const gate = new Gate();
    engine.runGate = gate.passed;
    const running = await create(BUFFERED);
    await until(() => engine.running === 1);
    await service.remove(running, ADMIN);
    gate.open();
    const id = await create(BUFFERED);
    await ready(id);
    let reading: Promise<number> = Promise.resolve(0);
    const client = new Client();
    client.send = async (_about: Output, { read }: Spooled, signal: AbortSignal) => {
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      reading = read(Buffer.alloc(4), 0);
      await reading;
      return true;
    };
    const fetching = expect(service.fetch(id, ADMIN, client)).rejects.toMatchObject({ code: 'CANCELLED' });
    await until(async () => (await state(id)) === 'STREAMING');
    await service.remove(id, ADMIN);
    await fetching;
    await expect(reading).rejects.toMatchObject({ code: 'CANCELLED' });
    expect(files()).toEqual([]);
  });

  it('expires while nobody fetches it, counting from when it was ready', async () => {
    const id = await create({ ...BUFFERED, connection_timeout_msec: 100 });
    await ready(id);
    await until(async () => (await ids()).length === 0);
    // The export is gone first, its file as soon as the disk has done it.
    await until(() => files().length === 0);
  });
});

describe('a spool without room', () => {
  it('is full enough, and the rest goes behind it to one client', async () => {
    await withRoomFor(6, async () => {
      const id = await create(BUFFERED);
      await ready(id);
      expect(engine.running).toBe(1);
      expect((await fetchAll(id)).chunks).toEqual(['head', 'tail']);
      await until(async () => (await state(id)) === 'DONE');
      expect((await status(id)).progress).toBe(100);
      await expect(fetchAll(id)).rejects.toMatchObject({ code: 'EXPORT_STATE' });
      await service.remove(id, ADMIN);
      expect(files()).toEqual([]);
    });
  });

  it('waits again where the client leaves in the first part, and has failed where it leaves in the second', async () => {
    await withRoomFor(6, async () => {
      const id = await create(BUFFERED);
      await ready(id);
      const leaving = new Client();
      leaving.write = () => Promise.reject(Object.assign(new Error('gone'), { code: 'CLIENT_LEFT' }));
      await expect(service.fetch(id, ADMIN, leaving)).rejects.toThrow('gone');
      expect(await state(id)).toBe('READY');
      const later = new Client();
      let writes = 0;
      later.write = async () => {
        if (++writes === 2) {
          later.leave();
          throw new Error('gone');
        }
      };
      await expect(service.fetch(id, ADMIN, later)).rejects.toMatchObject({ code: 'CLIENT_LEFT' });
      expect((await status(id)).error?.error_id).toBe('CLIENT_LEFT');
      expect(files()).toEqual([]);
    });
  });

  it('is given up with its export', async () => {
    await withRoomFor(2, async () => {
      const id = await create(BUFFERED);
      await ready(id);
      await service.remove(id, ADMIN);
      expect(engine.running).toBe(0);
      expect(files()).toEqual([]);
    });
  });

  it('gives its bytes back', async () => {
    spoolLimits.totalBytes = 20;
    try {
      await restart();
      for (let i = 0; i < 10; i++) {
        const id = await create(BUFFERED);
        await ready(id);
        await fetchAll(id);
        await service.remove(id, ADMIN);
      }
      const kept = [await create(BUFFERED), await create(BUFFERED)];
      for (const id of kept) await ready(id);
      // The third of eight bytes finds four left: its first piece is in, and the rest waits.
      const third = await create(BUFFERED);
      await ready(third);
      expect(engine.running).toBe(1);
    } finally {
      spoolLimits.totalBytes = 1 << 20;
    }
  });
});

describe('a restart', () => {
  it('keeps what is complete, for as long as was left', async () => {
    const done = await create(BUFFERED);
    const waiting = await create(BUFFERED);
    const short = await create({ ...BUFFERED, handle_timeout_msec: 400 });
    await fetchAll(done);
    await fetchAll(short);
    await ready(waiting);
    await new Promise((resolve) => setTimeout(resolve, 300));
    const began = Date.now();
    await restart();
    expect([await state(done), await state(waiting)]).toEqual(['DONE', 'READY']);
    for (const id of [done, waiting]) expect((await fetchAll(id)).chunks).toEqual(['headtail']);
    await until(async () => !(await ids()).includes(short));
    expect(Date.now() - began).toBeLessThan(350);
  });

  it('gives up a spool that is not what it was, and sweeps what belongs to nothing', async () => {
    const gate = new Gate();
    const cut = await create(BUFFERED);
    await ready(cut);
    engine.runGate = gate.passed;
    const running = await create(BUFFERED);
    await until(() => engine.running === 1);
    truncateSync(join(temporary.path, 'spool', cut), 3);
    writeFileSync(join(temporary.path, 'spool', 'stray'), 'x');
    const second = await start();
    for (const id of [cut, running]) {
      expect((await second.get(id, ADMIN)).status).toMatchObject({ state: 'ERRORS', error: { error_id: 'INTERRUPTED' } });
    }
    expect(existsSync(join(temporary.path, 'spool', 'stray'))).toBe(false);
    gate.open();
    await second.close();
  });

  it('stores nothing of what was deleted', async () => {
    const id = await create(BUFFERED);
    await ready(id);
    await service.remove(id, ADMIN);
    expect(data.exports.all()).toEqual([]);
  });
});
