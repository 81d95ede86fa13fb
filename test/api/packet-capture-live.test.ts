/** Capture jobs over REST on virtual interfaces: what is sent, what is counted, what is stored, and what a clip keeps of it. */
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Jobs } from '../../src/buffer/jobs.js';
import { captureStatus, stopCapture } from '../../src/capture/control.js';
import { canCapture, run, sender, until } from '../capture/live.js';
import { TemporaryData } from '../export/fakes.js';
import { requireOrSkip } from '../setup/require.js';
import { packetsOf } from './captures.js';
import { BASE as EXPORTS, errorOf, TestProbe, type Answer } from './server.js';

const BASE = '/api/npm.packet_capture/3.0';
const CLIPS = '/api/npm.clips/1.0';
/** Two pairs; one end of each sends to the other. */
const [A, B, C, D] = ['a', 'b', 'c', 'd'].map((end) => `spw${end}${process.pid}`) as [string, string, string, string];
const SIZE = 200;

interface Job {
  id: string;
  config: Record<string, unknown>;
  state: {
    stats: Record<'packets_written' | 'bytes_written' | 'packets_dropped', { total: number; last_second: number; last_minute: number }>;
    status: { state: string; packet_start_time: string; packet_end_time: string; capture_size: number; capture_disk_space: number };
  };
}

const ip = (...args: string[]): void => void execFileSync('ip', args);
const indexOf = (name: string): number => Number(readFileSync(`/sys/class/net/${name}/ifindex`, 'latin1'));
const read = <T>({ body }: Answer): T => JSON.parse(body.toString()) as T;
const send = async (count: number, on: string): Promise<void> => {
  await run(sender(), ['--interface', on, '--count', `${count}`, '--size', `${SIZE}`]);
};

describe.runIf(requireOrSkip('root and network namespaces', canCapture()))('a capture over REST', () => {
  let probe: TestProbe;
  let data: TemporaryData;
  beforeAll(async () => {
    for (const [one, other] of [
      [A, B],
      [C, D],
    ] as const) {
      ip('link', 'add', 'name', one, 'type', 'veth', 'peer', 'name', other);
      // No address, no neighbour discovery: nothing but the frames of the test.
      for (const name of [one, other]) execFileSync('sysctl', ['-qw', `net.ipv6.conf.${name}.disable_ipv6=1`]);
      for (const name of [one, other]) ip('link', 'set', name, 'up');
    }
    data = new TemporaryData();
    probe = await TestProbe.start(undefined, {}, data);
  });
  afterAll(async () => {
    for (const { folder } of await new Jobs(data.path).list()) await stopCapture(folder);
    await probe.stop();
    for (const name of [A, C]) spawnSync('ip', ['link', 'del', name]);
  });

  const get = (id: string): Promise<Job> => probe.json<Job>(`${BASE}/jobs/items/${id}`);
  const put = (id: string, config: object): Promise<Answer> => probe.ask(`${BASE}/jobs/items/${id}`, { method: 'PUT', body: { config } });
  const create = async (config: object): Promise<Job> => {
    const answer = await probe.ask(`${BASE}/jobs`, { body: { config } });
    expect([answer.status, answer.status === 201 ? '' : answer.body.toString()]).toEqual([201, '']);
    return read<Job>(answer);
  };
  const written = async (id: string): Promise<number> => (await get(id)).state.stats.packets_written.total;
  const exported = async (path: string, config: object = {}): Promise<number> => {
    const id = await probe.create({ path, output_format: 'PCAP_NS', ...config });
    const { status, body } = await probe.ask(`${EXPORTS}/packets/items/${id}`);
    expect(status).toBe(200);
    return packetsOf(body).length;
  };

  it('counts, stops, starts again with what it has, is cleared and goes', async () => {
    const begun = Date.now() / 1000;
    const made = await create({ name: 'life', vifgs: [indexOf(B)] });
    expect(made.state.status.state).toBe('RUNNING');
    await send(300, A);
    await until(async () => (await written(made.id)) === 300);
    const running = await get(made.id);
    expect(running.state.stats).toMatchObject({
      packets_written: { total: 300, last_minute: 300 },
      bytes_written: { total: 300 * SIZE },
      packets_dropped: { total: 0, last_second: 0 },
    });
    const { packet_start_time: first, packet_end_time: last, capture_size: size, capture_disk_space: disk } = running.state.status;
    for (const time of [first, last]) expect(time).toMatch(/^\d{10}\.\d{9}$/);
    expect(Number(first)).toBeGreaterThan(begun - 1);
    expect(Number(last)).toBeGreaterThan(Number(first));
    expect(size).toBeGreaterThan(300 * SIZE);
    expect(disk).toBeGreaterThanOrEqual(size);
    expect(await exported(`jobs/${made.id}`)).toBe(300);

    const unchanged = read<Job>(await probe.ask(`${BASE}/jobs/items/${made.id}`, { method: 'PUT', body: running }));
    expect(unchanged.config).toEqual(running.config);
    expect(unchanged.state.stats.packets_written.total).toBe(300);

    const stopped = read<Job>(await put(made.id, { ...running.config, enabled: false }));
    expect([stopped.config['enabled'], stopped.state.status.state]).toEqual([false, 'STOPPED']);
    expect(stopped.state.stats).toMatchObject({ packets_written: { total: 300, last_minute: 0 }, bytes_written: { total: 300 * SIZE } });
    expect(stopped.state.status).toMatchObject({ packet_start_time: first, packet_end_time: last });
    await send(50, A);

    expect(read<Job>(await put(made.id, { ...running.config, enabled: true })).state.status.state).toBe('RUNNING');
    await send(100, A);
    await until(async () => (await written(made.id)) === 100);
    expect(await exported(`jobs/${made.id}`)).toBe(400);

    // Other settings: another capture, and what there is stays.
    const filtered = await put(made.id, { ...running.config, filter: { type: 'BPF', value: 'udp src port 1003' } });
    expect(read<Job>(filtered)).toMatchObject({ config: { filter: { value: 'udp src port 1003' } }, state: { status: { state: 'RUNNING' } } });
    await send(97, A);
    await until(async () => (await written(made.id)) === 1);
    expect(await exported(`jobs/${made.id}`)).toBe(401);

    const cleared = await probe.ask(`${BASE}/jobs/items/${made.id}/clear`, { method: 'POST' });
    expect([cleared.status, cleared.body.length]).toEqual([204, 0]);
    const after = await get(made.id);
    expect(after.state.status).toMatchObject({ state: 'RUNNING', packet_start_time: '0.000000000', capture_size: 0 });
    await send(97, A);
    await until(async () => (await written(made.id)) === 1);
    expect(await exported(`jobs/${made.id}`)).toBe(1);

    expect((await probe.ask(`${BASE}/jobs/items/${made.id}`, { method: 'DELETE' })).status).toBe(204);
    expect((await probe.ask(`${BASE}/jobs/items/${made.id}`)).status).toBe(404);
  });

  it('of a group captures its members, which can not be changed meanwhile', async () => {
    const made = await probe.ask(`${BASE}/vifgs`, { body: { config: { name: 'both', members: [B, D] } } });
    const group = read<{ id: number; config: object }>(made);
    const job = await create({ name: 'both', vifgs: [group.id] });
    await send(20, A);
    await send(30, C);
    await until(async () => (await written(job.id)) === 50);
    const vifg = `${BASE}/vifgs/items/${group.id}`;
    for (const answer of [await probe.ask(vifg, { method: 'PUT', body: { config: { members: [B] } } }), await probe.ask(vifg, { method: 'DELETE' })])
      expect([answer.status, errorOf(answer).error_id]).toEqual([409, 'VIFG_IN_USE']);
    expect((await probe.ask(vifg, { method: 'PUT', body: { config: { description: 'two' } } })).status).toBe(200);
    const state = await probe.json<{ state: { stats: Record<string, { total: number }> } }>(vifg);
    expect(state.state.stats['packets_received']!.total).toBeGreaterThanOrEqual(50);

    // Live, from the request on.
    const id = await probe.create({ path: `vifgs/${group.id}`, stop_rule: { packet_limit: 7 }, output_format: 'PCAP_NS' });
    const fetching = probe.ask(`${EXPORTS}/packets/items/${id}`);
    await send(4, A);
    await send(5, C);
    expect(packetsOf((await fetching).body)).toHaveLength(7);

    await put(job.id, { name: 'both', enabled: false });
    expect((await probe.ask(vifg, { method: 'PUT', body: { config: { members: [D] } } })).status).toBe(200);
    const again = await put(job.id, { name: 'both', enabled: true });
    expect([again.status, read<Job>(again).state.status.state]).toEqual([200, 'RUNNING']);
    await send(9, A);
    await send(11, C);
    await until(async () => (await written(job.id)) === 11);
    await probe.ask(`${BASE}/jobs/items/${job.id}`, { method: 'DELETE' });
    expect((await probe.ask(vifg, { method: 'DELETE' })).status).toBe(204);
  });

  it('whose packets a clip keeps is not deleted, and not cleared of them', async () => {
    const job = await create({ name: 'kept', vifgs: [indexOf(B)] });
    await send(40, A);
    await until(async () => (await written(job.id)) === 40);
    const filters = { items: [{ id: 'f', type: 'BPF', value: 'udp src portrange 1000-1009' }] };
    const made = await probe.ask(`${CLIPS}/clips`, { body: { config: { job_id: job.id, end_time: 'None', description: 'mine', filters } } });
    expect(made.status).toBe(201);
    const clip = read<{ id: string; config: object; status: Record<string, unknown> }>(made);
    expect(clip.config).toEqual({ job_id: job.id, start_time: '0', end_time: 'None', description: 'mine', filters });
    expect(clip.status).toMatchObject({ locked: true, packets_written: 40, packets_dropped: 0 });
    // Ports are 1000 + number: the clip has ten of them, and further filters leave less.
    expect(await exported(`clips/${clip.id}`)).toBe(10);
    expect(await exported(`clips/${clip.id}`, { filters: { items: [{ id: 'x', type: 'BPF', value: 'udp src port 1004' }] } })).toBe(1);
    const refused = await probe.ask(`${BASE}/jobs/items/${job.id}`, { method: 'DELETE' });
    expect([refused.status, errorOf(refused).error_id]).toEqual([409, 'JOB_HAS_CLIPS']);
    expect((await get(job.id)).state.status.state).toBe('RUNNING');
    await put(job.id, { name: 'kept', snap_len: 100 });
    await send(5, A);
    await until(async () => (await written(job.id)) === 5);
    await probe.ask(`${BASE}/jobs/items/${job.id}/clear`, { method: 'POST' });
    expect(await exported(`jobs/${job.id}`)).toBe(40);
    expect((await probe.ask(`${CLIPS}/clips/items/${clip.id}`, { method: 'DELETE' })).status).toBe(204);
    await probe.ask(`${BASE}/jobs/items/${job.id}/clear`, { method: 'POST' });
    expect((await get(job.id)).state.status).toMatchObject({ state: 'RUNNING', capture_size: 0 });
    expect((await probe.ask(`${BASE}/jobs/items/${job.id}`, { method: 'DELETE' })).status).toBe(204);
  });

  it('is taken up again when the probe starts, unless somebody has ended it', async () => {
    const [on, off] = [await create({ name: 'on', vifgs: [indexOf(B)] }), await create({ name: 'off', vifgs: [indexOf(B)] })];
    // As a restart of the machine does.
    for (const { folder } of await new Jobs(data.path).list()) await stopCapture(folder);
    expect((await get(on.id)).state.status.state).toBe('STOPPED');
    execFileSync('bin/spillway', ['jobs', 'stop', 'off', '--data', data.path], { stdio: 'ignore' });
    await probe.probe.close();
    probe = await TestProbe.start(undefined, {}, data);
    expect(await get(on.id)).toMatchObject({ config: { enabled: true }, state: { status: { state: 'RUNNING' } } });
    expect(await get(off.id)).toMatchObject({ config: { enabled: false }, state: { status: { state: 'STOPPED' } } });
    const listed = execFileSync('bin/spillway', ['jobs', '--data', data.path], { encoding: 'utf8' });
    expect(listed).toMatch(/jobs\/on .* capturing/);
  });

  it('that waits for an interface is not ended for what could not begin anew', async () => {
    const job = await create({ name: 'waits', vifgs: [indexOf(D)] });
    ip('link', 'del', C);
    await until(async () => (await captureStatus((await new Jobs(data.path).get('waits')).folder))?.interfaces[0]?.state === 'link_gone');
    for (const refused of [
      await put(job.id, { name: 'waits', snap_len: 64 }),
      await probe.ask(`${BASE}/jobs/items/${job.id}/clear`, { method: 'POST' }),
    ])
      expect([refused.status, errorOf(refused).error_id]).toEqual([404, 'INTERFACE_NOT_FOUND']);
    expect(await get(job.id)).toMatchObject({ config: { name: 'waits', snap_len: 0, vifgs: [] }, state: { status: { state: 'RUNNING' } } });
    const named = read<Job>(await put(job.id, { name: 'renamed' }));
    expect(named).toMatchObject({ config: { name: 'renamed' }, state: { status: { state: 'RUNNING' } } });
  });
});
