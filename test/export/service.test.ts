import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LIMITS } from '../../src/config.js';
import type { Sink } from '../../src/engine/types.js';
import { SpillwayError } from '../../src/errors.js';
import type { Config, Export } from '../../src/export/schema.js';
import { ExportService, type Download } from '../../src/export/service.js';
import type { DataFolder } from '../../src/state/data-folder.js';
import { FakeEngine, Gate, TemporaryData, receipt, until } from './fakes.js';

let temporary: TemporaryData;
let data: DataFolder;
let engine: FakeEngine;
let service: ExportService;
let reports: Error[];

const start = (): ExportService =>
  new ExportService({ prepare: engine.prepare, store: data.exports, files: data.files, report: (error) => reports.push(error) });
const openDescriptors = (): number => readdirSync('/proc/self/fd').length;

beforeEach(async () => {
  temporary = new TemporaryData();
  data = await temporary.open();
  engine = new FakeEngine();
  reports = [];
  service = start();
});
afterEach(async () => {
  await service.close();
  data.close();
  temporary.remove();
});

const config = (given: Partial<Config> = {}): Config => ({ path: 'fs/admin/x.pcap', ...given });
const toFile = (name = '/admin/out.pcap'): Partial<Config> => ({ mode: 'STREAM_TO_FILE', output_filename: name });
const create = async (given: Partial<Config> = {}, additions: Record<string, unknown> = {}): Promise<string> =>
  (await service.create({ config: config(given), additions }, 'admin')).id!;
const status = (id: string): NonNullable<Export['status']> => service.get(id, 'admin').status!;

/** A client that keeps what it is sent. */
class Client implements Sink, Download {
  readonly chunks: string[] = [];
  readonly #left = new AbortController();
  readonly signal = this.#left.signal;
  ended: 'finished' | 'aborted' | null = null;
  opened: unknown[] = [];

  open = (...given: unknown[]): Sink => {
    this.opened = given;
    return this;
  };
  leave(): void {
    this.#left.abort(new SpillwayError('CLIENT_LEFT', 'the client left'));
  }
  async write(bytes: Uint8Array): Promise<void> {
    this.chunks.push(Buffer.from(bytes).toString());
  }
  async finish(): Promise<void> {
    this.ended = 'finished';
  }
  async abort(): Promise<void> {
    this.ended = 'aborted';
  }
}
const fetchAll = async (id: string): Promise<Client> => {
  const client = new Client();
  await service.fetch(id, 'admin', client);
  return client;
};

describe('an export that its client fetches', () => {
  it('runs, streams and is done; a second time it is refused', async () => {
    const gate = new Gate();
    engine.runGate = gate.passed;
    const id = await create();
    expect(status(id)).toMatchObject({ state: 'RUNNING', progress: 0, owner: 'admin', stats: { total_bytes: 1000, exported_bytes: 0 } });
    expect(status(id).creation_time).toMatch(/^\d{10}\.\d{9}$/);
    const client = new Client();
    const fetching = service.fetch(id, 'admin', client);
    await until(() => status(id).progress === 50);
    expect(status(id)).toMatchObject({ state: 'STREAMING', stats: { exported_bytes: 250, processed_packets: 8n, estimated_bytes: 500n } });
    await expect(fetchAll(id)).rejects.toMatchObject({
      code: 'EXPORT_STATE',
      message: expect.stringContaining('state is not RUNNING: state STREAMING'),
    });
    gate.open();
    await fetching;
    expect(client.chunks).toEqual(['head', 'tail']);
    expect(client.opened).toEqual([id, 'fs/admin/x.pcap', 'pcap_us']);
    expect(client.ended).toBe('finished');
    expect(service.get(id, 'admin')).toMatchObject({
      status: { state: 'DONE', progress: 100, stats: { exported_packets: 5n, processed_packets: 8n, dropped_packets: 1n, exported_bytes: 500n } },
      receipt: receipt(),
    });
    expect(status(id).error).toBeUndefined();
    await expect(fetchAll(id)).rejects.toMatchObject({ code: 'EXPORT_STATE', message: expect.stringContaining('state DONE') });
  });

  it('without a packet in its time range is NODATA, unless something cut it', async () => {
    engine.receipt = receipt({ packets_processed: 0n, packets_exported: 0n });
    const empty = await create();
    expect((await fetchAll(empty)).ended).toBe('finished');
    expect(status(empty)).toMatchObject({ state: 'NODATA', progress: 100 });
    engine.receipt = receipt({ packets_processed: 0n, truncated: true, damage: [{ file: 'x', offsetBytes: 24, reason: 'cut' }] });
    const damaged = await create();
    await fetchAll(damaged);
    expect(service.get(damaged, 'admin')).toMatchObject({
      status: { state: 'DONE', stats: { truncated: true } },
      receipt: { damage: [{ offsetBytes: 24 }] },
    });
    engine.receipt = receipt({ packets_exported: 0n });
    const filtered = await create();
    await fetchAll(filtered);
    expect(status(filtered).state).toBe('DONE');
  });

  it('whose client leaves says so and stops', async () => {
    engine.runGate = new Promise(() => undefined);
    const id = await create();
    const client = new Client();
    const fetching = service.fetch(id, 'admin', client);
    await until(() => client.chunks.length === 1);
    client.leave();
    await expect(fetching).rejects.toMatchObject({ code: 'CLIENT_LEFT' });
    expect(client.ended).toBe('aborted');
    expect(status(id)).toMatchObject({ state: 'ERRORS', progress: 50, error: { error_id: 'CLIENT_LEFT', error_text: 'the client left' } });
    expect([engine.running, engine.closed]).toEqual([0, 1]);
  });

  it('that fails tells why, in its status and afterwards', async () => {
    engine.runError = new SpillwayError('SOURCE_UNREADABLE', 'reading x failed', { errno: 'EIO' });
    const id = await create();
    const client = new Client();
    await expect(service.fetch(id, 'admin', client)).rejects.toMatchObject({ code: 'SOURCE_UNREADABLE' });
    expect(client.ended).toBe('aborted');
    expect(status(id)).toMatchObject({
      state: 'ERRORS',
      error: { error_id: 'SOURCE_UNREADABLE', error_text: 'reading x failed', error_metrics: [{ key: 'errno', value: 'EIO' }] },
    });
    await expect(fetchAll(id)).rejects.toMatchObject({ message: expect.stringContaining('state ERRORS (SOURCE_UNREADABLE: reading x failed)') });
    expect(reports).toEqual([]);
    engine.runError = new Error('a defect');
    await expect(fetchAll(await create())).rejects.toMatchObject({ code: 'INTERNAL' });
    expect(reports).toHaveLength(1);
  });

  it('keeps what its client gave besides, and ignores nothing silently', async () => {
    const id = await create({ start_time: '0', end_time: 'None' }, { label: 'x', size: 2n ** 60n });
    expect(service.get(id, 'admin')).toMatchObject({
      label: 'x',
      size: 2n ** 60n,
      config: { start_time: '0', end_time: 'None', snap_length: 65535 },
    });
  });
});

describe('an export that takes long to prepare', () => {
  it('is made after a second, holds an early client, and then serves it', async () => {
    const gate = new Gate();
    engine.prepareGate = gate.passed;
    const began = Date.now();
    const id = await create();
    expect(Date.now() - began).toBeGreaterThanOrEqual(LIMITS.prepareWaitMs - 20);
    expect(status(id).state).toBe('INITIALIZING');
    const client = new Client();
    const fetching = service.fetch(id, 'admin', client);
    const second = expect(service.fetch(id, 'admin', new Client())).rejects.toMatchObject({ code: 'EXPORT_STATE' });
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(client.opened).toEqual([]);
    gate.open();
    await fetching;
    expect(client.chunks).toEqual(['head', 'tail']);
    await second;
    expect(status(id).state).toBe('DONE');
  });

  it('fails then as one that has failed', async () => {
    const gate = new Gate();
    engine.prepareGate = gate.passed;
    engine.prepareError = new SpillwayError('FILTER_TOO_COMPLEX', 'the filter takes too long');
    const id = await create();
    const fetching = fetchAll(id);
    gate.open();
    await expect(fetching).rejects.toMatchObject({
      code: 'EXPORT_STATE',
      message: expect.stringContaining('FILTER_TOO_COMPLEX: the filter takes too long'),
    });
    expect(status(id)).toMatchObject({ state: 'ERRORS', error: { error_id: 'FILTER_TOO_COMPLEX' } });
  });

  it('lets a client leave that it holds, and goes on', async () => {
    const gate = new Gate();
    engine.prepareGate = gate.passed;
    const id = await create();
    const client = new Client();
    const fetching = service.fetch(id, 'admin', client);
    client.leave();
    await expect(fetching).rejects.toMatchObject({ code: 'CLIENT_LEFT' });
    gate.open();
    await until(() => status(id).state === 'RUNNING');
    expect((await fetchAll(id)).ended).toBe('finished');
  });

  it('can be deleted meanwhile, with the client that it holds', async () => {
    const gate = new Gate();
    engine.prepareGate = gate.passed;
    const id = await create();
    const fetching = fetchAll(id);
    const removing = service.remove(id, 'admin');
    await expect(fetching).rejects.toMatchObject({ code: 'CANCELLED' });
    gate.open();
    await removing;
    expect(engine.closed).toBe(1);
    expect(service.list('admin')).toEqual([]);
  });
});

describe('an export to a file', () => {
  const out = (): string => join(temporary.path, 'fs/admin/out.pcap');

  it('runs by itself, and the file appears whole', async () => {
    const gate = new Gate();
    engine.runGate = gate.passed;
    const id = await create(toFile());
    await until(() => status(id).progress === 50);
    expect(status(id).state).toBe('RUNNING');
    expect(existsSync(out())).toBe(false);
    await expect(fetchAll(id)).rejects.toMatchObject({ code: 'EXPORT_STATE', message: expect.stringContaining('/admin/out.pcap: state RUNNING') });
    gate.open();
    await until(() => status(id).state === 'DONE');
    expect(readFileSync(out(), 'utf8')).toBe('headtail');
    const sha256 = createHash('sha256').update('headtail').digest('hex');
    expect(service.get(id, 'admin')).toMatchObject({ receipt: { ...receipt(), sha256 } });
    await expect(fetchAll(id)).rejects.toMatchObject({ code: 'EXPORT_STATE' });
    await service.remove(id, 'admin');
    expect(existsSync(out())).toBe(true);
  });

  it('is DONE, never NODATA', async () => {
    engine.receipt = receipt({ packets_processed: 0n });
    const id = await create(toFile());
    await until(() => status(id).state === 'DONE');
  });

  it('that fails or is deleted leaves no file, and the old one where it was', async () => {
    const first = await create(toFile());
    await until(() => status(first).state === 'DONE');
    engine.runError = new SpillwayError('OUTPUT_FAILED', 'there is no space left');
    const second = await create(toFile());
    await until(() => status(second).state === 'ERRORS');
    expect(status(second).error).toEqual({ error_id: 'OUTPUT_FAILED', error_text: 'there is no space left' });
    engine.runError = null;
    engine.runGate = new Promise(() => undefined);
    engine.pieces = [Buffer.from('other')];
    const third = await create(toFile());
    await until(() => status(third).progress! > 0);
    await service.remove(third, 'admin');
    expect(engine.running).toBe(0);
    expect(readFileSync(out(), 'utf8')).toBe('headtail');
    expect(readdirSync(join(temporary.path, 'fs/admin')).sort()).toEqual(['out.pcap', 'sample.pcap', 'x.pcap']);
  });

  it('deleted right after it was made leaves nothing either', async () => {
    engine.runGate = new Promise(() => undefined);
    await service.remove(await create(toFile()), 'admin');
    expect(engine.running).toBe(0);
    expect(readdirSync(join(temporary.path, 'fs/admin')).sort()).toEqual(['sample.pcap', 'x.pcap']);
  });
});

describe('refusals', () => {
  it('leave nothing behind', async () => {
    const before = openDescriptors();
    await expect(create({ path: 'fs/admin/none.pcap' })).rejects.toMatchObject({ code: 'SOURCE_NOT_FOUND' });
    await expect(create(toFile('/ann/x.pcap'))).rejects.toMatchObject({ code: 'OUTPUT_FORBIDDEN' });
    await expect(create(toFile('/admin/none/x.pcap'))).rejects.toMatchObject({ code: 'OUTPUT_INVALID' });
    engine.prepareError = new SpillwayError('FILTER_INVALID', 'syntax error');
    await expect(create()).rejects.toMatchObject({ code: 'FILTER_INVALID' });
    expect(service.list('admin')).toEqual([]);
    expect(data.exports.all()).toEqual([]);
    expect(openDescriptors()).toBe(before);
  });

  it('meet everyone but the owner', async () => {
    const id = await create();
    for (const attempt of [() => service.get(id, 'ann'), () => service.replace(id, 'ann', { config: config(), additions: {} })]) {
      expect(attempt).toThrow(expect.objectContaining({ code: 'EXPORT_NOT_FOUND' }));
    }
    await expect(service.remove(id, 'ann')).rejects.toMatchObject({ code: 'EXPORT_NOT_FOUND' });
    await expect(service.fetch(id, 'ann', new Client())).rejects.toMatchObject({ code: 'EXPORT_NOT_FOUND' });
    expect(service.list('ann')).toEqual([]);
    expect(service.list('admin')).toHaveLength(1);
  });

  it('come when there are too many at once, counting those being made', async () => {
    const made = await Promise.allSettled(Array.from({ length: LIMITS.activeExports + 3 }, () => create()));
    const refused = made.flatMap((result) => (result.status === 'rejected' ? [result.reason as SpillwayError] : []));
    expect(refused.map(({ code }) => code)).toEqual(['TOO_MANY_EXPORTS', 'TOO_MANY_EXPORTS', 'TOO_MANY_EXPORTS']);
    const [first] = service.list('admin');
    await fetchAll(first!.id!);
    await create();
    await expect(create()).rejects.toMatchObject({ code: 'TOO_MANY_EXPORTS' });
  });
});

describe('PUT', () => {
  it('takes back what was read, and nothing else', async () => {
    const id = await create({ stop_rule: { packet_limit: 5 } });
    const read = service.get(id, 'admin').config;
    expect(service.replace(id, 'admin', { config: read, additions: {} })).toEqual(service.get(id, 'admin'));
    expect(service.replace(id, 'admin', { config: { ...read, mode: 'LEGACY' }, additions: {} })).toEqual(service.get(id, 'admin'));
    for (const changed of [{ ...read, mode: 'STREAM_TO_FILE' as const }, { ...read, snap_length: 1 }, { path: read.path }]) {
      expect(() => service.replace(id, 'admin', { config: changed, additions: {} })).toThrow(expect.objectContaining({ code: 'EXPORT_STATE' }));
    }
  });
});

describe('time limits', () => {
  it('remove an export that no client comes for', async () => {
    const id = await create({ connection_timeout_msec: 50 });
    await until(() => service.list('admin').length === 0);
    expect(engine.closed).toBe(1);
    expect(data.exports.all()).toEqual([]);
    expect(() => service.get(id, 'admin')).toThrow(expect.objectContaining({ code: 'EXPORT_NOT_FOUND' }));
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
      service.replace(kept, 'admin', service.get(kept, 'admin') as never);
      service.list('admin');
    }
    expect(service.list('admin').map(({ id }) => id)).toEqual([kept, streaming]);
    expect(() => service.get(read, 'admin')).toThrow();
    gate.open();
    await fetching;
    expect(status(streaming).state).toBe('DONE');
  });

  it('keep an ended export for as long as it asked', async () => {
    const long = await create({ handle_timeout_msec: 18446744073709551615n });
    const short = await create({ handle_timeout_msec: 100 });
    const none = await create({ handle_timeout_msec: 0 });
    for (const id of [long, short, none]) await fetchAll(id);
    expect(status(short).state).toBe('DONE');
    await until(() => service.list('admin').length === 1);
    expect(status(long).state).toBe('DONE');
  });

  it('of 0 wait for a client for ever', async () => {
    const id = await create({ connection_timeout_msec: 0 });
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(status(id).state).toBe('RUNNING');
  });
});

describe('a restart', () => {
  it('keeps what had ended, and tells of what had not', async () => {
    const done = await create({ stop_rule: { packet_limit: 2n ** 60n } }, { label: 'x' });
    await fetchAll(done);
    const before = service.get(done, 'admin');
    const waiting = await create();
    engine.runGate = new Promise(() => undefined);
    const streaming = await create();
    const fetching = fetchAll(streaming);
    await until(() => status(streaming).state === 'STREAMING');
    // As after a crash: nothing of the first service is told that it ends.
    const second = start();
    expect(second.get(done, 'admin')).toEqual(
      JSON.parse(
        JSON.stringify(before, (_k, v: unknown) => (typeof v === 'bigint' ? plain(v) : v)),
        revive,
      ),
    );
    for (const id of [waiting, streaming]) {
      expect(second.get(id, 'admin').status).toMatchObject({ state: 'ERRORS', error: { error_id: 'INTERRUPTED' } });
    }
    await second.close();
    await service.close();
    await expect(fetching).rejects.toMatchObject({ code: 'INTERRUPTED' });
    expect(engine.running).toBe(0);
    const third = start();
    expect(third.get(streaming, 'admin').status).toMatchObject({ state: 'ERRORS', error: { error_id: 'INTERRUPTED' } });
    await third.close();
  });

  it('lets what it found expire', async () => {
    const id = await create({ handle_timeout_msec: 150 });
    await fetchAll(id);
    await service.close();
    service = start();
    expect(status(id).state).toBe('DONE');
    await until(() => service.list('admin').length === 0);
  });
});

/** Counters come back from the database as numbers where those are exact. */
const plain = (v: bigint): unknown => (v <= 2n ** 53n ? Number(v) : { big: v.toString() });
const revive = (_key: string, v: unknown): unknown => (typeof v === 'object' && v !== null && 'big' in v ? BigInt(v.big as string) : v);
