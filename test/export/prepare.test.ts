/** PREPARE: an estimate, and then another mode or a client; and who is told what of exports. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ADMIN, type Caller } from '../../src/access/caller.js';
import type { Config } from '../../src/export/schema.js';
import { Gate, until } from './fakes.js';
import { Client, config, create, engine, fetchAll, get, ids, notes, service, status, temporary, useService } from './harness.js';

useService();

const state = async (id: string): Promise<string | undefined> => (await status(id)).state;
const change = async (id: string, changed: Partial<Config>): Promise<unknown> =>
  service.replace(id, ADMIN, { config: { ...(await get(id)).config, ...changed }, additions: {} });

describe('PREPARE', () => {
  it('estimates and waits', async () => {
    const id = await create({ mode: 'PREPARE' });
    expect(await status(id)).toMatchObject({
      state: 'READY',
      progress: 0,
      stats: { estimated_packets: 5n, estimated_bytes: 500n, total_bytes: 1000 },
    });
    expect((await get(id))['estimate']).toMatchObject({ packets: { low: 1n, likely: 5n, high: 8n }, blocks: 10, blocks_to_read: 9, seconds: 0.25 });
    expect(engine.running).toBe(0);
  });

  it('streams to a client that asks for packets', async () => {
    const id = await create({ mode: 'PREPARE' });
    expect((await fetchAll(id)).chunks).toEqual(['head', 'tail']);
    expect(await state(id)).toBe('DONE');
  });

  it.each(['LEGACY', 'LIVE_STREAM'] as const)('becomes %s', async (mode) => {
    const id = await create({ mode: 'PREPARE' });
    expect(await change(id, { mode })).toMatchObject({ config: { mode }, status: { state: 'RUNNING' } });
    await fetchAll(id);
    expect(await state(id)).toBe('DONE');
    expect(engine.closed).toBe(engine.requests.length);
  });

  it('becomes BUFFER_STREAM', async () => {
    const id = await create({ mode: 'PREPARE' });
    await change(id, { mode: 'BUFFER_STREAM' });
    await until(async () => (await state(id)) === 'READY');
    expect((await fetchAll(id)).chunks).toEqual(['headtail']);
  });

  it('becomes STREAM_TO_FILE, where it was told a file', async () => {
    const id = await create({ mode: 'PREPARE', output_filename: '/admin/out.pcap' });
    await change(id, { mode: 'STREAM_TO_FILE' });
    await until(async () => (await state(id)) === 'DONE');
    expect(readFileSync(join(temporary.path, 'fs/admin/out.pcap'), 'utf8')).toBe('headtail');
  });

  it('refuses what does not go together, and still waits', async () => {
    const without = await create({ mode: 'PREPARE' });
    await expect(change(without, { mode: 'STREAM_TO_FILE' })).rejects.toMatchObject({ code: 'OUTPUT_INVALID' });
    await expect(change(without, { mode: 'LEGACY', snap_length: 5 })).rejects.toMatchObject({ code: 'EXPORT_STATE' });
    const forFile = await create({ mode: 'PREPARE', output_filename: '/admin/out.pcap' });
    await expect(change(forFile, { mode: 'LEGACY' })).rejects.toMatchObject({ code: 'OUTPUT_INVALID' });
    for (const id of [without, forFile]) expect(await state(id)).toBe('READY');
  });

  it('can be left once', async () => {
    const id = await create({ mode: 'PREPARE' });
    await change(id, { mode: 'LEGACY' });
    await expect(change(id, { mode: 'BUFFER_STREAM' })).rejects.toMatchObject({ code: 'EXPORT_STATE' });
    const done = await create({ mode: 'PREPARE' });
    await fetchAll(done);
    await expect(change(done, { mode: 'BUFFER_STREAM' })).rejects.toMatchObject({ code: 'EXPORT_STATE' });
  });

  it('waits for its estimate before it changes', async () => {
    const gate = new Gate();
    engine.prepareGate = gate.passed;
    const id = await create({ mode: 'PREPARE' });
    expect(await state(id)).toBe('INITIALIZING');
    const changing = change(id, { mode: 'LEGACY' });
    gate.open();
    expect(await changing).toMatchObject({ status: { state: 'RUNNING' } });
  });

  it('expires like what waits for a client, and PUT gives it more time', async () => {
    const id = await create({ mode: 'PREPARE', connection_timeout_msec: 300 });
    for (let i = 0; i < 5; i++) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      await change(id, {});
    }
    expect(await ids()).toEqual([id]);
    await until(async () => (await ids()).length === 0);
  });
});

describe('sources', () => {
  const reader: Caller = { name: 'rea', role: 'reader', sources: ['fs/admin/open*'] };

  it('are refused to those who may not read them', async () => {
    await expect(service.create({ config: config(), additions: {} }, reader)).rejects.toMatchObject({ code: 'SOURCE_FORBIDDEN' });
    const allowed = { ...reader, sources: ['fs/admin/x*'] };
    const { id } = await service.create({ config: config(), additions: {} }, allowed);
    expect((await service.list(allowed)).map((each) => each.id)).toEqual([id]);
    expect(await service.list({ ...reader, name: 'other' })).toEqual([]);
    expect((await service.get(id!, ADMIN)).status?.owner).toBe('rea');
  });
});

describe('the audit', () => {
  it('hears of what is made, fetched and removed, by whom', async () => {
    const filters = { items: [{ id: '1', type: 'BPF' as const, value: 'tcp port 443' }] };
    const id = await create({ filters });
    await service.fetch(id, ADMIN, new Client());
    await service.remove(id, ADMIN);
    const about = { who: 'admin', address: 'local', what: id, path: 'fs/admin/x.pcap', filter: 'tcp port 443' };
    expect(notes).toEqual([
      { action: 'export.create', ...about, state: 'RUNNING' },
      { action: 'export.download', ...about, state: 'DONE', bytes: 500n },
      { action: 'export.delete', ...about, state: 'DONE' },
    ]);
  });
});
