/** A server that is killed with exports in every state, and started again on the same data folder. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseJson } from '../../src/export/json.js';
import { fromRoot } from '../../src/root.js';
import { packetsOf, pcap, udpFrame } from '../api/captures.js';
import { BASE, TestProbe } from '../api/server.js';
import { TemporaryData, until } from '../export/fakes.js';
import { requireOrSkip } from '../setup/require.js';

interface Exported {
  id: string;
  status: { state: string; progress: number; stats: { exported_bytes: number }; error?: { error_id: string; error_text: string } };
  receipt?: unknown;
}

const SCRIPT = `
  const { startProbe } = await import(process.argv[1] + '/dist/probe.js');
  const { probeConfig } = await import(process.argv[1] + '/dist/config.js');
  console.log((await startProbe(probeConfig({ dataFolder: process.argv[2], port: 0 }, {}))).address);
`;
const started: ChildProcess[] = [];
afterAll(() => started.forEach((child) => child.kill('SIGKILL')));

/** In a process of its own, which can be killed. */
async function spawnProbe(data: TemporaryData): Promise<{ child: ChildProcess; address: string }> {
  const args = ['--input-type=module', '-e', SCRIPT, pathToFileURL(fromRoot()).href, data.path];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  started.push(child);
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  return { child, address: line.toString().trim() };
}

/** Of 1,400 bytes: more than the buffers of two sockets hold. */
const PACKETS = 12_000;
const HOUR = 3_600_000;
/** Long enough that it is kept before the server is killed, and over when that is back. */
const SHORT = 1500;

describe('exports of a server that is killed', () => {
  const data = new TemporaryData();
  const ids: Record<string, string> = {};
  const bodies: Record<string, Buffer> = {};
  const etags: Record<string, string> = {};
  let before: Map<string, Exported>;
  let probe: TestProbe;
  let backAt: number;
  const isRoot = process.getuid?.() === 0;

  beforeAll(async () => {
    (await data.open()).close();
    const packets = Array.from({ length: PACKETS }, (_, i) => ({ ns: BigInt(i) * 1_000_000n + 10n ** 18n, bytes: udpFrame(i, 53, 1400) }));
    writeFileSync(join(data.path, 'fs/admin/big.pcap'), pcap(packets));
    const { child, address } = await spawnProbe(data);
    const json = async <T>(path: string, config?: object): Promise<T> => {
      const body = config && JSON.stringify({ config });
      const answer = await fetch(`${address}${BASE}${path}`, {
        headers: { 'content-type': 'application/json' },
        ...(body && { method: 'POST', body }),
      });
      if (answer.status >= 400) throw new Error(await answer.text());
      return parseJson(await answer.text()) as T;
    };
    const create = async (name: string, config: object): Promise<string> => {
      const wanted = { path: 'fs/admin/big.pcap', connection_timeout_msec: HOUR, handle_timeout_msec: HOUR, ...config };
      return (ids[name] = (await json<Exported>('/exports', wanted)).id);
    };
    const fetchAll = async (name: string): Promise<void> => {
      const answer = await fetch(`${address}${BASE}/packets/items/${ids[name]!}`);
      bodies[name] = Buffer.from(await answer.arrayBuffer());
      etags[name] = answer.headers.get('etag') ?? '';
    };
    const isIn = (name: string, state: string): Promise<void> =>
      until(async () => (await json<Exported>(`/exports/items/${ids[name]!}`)).status.state === state, `${name} to be ${state}`);
    /** A client that has the beginning and reads no more. */
    const begin = async (name: string): Promise<void> => {
      const socket = connect(Number(new URL(address).port), '127.0.0.1');
      socket.on('error', () => undefined);
      socket.write(`GET ${BASE}/packets/items/${ids[name]!} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
      await once(socket, 'readable');
      await isIn(name, 'STREAMING');
    };
    const buffer = { mode: 'BUFFER_STREAM' };

    await create('legacy done', {});
    await fetchAll('legacy done');
    await create('file done', { mode: 'STREAM_TO_FILE', output_filename: '/admin/out.pcap' });
    await create('nodata', { start_time: '1', end_time: '2' });
    await fetchAll('nodata');
    await create('spool done', buffer);
    await create('spool ready', buffer);
    await create('spool streaming', buffer);
    await fetchAll('spool done');
    await create('waiting', {});
    await create('prepared', { mode: 'PREPARE' });
    await create('legacy streaming', {});
    await create('live streaming', { mode: 'LIVE_STREAM' });
    await begin('legacy streaming');
    await begin('live streaming');
    await isIn('spool streaming', 'READY');
    await begin('spool streaming');
    if (isRoot) {
      const later = { path: 'interfaces/lo', end_time: (Date.now() / 1000 + 600).toFixed(3) };
      await create('file running', { ...later, mode: 'STREAM_TO_FILE', output_filename: '/admin/running.pcap' });
      await create('spool running', { ...later, ...buffer });
      await isIn('file running', 'RUNNING');
    }
    await create('short, waits', { ...buffer, connection_timeout_msec: SHORT });
    await create('short, over', { handle_timeout_msec: SHORT });
    await fetchAll('short, over');
    for (const name of ['spool ready', 'short, waits', 'prepared']) await isIn(name, 'READY');
    await isIn('file done', 'DONE');
    before = new Map((await json<{ items: Exported[] }>('/exports')).items.map((each) => [each.id, each]));
    expect(before.size).toBe(Object.keys(ids).length);
    const killed = once(child, 'exit');
    const killedAt = Date.now();
    child.kill('SIGKILL');
    await killed;
    await sleep(Math.max(0, SHORT - (Date.now() - killedAt)));
    probe = await TestProbe.start(undefined, {}, data);
    backAt = Date.now();
  });
  afterAll(() => probe.stop());

  const seen = (name: string): Promise<Exported> => probe.json<Exported>(`${BASE}/exports/items/${ids[name]!}`);

  it.each(['legacy done', 'file done', 'nodata', 'spool done'])('%s: is as it was', async (name) => {
    const was = before.get(ids[name]!)!;
    expect(await seen(name)).toEqual(was);
    expect(was.receipt).toBeDefined();
  });

  it.each(['spool done', 'spool ready', 'spool streaming'])('%s: gives the same bytes once more, whole and by ranges', async (name) => {
    const whole = await probe.ask(`${BASE}/packets/items/${ids[name]!}`);
    const expected = bodies['legacy done']!;
    expect([whole.status, whole.headers.etag, whole.body.equals(expected)]).toEqual([200, etags['spool done'], true]);
    const part = await probe.ask(`${BASE}/packets/items/${ids[name]!}`, {
      headers: { range: 'bytes=1000000-1000999', 'if-range': whole.headers.etag! },
    });
    expect([part.status, part.body.equals(expected.subarray(1_000_000, 1_001_000))]).toEqual([206, true]);
    expect((await seen(name)).status.state).toBe('DONE');
  });

  it.each(['waiting', 'prepared', 'legacy streaming', 'live streaming'])('%s: has failed, and says why', async (name) => {
    const { status } = await seen(name);
    expect(status).toMatchObject({ state: 'ERRORS', error: { error_id: 'INTERRUPTED', error_text: expect.stringMatching(/server/) } });
    const { status: code, body } = await probe.ask(`${BASE}/packets/items/${ids[name]!}`);
    expect([code, JSON.parse(body.toString())]).toEqual([409, { error_id: 'EXPORT_STATE', error_text: expect.stringContaining('INTERRUPTED') }]);
  });

  it.each(['short, waits', 'short, over'])('%s: its time went on, and is over', async (name) => {
    expect((await probe.ask(`${BASE}/exports/items/${ids[name]!}`)).status).toBe(404);
    expect(Date.now() - backAt).toBeLessThan(20_000);
  });

  it('files that were whole are there, and others not, nor spools of what is gone', async () => {
    expect(readdirSync(join(data.path, 'fs/admin')).sort()).toEqual(['big.pcap', 'out.pcap', 'sample.pcap', 'x.pcap']);
    expect(packetsOf(readFileSync(join(data.path, 'fs/admin/out.pcap')))).toHaveLength(PACKETS);
    expect(readdirSync(join(data.path, 'spool')).sort()).toEqual(['spool done', 'spool ready', 'spool streaming'].map((name) => ids[name]!).sort());
  });

  it('new ones are made', async () => {
    const id = await probe.create({ path: 'fs/admin/big.pcap' });
    expect((await probe.ask(`${BASE}/packets/items/${id}`)).body.equals(bodies['legacy done']!)).toBe(true);
  });

  it('all can be deleted', async () => {
    const { items } = await probe.json<{ items: Exported[] }>(`${BASE}/exports`);
    for (const { id } of items) expect((await probe.ask(`${BASE}/exports/items/${id}`, { method: 'DELETE' })).status).toBe(204);
    expect(readdirSync(join(data.path, 'spool'))).toEqual([]);
  });

  describe.runIf(requireOrSkip('root, to capture', isRoot))('of an interface', () => {
    it('has failed, and its capture has ended', async () => {
      const { items } = await probe.json<{ items: Exported[] }>('/api/npm.packet_capture/3.0/jobs');
      expect(items).toEqual([]);
      expect(readdirSync(join(data.path, 'buffer'))).toEqual([]);
    });
  });
});
