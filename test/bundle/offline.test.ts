/** A package of a folder that no server has, whatever state that is in. */
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import Database from 'libsql';
import { afterEach, describe, expect, it } from 'vitest';
import { Jobs } from '../../src/buffer/jobs.js';
import { offlineCollectors, type OfflineCollectors } from '../../src/bundle/offline.js';
import { packageVersion } from '../../src/root.js';
import { openDataFolder } from '../../src/state/data-folder.js';
import { temporaryFolder } from '../support/temporary.js';
import { jobWith, named, run } from './facts.js';

const folder = temporaryFolder();
let made = 0;
const fresh = (): string => join(folder.path, String(made++));
const opened: { close(): void }[] = [];
afterEach(() => opened.splice(0).forEach((each) => each.close()));

async function open(path: string): Promise<OfflineCollectors> {
  const offline = await offlineCollectors(path);
  opened.push(offline);
  return offline;
}

async function tell(path: string, ...names: string[]): Promise<unknown[]> {
  const { collectors } = await open(path);
  return Promise.all(names.map((name) => run(named(collectors, name)).then(({ value }) => value, (error: unknown) => `failed: ${(error as Error).message}`))); // prettier-ignore
}

it('tells what the folder holds', async () => {
  const path = fresh();
  const data = await openDataFolder(path);
  data.users.save({ name: 'ann', role: 'admin', password: 'scrypt:x', sources: null });
  await data.audit.add({ who: 'ann', action: 'login', what: 'password', address: 'local' }, 1000);
  const request = '{"config":{"path":"fs/admin/a.pcap"}}';
  const kept = { owner: 'ann', state: 'DONE', request, deadlineNs: null };
  await data.exports.save({ ...kept, id: 'old', creationNs: 1n, outcome: '{"progress":100,"stats":{"exported_bytes":9007199254740993}}' });
  await data.exports.save({ ...kept, id: 'new', creationNs: 2_000_000_000n, outcome: null, request: '{broken' });
  data.close();
  await jobWith(new Jobs(path), 'uplink', [1n, 2n]);

  const { collectors, about } = await open(path);
  expect(about).toEqual({ version: packageVersion(), serial: data.serial, device: hostname(), createdMs: expect.any(Number) as number });
  expect(collectors.map(({ name }) => name)).not.toContain('metrics');
  expect((await run(named(collectors, 'users'))).value).toEqual([expect.objectContaining({ name: 'ann', password_hash: 'scrypt:x' })]);
  expect((await run(named(collectors, 'audit'))).value).toEqual([expect.objectContaining({ who: 'ann', action: 'login' })]);
  const exports = await run(named(collectors, 'exports'));
  expect(exports.value).toEqual([
    { id: 'new', owner: 'ann', created: '2.000000000', state: 'DONE', request: 'can not be read', outcome: null },
    expect.objectContaining({ id: 'old', request: { config: { path: 'fs/admin/a.pcap' } } }),
  ]);
  expect(exports.text).toContain('9007199254740993');
  expect((await run(named(collectors, 'buffer-map'))).value).toEqual([expect.objectContaining({ job: 'uplink', segments: 2 })]);
  // And gives it back.
  opened.pop()!.close();
  (await openDataFolder(path)).close();
});

describe('of a database that can not be opened', () => {
  const newer = (path: string): void => {
    const db = new Database(join(path, 'spillway.db'));
    db.exec('PRAGMA user_version = 1000');
    db.close();
  };
  it.each<[what: string, spoil: (path: string) => void | Promise<void>, why: RegExp]>([
    ['used by another', async (path) => void opened.push(await openDataFolder(path)), /is locked/],
    ['damaged', (path) => writeFileSync(join(path, 'spillway.db'), 'x'.repeat(5000)), /can not be opened as a database/],
    ['newer', newer, /made by a newer version/],
    ['missing', () => undefined, /there is no .*spillway\.db/],
    ['a folder', (path) => mkdirSync(join(path, 'spillway.db')), /can not be opened/],
  ])('%s: only what needs it is missing', async (_, spoil, why) => {
    const path = fresh();
    mkdirSync(path);
    await jobWith(new Jobs(path), 'uplink', [1n, 2n]);
    await spoil(path);
    const [users, audit, exports, map, jobs, versions] = await tell(path, 'users', 'audit', 'exports', 'buffer-map', 'jobs', 'versions');
    for (const each of [users, audit, exports]) expect(each).toMatch(why);
    expect(map).toEqual([expect.objectContaining({ job: 'uplink', segments: 2 })]);
    expect(jobs).toHaveLength(1);
    expect(versions).toMatchObject({ serial: null, spillway: packageVersion() });
  });
});

it('makes nothing where there is nothing', async () => {
  const path = fresh();
  const [jobs, exports, map, test] = await tell(path, 'jobs', 'exports', 'buffer-map', 'self-test');
  expect(jobs).toEqual([]);
  expect(exports).toMatch(/there is no/);
  expect(map).toEqual([]);
  expect(test).toEqual([]);
  expect(existsSync(path)).toBe(false);
});

it('makes no database in a folder without one', async () => {
  const path = fresh();
  mkdirSync(path);
  await tell(path, 'users');
  expect(readdirSync(path)).toEqual([]);
});
