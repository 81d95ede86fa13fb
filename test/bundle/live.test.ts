/** Collectors of a real server: what it knows and a folder doesn't. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { collectorsOf } from '../../src/bundle/collectors.js';
import { KEPT } from '../../src/bundle/limits.js';
import { TestProbe, BASE } from '../api/server.js';
import { collected, jobWith, linesIn, named, run } from './facts.js';

let probe: TestProbe;
beforeAll(async () => (probe = await TestProbe.start()));
afterAll(() => probe.stop());

const told = <T = Record<string, unknown>[]>(name: string): Promise<T> => collected<T>(probe.probe.facts, name);

it('tells exports as their clients read them, the newest first', async () => {
  const ids = [];
  for (let i = 0; i < 3; i++) ids.unshift(await probe.create({ path: 'fs/admin/sample.pcap', filters: { items: [{ id: 'f', type: 'BPF', value: 'udp' }] } })); // prettier-ignore
  await probe.ask(`${BASE}/packets/items/${ids[0]}`);
  const exports = await told('exports');
  expect(exports.map(({ id }) => id)).toEqual(ids);
  expect(exports[0]).toEqual(await probe.json(`${BASE}/exports/items/${ids[0]}`));
  expect(exports[0]).toMatchObject({ status: { state: 'DONE', owner: 'admin' }, receipt: expect.any(Object) as object });
});

it('tells when it began, and what it was started with', async () => {
  const { started, uptime_seconds: uptime } = (await told<{ server: { started: string; uptime_seconds: number } }>('versions')).server;
  expect(Math.abs(Date.parse(started) + 1000 * uptime - Date.now())).toBeLessThan(3000);
  expect(await told('probe')).toMatchObject({ started_with: { host: '127.0.0.1', port: 0, tls: null, logLevel: 'silent' } });
  expect(await told('lifecycle')).toMatchObject({ probe: { started, pid: process.pid }, captures: [] });
  expect(await told('health')).toEqual({ faults: [], checks: {} });
});

it('has metrics and a history', async () => {
  const { text } = await run(named(collectorsOf(probe.probe.facts), 'metrics'));
  expect(text).toContain(`spillway_info{version="${probe.probe.facts.version}"} 1`);
  const history = (await run(named(collectorsOf(probe.probe.facts), 'history'))).text;
  expect(history).toMatch(/^time,exports,exports_running,/);
});

it('has its log, though none goes to stderr, and no secret in it', async () => {
  await probe.ask(`${BASE}/exports?token=XSECRET`, { headers: { authorization: 'Bearer XSECRET', cookie: 'spillway_session=XSECRET' } });
  const { text } = await run(named(collectorsOf(probe.probe.facts), 'probe-log'));
  expect(linesIn(text).at(-1)).toMatchObject({
    level: 30,
    msg: 'request',
    method: 'GET',
    route: `${BASE}/exports`,
    status: expect.any(Number) as number,
  });
  expect(text).not.toContain('XSECRET');
});

it('has the audit of what was done', async () => {
  expect((await told('audit')).map(({ action }) => action)).toContain('export.create');
});

it('takes a second of processor time at most where there is much, and lets others have their turn', async () => {
  const { facts, access } = probe.probe;
  const many = Array.from({ length: 200 }, (_, i) => BigInt(i));
  await jobWith(facts.jobs, 'uplink', many, 1000);
  for (let i = 0; i < 1500; i++) access.audit.note({ who: 'ann', action: 'login', what: 'password', address: 'local' });
  const exports = Array.from({ length: 1000 }, (_, id) => ({ id, text: 'x'.repeat(2000) }));
  const collectors = collectorsOf({ ...facts, exports: () => exports });
  let turns = 0;
  const ticking = setInterval(() => (turns += 1), 1);
  const began = process.cpuUsage();
  for (const collector of collectors) await run(collector);
  const { user, system } = process.cpuUsage(began);
  clearInterval(ticking);
  expect((user + system) / 1e6).toBeLessThan(1.5);
  expect(turns).toBeGreaterThan(10);
  expect(await told('audit')).toHaveLength(KEPT.base.auditRows);
});
