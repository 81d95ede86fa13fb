/** `/metrics` and `/health`: what they tell, to whom. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Health, type HealthOptions } from '../../src/api/observe/health.js';
import { readableLines } from '../../src/api/observe/capture-metrics.js';
import type { WatchedJob } from '../../src/api/observe/captures.js';
import { routesOf } from '../../src/api/routes.js';
import { FakeEngine, Gate, until } from '../export/fakes.js';
import { BASE, TestProbe, basic, errorOf } from './server.js';

const engine = new FakeEngine();
let probe: TestProbe;
beforeAll(async () => {
  probe = await TestProbe.start(engine.prepare);
});
afterAll(() => probe.stop());

/** Of one series, by its name and labels as they stand in the text; 0 where it is not there. */
async function metric(series: string, headers = {}): Promise<number> {
  const { body } = await probe.ask('/metrics', { headers });
  const line = body
    .toString()
    .split('\n')
    .find((each) => each.startsWith(`${series} `));
  return Number(line?.slice(series.length + 1) ?? 0);
}

describe('metrics', () => {
  it('are the text that Prometheus reads', async () => {
    const { status, headers, body } = await probe.ask('/metrics');
    expect([status, headers['content-type']]).toEqual([200, 'text/plain; version=0.0.4; charset=utf-8']);
    for (const line of body.toString().split('\n').filter(Boolean))
      expect(line).toMatch(/^(# (HELP|TYPE) \w+ .+|[a-z_]\w*(\{(\w+="[^"]*",?)+\})? (-?[\d.e+-]+|Nan|\+Inf))$/);
    expect(body.toString()).toMatch(/^process_resident_memory_bytes \d+$/m);
    expect(body.toString()).toMatch(/^spillway_info\{version="[\d.]+"\} 1$/m);
  });

  it('follow an export from its creation to its end', async () => {
    const gate = new Gate();
    engine.runGate = gate.passed;
    const id = await probe.create({ path: 'fs/admin/sample.pcap' });
    expect(await metric('spillway_exports_created_total{mode="LEGACY"}')).toBe(1);
    expect(await metric('spillway_exports{mode="LEGACY",state="RUNNING"}')).toBe(1);
    const fetching = probe.ask(`${BASE}/packets/items/${id}`);
    await until(async () => (await metric('spillway_export_turns{source="stored"}')) === 1);
    expect(await metric('spillway_exports{mode="LEGACY",state="STREAMING"}')).toBe(1);
    expect(await metric('spillway_downloads')).toBe(1);
    expect(await metric('spillway_export_packets_total')).toBe(5);
    gate.open();
    await fetching;
    await until(async () => (await metric('spillway_exports_ended_total{mode="LEGACY",outcome="DONE"}')) === 1);
    expect(await metric('spillway_export_bytes_total')).toBe(500);
    await until(async () => (await metric('spillway_export_turns{source="stored"}')) === 0);
    await probe.ask(`${BASE}/exports/items/${id}`, { method: 'DELETE' });
    expect(await metric('spillway_exports_ended_total{mode="LEGACY",outcome="REMOVED"}')).toBe(0);
    expect(await metric('spillway_export_bytes_total')).toBe(500);
  });

  it('count what was spooled once, however often it is fetched', async () => {
    const before = await metric('spillway_export_bytes_total');
    const id = await probe.create({ path: 'fs/admin/sample.pcap', mode: 'BUFFER_STREAM' });
    for (let i = 0; i < 3; i++) expect((await probe.ask(`${BASE}/packets/items/${id}`)).body.toString()).toBe('headtail');
    expect(await metric('spillway_exports_ended_total{mode="BUFFER_STREAM",outcome="DONE"}')).toBe(1);
    expect(await metric('spillway_export_bytes_total')).toBe(before + 500);
    expect(await metric('spillway_spool_bytes')).toBe(8);
    await probe.ask(`${BASE}/exports/items/${id}`, { method: 'DELETE' });
    expect(await metric('spillway_spool_bytes')).toBe(0);
  });

  it('count what is removed before its end, and what fails', async () => {
    const id = await probe.create({ path: 'fs/admin/sample.pcap' });
    await probe.ask(`${BASE}/exports/items/${id}`, { method: 'DELETE' });
    expect(await metric('spillway_exports_ended_total{mode="LEGACY",outcome="REMOVED"}')).toBe(1);
    engine.runError = new Error('as a test wants');
    await probe.ask(`${BASE}/packets/items/${await probe.create({ path: 'fs/admin/sample.pcap' })}`);
    engine.runError = null;
    await until(async () => (await metric('spillway_exports_ended_total{mode="LEGACY",outcome="ERRORS"}')) === 1);
  });

  it('name routes as they are declared, never as they were asked for', async () => {
    const series = 'spillway_http_requests_total{method="GET",route="/api/npm.packet_export/1.3/exports/items/*",status="4xx"}';
    const before = await metric(series);
    for (const id of ['a', 'b/c', '%2e%2e']) await probe.ask(`${BASE}/exports/items/${id}`);
    await probe.ask('/nowhere/secret-1');
    expect(await metric(series)).toBe(before + 3);
    expect(await metric('spillway_http_requests_total{method="GET",route="none",status="4xx"}')).toBe(1);
    expect((await probe.ask('/metrics')).body.toString()).not.toContain('secret-1');
    expect(await metric('spillway_http_first_byte_seconds_count{method="GET",route="/metrics"}')).toBeGreaterThan(3);
  });

  it('show jobs to those alone who may read them', () => {
    const text = 'x{job="a"} 1\nx{job="b",kind="c"} 2\nx{kind="job"} 3\n';
    const jobs = [
      { id: 'i', name: 'a' },
      { id: 'k', name: 'b' },
    ] as WatchedJob[];
    const shownTo = (sources: string[] | null): string => readableLines(text, jobs, { name: 'ann', role: 'reader', sources });
    expect(shownTo(null)).toBe(text);
    expect(shownTo(['jobs/a'])).toBe('x{job="a"} 1\nx{kind="job"} 3\n');
    expect(shownTo(['jobs/k'])).toBe('x{job="b",kind="c"} 2\nx{kind="job"} 3\n');
    expect(shownTo([])).toBe('x{kind="job"} 3\n');
  });
});

describe('health', () => {
  it.each(['/health', '/health/live', '/health/ready'])('%s', async (path) => {
    const { status, headers, body } = await probe.ask(path);
    expect([status, headers['cache-control'], JSON.parse(body.toString())]).toEqual([200, 'no-store', { status: 'ok' }]);
  });

  const well: HealthOptions = { dataFolder: '/', writeDatabase: () => undefined, hasThreads: () => true, captures: { look: async () => [] } };
  const job = (running: string, isEnabled = true): WatchedJob => ({ running, isEnabled }) as WatchedJob;
  it.each<[string, Partial<HealthOptions>, RegExp | null, object]>([
    ['a probe that works', {}, null, {}],
    ['a database that is read-only', { writeDatabase: () => fail('SQLITE_READONLY') }, /database can not be written \(SQLITE_READONLY\)/, {}],
    ['a data folder that is gone', { dataFolder: '/nowhere/at/all' }, /disk .* \(ENOENT\)/, {}],
    ['a disk without room', { dataFolder: '/proc' }, /nearly full: 0 MB are left/, {}],
    ['no threads', { hasThreads: () => false }, /no thread/, {}],
    [
      'a job that is not captured',
      { captures: { look: async () => [job('RUNNING'), job('STOPPED')] } },
      null,
      { captures: expect.stringMatching(/^1 of 2/) },
    ],
    ['a capture that does not answer', { captures: { look: async () => [job('UNKNOWN')] } }, null, { captures: expect.stringMatching(/^1 of 1/) }],
    ['a job that is not to be captured', { captures: { look: async () => [job('STOPPED', false)] } }, null, {}],
    ['captures that nothing is known of', { captures: { look: () => Promise.reject(new Error('x')) } }, null, {}],
  ])('%s', async (_what, wrong, fault, checks) => {
    const report = await new Health({ ...well, ...wrong }).report();
    expect(report.faults).toEqual(fault ? [expect.stringMatching(fault)] : []);
    expect(report.checks).toEqual(checks);
  });

  it('waits for nothing that does not answer', async () => {
    const health = new Health({ ...well, hasThreads: () => false, captures: { look: () => new Promise<never>(() => undefined) } }, 1500);
    expect((await health.report()).faults).toEqual([expect.stringMatching(/no thread/)]);
    expect((await health.report()).faults).toEqual(['the system does not answer']);
  });
});

describe('rights', () => {
  const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH'];

  it('are those of the table, for everybody and every method', async () => {
    const own = await TestProbe.start(engine.prepare);
    try {
      expect((await own.ask('/metrics')).status).toBe(200);
      const admin = await own.addUser('ann');
      const reader = await own.addUser('rita', 'reader', []);
      const callers: [string, object, number][] = [
        ['nobody', {}, 401],
        ['a wrong password', basic('rita', 'no'), 401],
        ['a forged token', { authorization: 'Bearer x' }, 401],
        ['a reader', reader, 200],
        ['an admin', admin, 200],
      ];
      const routes = routesOf(own.probe.services.filter(({ name }) => name === 'spillway.observe'));
      expect(routes.map(({ url }) => url)).toEqual(['/metrics', '/health', '/health/ready', '/health/live']);
      for (const { url, link } of routes) {
        for (const [who, headers, status] of callers) {
          for (const method of METHODS) {
            const expected = method !== 'GET' && method !== 'HEAD' ? 405 : link.right === 'public' ? 200 : status;
            const answer = await own.ask(url, { method, headers: headers as Record<string, string> });
            expect([url, who, method, answer.status]).toEqual([url, who, method, expected]);
            if (expected >= 400 && method !== 'HEAD') errorOf(answer);
          }
        }
      }
      const { access_token: token } = await own.json<{ access_token: string }>('/api/mgmt.aaa/1.0/token', {
        body: { user_credentials: { username: 'rita', password: 'the password of rita' }, generate_refresh_token: false },
      });
      const { body } = await own.ask('/metrics', { headers: { authorization: `Bearer ${token}` } });
      expect(Number(/^spillway_logins_failed_total (\d+)$/m.exec(body.toString())?.[1])).toBeGreaterThan(0);
    } finally {
      await own.stop();
    }
  });

  it('list none of it among the services that clients bind to', async () => {
    const services = await probe.json<{ id: string }[]>('/api/common/1.0/services');
    expect(services.map(({ id }) => id)).not.toContain('spillway.observe');
    expect((await probe.ask('/api/spillway.observe/1.0')).status).toBe(404);
  });
});

function fail(code: string): never {
  throw Object.assign(new Error('x'), { code });
}
