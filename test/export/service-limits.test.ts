import { ADMIN, type Caller } from '../../src/access/caller.js';
import { readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../src/config.js';
import { SpillwayError } from '../../src/errors.js';
import { Gate, until } from './fakes.js';
import {
  Client,
  config,
  create,
  data,
  engine,
  fetchAll,
  get,
  ids,
  restart,
  service,
  start,
  status,
  temporary,
  toFile,
  useService,
} from './harness.js';

useService();
const openDescriptors = (): number => readdirSync('/proc/self/fd').length;

const ANN: Caller = { name: 'ann', role: 'operator', sources: null };

describe('refusals', () => {
  it('leave nothing behind', async () => {
    const before = openDescriptors();
    await expect(create({ path: 'fs/admin/none.pcap' })).rejects.toMatchObject({ code: 'SOURCE_NOT_FOUND' });
    await expect(create(toFile('/ann/x.pcap'))).rejects.toMatchObject({ code: 'OUTPUT_FORBIDDEN' });
    await expect(create(toFile('/admin/none/x.pcap'))).rejects.toMatchObject({ code: 'OUTPUT_INVALID' });
    engine.prepareError = new SpillwayError('FILTER_INVALID', 'syntax error');
    await expect(create()).rejects.toMatchObject({ code: 'FILTER_INVALID' });
    expect(await ids()).toEqual([]);
    expect(data.exports.all()).toEqual([]);
    expect(openDescriptors()).toBe(before);
  });

  it('meet everyone but the owner', async () => {
    const id = await create();
    await expect(service.replace(id, ANN, { config: config(), additions: {} })).rejects.toMatchObject({ code: 'EXPORT_NOT_FOUND' });
    await expect(service.get(id, ANN)).rejects.toMatchObject({ code: 'EXPORT_NOT_FOUND' });
    await expect(service.remove(id, ANN)).rejects.toMatchObject({ code: 'EXPORT_NOT_FOUND' });
    await expect(service.fetch(id, ANN, new Client())).rejects.toMatchObject({ code: 'EXPORT_NOT_FOUND' });
    expect(await service.list(ANN)).toEqual([]);
    expect(await ids()).toHaveLength(1);
  });

  it('come when there are too many at once, counting those being made', async () => {
    const others = Array.from({ length: LIMITS.activeExports - LIMITS.activeExportsOfUser }, () =>
      service.create({ config: config(), additions: {} }, ANN),
    );
    const made = await Promise.allSettled(Array.from({ length: LIMITS.activeExportsOfUser + 3 }, () => create()));
    const refused = made.flatMap((result) => (result.status === 'rejected' ? [result.reason as SpillwayError] : []));
    expect(refused.map(({ code }) => code)).toEqual(['TOO_MANY_EXPORTS', 'TOO_MANY_EXPORTS', 'TOO_MANY_EXPORTS']);
    await service.remove((await others[0]!).id!, ADMIN);
    await expect(create()).rejects.toMatchObject({ code: 'TOO_MANY_EXPORTS_OF_USER' });
    const [first] = (await service.list(ADMIN)).filter(({ status: each }) => each?.owner === 'admin');
    await fetchAll(first!.id!);
    await create();
    await expect(create()).rejects.toMatchObject({ code: 'TOO_MANY_EXPORTS_OF_USER' });
    await Promise.all(others);
  });
});

describe('running at once', () => {
  it('is bounded: files wait for their turn, clients do for a while', async () => {
    const gate = new Gate();
    engine.runGate = gate.passed;
    const files: string[] = [];
    for (let i = 0; i < LIMITS.runningExports + 2; i++) files.push(await create(toFile(`/admin/${i}.pcap`)));
    const waiting = await create(toFile('/admin/deleted.pcap'));
    const fetched = await create();
    await until(() => engine.running === LIMITS.runningExportsOfUser);
    await expect(fetchAll(fetched)).rejects.toMatchObject({ code: 'TOO_MANY_EXPORTS' });
    expect((await status(fetched)).state).toBe('RUNNING');
    await service.remove(waiting, ADMIN);
    expect(engine.running).toBe(LIMITS.runningExportsOfUser);
    gate.open();
    for (const id of files) await until(async () => (await status(id)).state === 'DONE');
    expect((await fetchAll(fetched)).ended).toBe('finished');
    expect(readdirSync(join(temporary.path, 'fs/admin')).filter((name) => name === 'deleted.pcap')).toEqual([]);
  });

  it('shares the cores', async () => {
    await fetchAll(await create());
    expect(engine.workers).toEqual([Math.max(1, availableParallelism() - 1)]);
    const gate = new Gate();
    engine.runGate = gate.passed;
    const all = await Promise.all(Array.from({ length: LIMITS.runningExportsOfUser }, () => create()));
    const fetching = all.map((id) => fetchAll(id));
    await until(() => engine.running === LIMITS.runningExportsOfUser);
    expect(engine.workers.at(-1)).toBe(Math.max(1, Math.floor(availableParallelism() / LIMITS.runningExportsOfUser)));
    gate.open();
    await Promise.all(fetching);
  });
});

describe('PUT', () => {
  it('takes back what was read, and nothing else', async () => {
    const id = await create({ stop_rule: { packet_limit: 5 } });
    const read = (await get(id)).config;
    expect(await service.replace(id, ADMIN, { config: read, additions: {} })).toEqual(await get(id));
    expect(await service.replace(id, ADMIN, { config: { ...read, mode: 'LEGACY' }, additions: {} })).toEqual(await get(id));
    for (const changed of [{ ...read, mode: 'STREAM_TO_FILE' as const }, { ...read, snap_length: 1 }, { path: read.path }]) {
      await expect(service.replace(id, ADMIN, { config: changed, additions: {} })).rejects.toMatchObject({ code: 'EXPORT_STATE' });
    }
  });
});

describe('time limits', () => {
  it('remove an export that no client comes for', async () => {
    const id = await create({ connection_timeout_msec: 50 });
    await until(async () => (await ids()).length === 0);
    // It is no longer listed while it is let go of.
    await until(() => engine.closed === 1 && data.exports.all().length === 0);
    await expect(get(id)).rejects.toMatchObject({ code: 'EXPORT_NOT_FOUND' });
  });

  it('begin again on PUT, not on GET, and stop while packets stream', async () => {
    const gate = new Gate();
    engine.runGate = gate.passed;
    const kept = await create({ connection_timeout_msec: 400 });
    const read = await create({ connection_timeout_msec: 400 });
    const streaming = await create({ connection_timeout_msec: 400 });
    const fetching = fetchAll(streaming);
    for (let i = 0; i < 8; i++) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      await service.replace(kept, ADMIN, (await get(kept)) as never);
      await ids();
    }
    expect(await ids()).toEqual([kept, streaming]);
    await expect(get(read)).rejects.toMatchObject({ code: 'EXPORT_NOT_FOUND' });
    gate.open();
    await fetching;
    expect((await status(streaming)).state).toBe('DONE');
  });

  it('keep an ended export for as long as it asked', async () => {
    const long = await create({ handle_timeout_msec: 18446744073709551615n });
    const short = await create({ handle_timeout_msec: 100 });
    const none = await create({ handle_timeout_msec: 0 });
    for (const id of [long, short, none]) await fetchAll(id);
    expect((await status(short)).state).toBe('DONE');
    await until(async () => (await ids()).length === 1);
    expect((await status(long)).state).toBe('DONE');
  });

  it('of 0 wait for a client for ever', async () => {
    const id = await create({ connection_timeout_msec: 0 });
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect((await status(id)).state).toBe('RUNNING');
  });
});

describe('a restart', () => {
  it('keeps what had ended, and tells of what had not', async () => {
    const done = await create({ stop_rule: { packet_limit: 2n ** 60n } }, { label: 'x' });
    await fetchAll(done);
    const before = await get(done);
    const waiting = await create();
    engine.runGate = new Promise(() => undefined);
    const streaming = await create();
    const fetching = fetchAll(streaming);
    await until(async () => (await status(streaming)).state === 'STREAMING');
    // As after a crash: nothing of the first service is told that it ends.
    const second = await start();
    expect(await second.get(done, ADMIN)).toEqual(
      JSON.parse(
        JSON.stringify(before, (_k, v: unknown) => (typeof v === 'bigint' ? plain(v) : v)),
        revive,
      ),
    );
    for (const id of [waiting, streaming]) {
      expect((await second.get(id, ADMIN)).status).toMatchObject({ state: 'ERRORS', error: { error_id: 'INTERRUPTED' } });
    }
    await second.close();
    await service.close();
    await expect(fetching).rejects.toMatchObject({ code: 'INTERRUPTED' });
    expect(engine.running).toBe(0);
    const third = await start();
    expect((await third.get(streaming, ADMIN)).status).toMatchObject({ state: 'ERRORS', error: { error_id: 'INTERRUPTED' } });
    await third.close();
  });

  it('lets what it found expire', async () => {
    const id = await create({ handle_timeout_msec: 150 });
    await fetchAll(id);
    await restart();
    expect((await status(id)).state).toBe('DONE');
    await until(async () => (await ids()).length === 0);
  });
});

/** Counters come back from the database as numbers where those are exact. */
const plain = (v: bigint): unknown => (v <= 2n ** 53n ? Number(v) : { big: v.toString() });
const revive = (_key: string, v: unknown): unknown => (typeof v === 'object' && v !== null && 'big' in v ? BigInt(v.big as string) : v);
