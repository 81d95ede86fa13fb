import { ADMIN } from '../../src/access/caller.js';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../src/config.js';
import { SpillwayError } from '../../src/errors.js';
import { Gate, receipt, until } from './fakes.js';
import { Client, create, engine, fetchAll, reports, service, status, temporary, toFile, useService, get, ids } from './harness.js';

useService();

describe('an export that its client fetches', () => {
  it('runs, streams and is done; a second time it is refused', async () => {
    const gate = new Gate();
    engine.runGate = gate.passed;
    const id = await create();
    expect(await status(id)).toMatchObject({ state: 'RUNNING', progress: 0, owner: 'admin', stats: { total_bytes: 1000, exported_bytes: 0 } });
    expect((await status(id)).creation_time).toMatch(/^\d{10}\.\d{9}$/);
    const client = new Client();
    const fetching = service.fetch(id, ADMIN, client);
    await until(async () => (await status(id)).progress === 50);
    expect(await status(id)).toMatchObject({ state: 'STREAMING', stats: { exported_bytes: 250, processed_packets: 8n, estimated_bytes: 500n } });
    await expect(fetchAll(id)).rejects.toMatchObject({
      code: 'EXPORT_STATE',
      message: expect.stringContaining('state is not RUNNING: state STREAMING'),
    });
    gate.open();
    await fetching;
    expect(client.chunks).toEqual(['head', 'tail']);
    expect(client.opened).toEqual({ id, source: 'fs/admin/x.pcap', format: 'pcap_us' });
    expect(client.ended).toBe('finished');
    expect(await get(id)).toMatchObject({
      status: { state: 'DONE', progress: 100, stats: { exported_packets: 5n, processed_packets: 8n, dropped_packets: 1n, exported_bytes: 500n } },
      receipt: receipt(),
    });
    expect((await status(id)).error).toBeUndefined();
    await expect(fetchAll(id)).rejects.toMatchObject({ code: 'EXPORT_STATE', message: expect.stringContaining('state DONE') });
  });

  it('without a packet in its time range is NODATA, unless something cut it', async () => {
    engine.receipt = receipt({ packets_processed: 0n, packets_exported: 0n });
    const empty = await create();
    expect((await fetchAll(empty)).ended).toBe('finished');
    expect(await status(empty)).toMatchObject({ state: 'NODATA', progress: 100 });
    engine.receipt = receipt({ packets_processed: 0n, truncated: true, damage: [{ file: 'x', offsetBytes: 24, reason: 'cut' }] });
    const damaged = await create();
    await fetchAll(damaged);
    expect(await get(damaged)).toMatchObject({
      status: { state: 'DONE', stats: { truncated: true } },
      receipt: { damage: [{ file: 'x', offset_bytes: 24, reason: 'cut' }] },
    });
    engine.receipt = receipt({ packets_exported: 0n });
    const filtered = await create();
    await fetchAll(filtered);
    expect((await status(filtered)).state).toBe('DONE');
  });

  it('whose client leaves says so and stops', async () => {
    engine.runGate = new Promise(() => undefined);
    const id = await create();
    const client = new Client();
    const fetching = service.fetch(id, ADMIN, client);
    await until(() => client.chunks.length === 1);
    client.leave();
    await expect(fetching).rejects.toMatchObject({ code: 'CLIENT_LEFT' });
    expect(client.ended).toBe('aborted');
    expect(await status(id)).toMatchObject({ state: 'ERRORS', progress: 50, error: { error_id: 'CLIENT_LEFT', error_text: 'the client left' } });
    expect([engine.running, engine.closed]).toEqual([0, 1]);
  });

  it('that fails tells why, in its status and afterwards', async () => {
    engine.runError = new SpillwayError('SOURCE_UNREADABLE', 'reading x failed', { errno: 'EIO' });
    const id = await create();
    const client = new Client();
    await expect(service.fetch(id, ADMIN, client)).rejects.toMatchObject({ code: 'SOURCE_UNREADABLE' });
    expect(client.ended).toBe('aborted');
    expect(await status(id)).toMatchObject({
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
    expect(await get(id)).toMatchObject({
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
    expect((await status(id)).state).toBe('INITIALIZING');
    const client = new Client();
    const fetching = service.fetch(id, ADMIN, client);
    const second = expect(service.fetch(id, ADMIN, new Client())).rejects.toMatchObject({ code: 'EXPORT_STATE' });
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(client.opened).toBeNull();
    gate.open();
    await fetching;
    expect(client.chunks).toEqual(['head', 'tail']);
    await second;
    expect((await status(id)).state).toBe('DONE');
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
    expect(await status(id)).toMatchObject({ state: 'ERRORS', error: { error_id: 'FILTER_TOO_COMPLEX' } });
  });

  it('lets a client leave that it holds, and goes on', async () => {
    const gate = new Gate();
    engine.prepareGate = gate.passed;
    const id = await create();
    const client = new Client();
    const fetching = service.fetch(id, ADMIN, client);
    client.leave();
    await expect(fetching).rejects.toMatchObject({ code: 'CLIENT_LEFT' });
    gate.open();
    await until(async () => (await status(id)).state === 'RUNNING');
    expect((await fetchAll(id)).ended).toBe('finished');
  });

  it('can be deleted meanwhile, with the client that it holds', async () => {
    const gate = new Gate();
    engine.prepareGate = gate.passed;
    const id = await create();
    const fetching = fetchAll(id);
    const removing = service.remove(id, ADMIN);
    await expect(fetching).rejects.toMatchObject({ code: 'CANCELLED' });
    gate.open();
    await removing;
    expect(engine.closed).toBe(1);
    expect(await ids()).toEqual([]);
  });
});

describe('an export to a file', () => {
  const out = (): string => join(temporary.path, 'fs/admin/out.pcap');

  it('runs by itself, and the file appears whole', async () => {
    const gate = new Gate();
    engine.runGate = gate.passed;
    const id = await create(toFile());
    await until(async () => (await status(id)).progress === 50);
    expect((await status(id)).state).toBe('RUNNING');
    expect(existsSync(out())).toBe(false);
    await expect(fetchAll(id)).rejects.toMatchObject({ code: 'EXPORT_STATE', message: expect.stringContaining('/admin/out.pcap: state RUNNING') });
    gate.open();
    await until(async () => (await status(id)).state === 'DONE');
    expect(readFileSync(out(), 'utf8')).toBe('headtail');
    const sha256 = createHash('sha256').update('headtail').digest('hex');
    expect(await get(id)).toMatchObject({ receipt: { ...receipt(), sha256 } });
    await expect(fetchAll(id)).rejects.toMatchObject({ code: 'EXPORT_STATE' });
    await service.remove(id, ADMIN);
    expect(existsSync(out())).toBe(true);
  });

  it('is DONE, never NODATA', async () => {
    engine.receipt = receipt({ packets_processed: 0n });
    const id = await create(toFile());
    await until(async () => (await status(id)).state === 'DONE');
  });

  it('that fails or is deleted leaves no file, and the old one where it was', async () => {
    const first = await create(toFile());
    await until(async () => (await status(first)).state === 'DONE');
    engine.runError = new SpillwayError('OUTPUT_FAILED', 'there is no space left');
    const second = await create(toFile());
    await until(async () => (await status(second)).state === 'ERRORS');
    expect((await status(second)).error).toEqual({ error_id: 'OUTPUT_FAILED', error_text: 'there is no space left' });
    engine.runError = null;
    engine.runGate = new Promise(() => undefined);
    engine.pieces = [Buffer.from('other')];
    const third = await create(toFile());
    await until(async () => (await status(third)).progress! > 0);
    await service.remove(third, ADMIN);
    expect(engine.running).toBe(0);
    expect(readFileSync(out(), 'utf8')).toBe('headtail');
    expect(readdirSync(join(temporary.path, 'fs/admin')).sort()).toEqual(['out.pcap', 'sample.pcap', 'x.pcap']);
  });

  it('deleted right after it was made leaves nothing either', async () => {
    engine.runGate = new Promise(() => undefined);
    await service.remove(await create(toFile()), ADMIN);
    expect(engine.running).toBe(0);
    expect(readdirSync(join(temporary.path, 'fs/admin')).sort()).toEqual(['sample.pcap', 'x.pcap']);
  });
});
