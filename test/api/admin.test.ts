/** spillway.admin 1.0 over HTTP, and through the probe's own socket. */
import { existsSync, statSync } from 'node:fs';
import { request, type IncomingMessage } from 'node:http';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { FakeEngine, TemporaryData } from '../export/fakes.js';
import { BASE, basic, errorOf, passwordOf, TestProbe, type Ask } from './server.js';

vi.mock('../../src/access/password.js', () => import('../access/quick-password.js'));

const ADMIN = '/api/spillway.admin/1.0';
let probe: TestProbe;
let headers: { authorization: string };
beforeAll(async () => {
  probe = await TestProbe.start(new FakeEngine().prepare);
  headers = await probe.addUser('root');
});
afterAll(() => probe.stop());

const ask = (path: string, given: Ask = {}): ReturnType<TestProbe['ask']> => probe.ask(`${ADMIN}${path}`, { ...given, headers });
const ann = { name: 'ann', role: 'reader', password: 'first' };

describe('users', () => {
  it('are added, shown, changed and removed; a password is never told', async () => {
    const made = await ask('/users', { body: { ...ann, sources: ['jobs/*'] } });
    expect([made.status, made.headers.location]).toEqual([201, `${ADMIN}/users/items/ann`]);
    const shown = { name: 'ann', role: 'reader', sources: ['jobs/*'] };
    expect(JSON.parse(made.body.toString())).toEqual(shown);
    expect(await probe.json(made.headers.location!, { headers })).toEqual(shown);
    expect(await probe.json(`${ADMIN}/users`, { headers })).toEqual({ items: [shown, { name: 'root', role: 'admin', sources: null }] });
    expect((await probe.ask(`${BASE}/exports`, { headers: basic('ann', 'first') })).status).toBe(200);
    // As it was read, with one thing changed.
    const set = await ask('/users/items/ann', { method: 'PUT', body: { ...shown, role: 'operator' } });
    expect(JSON.parse(set.body.toString())).toEqual({ ...shown, role: 'operator' });
    await ask('/users/items/ann', { method: 'PUT', body: { ...shown, password: 'second' } });
    expect((await probe.ask(`${BASE}/exports`, { headers: basic('ann', 'first') })).status).toBe(401);
    expect((await probe.ask(`${BASE}/exports`, { headers: basic('ann', 'second') })).status).toBe(200);
    expect((await ask('/users/items/ann', { method: 'DELETE' })).status).toBe(204);
    expect((await ask('/users/items/ann')).status).toBe(404);
    expect(existsSync(join(probe.data.path, 'fs/ann'))).toBe(true);
  });

  it.each([
    ['POST', '/users', { ...ann, name: '../x' }, 400, 'REQUEST_INVALID'],
    ['POST', '/users', { ...ann, name: 'root' }, 409, 'USER_EXISTS'],
    ['POST', '/users', { ...ann, role: 'king' }, 400, 'REQUEST_INVALID'],
    ['POST', '/users', { ...ann, sources: 'jobs/x' }, 400, 'REQUEST_INVALID'],
    ['POST', '/users', { ...ann, sources: ['nothing'] }, 400, 'REQUEST_INVALID'],
    ['POST', '/users', { ...ann, password: '' }, 400, 'REQUEST_INVALID'],
    ['POST', '/users', { ...ann, password: undefined }, 400, 'REQUEST_INVALID'],
    ['POST', '/users', { ...ann, colour: 'red' }, 400, 'REQUEST_INVALID'],
    ['PUT', '/users/items/none', { role: 'reader', sources: null }, 404, 'USER_NOT_FOUND'],
    ['PUT', '/users/items/root', { role: 'reader' }, 400, 'REQUEST_INVALID'],
    ['DELETE', '/users/items/none', undefined, 404, 'USER_NOT_FOUND'],
    ['DELETE', '/users/items/root', undefined, 409, 'USER_LAST'],
    ['GET', '/users/items/..%2froot', undefined, 404, 'USER_NOT_FOUND'],
    ['GET', '/users/items/%00', undefined, 404, 'USER_NOT_FOUND'],
  ])('%s %s %j is refused', async (method, path, body, status, code) => {
    const answer = await ask(path, { method, ...(body && { body }) });
    expect([answer.status, errorOf(answer).error_id]).toEqual([status, code]);
  });
});

describe('the audit', () => {
  it('tells logins and changes, the newest first, a page at a time', async () => {
    await ask('/users', { body: ann });
    await probe.ask('/api/common/1.0/login', { body: { username: 'ann', password: 'first' } });
    await probe.ask('/api/common/1.0/login', { body: { username: 'ann', password: 'a wrong one' } });
    probe.probe.access.audit.note({ who: 'ann', action: 'export', what: 'jobs/x', filter: 'tcp', bytes: 12n, address: '192.0.2.9' });
    const { items } = await probe.json<{ items: Record<string, unknown>[] }>(`${ADMIN}/audit`, { headers });
    expect(items.slice(0, 4).map(({ who, action, what }) => [who, action, what])).toEqual([
      ['ann', 'export', 'jobs/x'],
      ['ann', 'login_failed', 'wrong password'],
      ['ann', 'login', 'password'],
      ['root', 'user_added', 'ann: reader, all sources'],
    ]);
    expect(items.at(-1)).toMatchObject({ who: 'test', action: 'user_added', what: 'root: admin, all sources', address: 'local' });
    expect(items[0]).toMatchObject({ filter: 'tcp', bytes: 12, address: '192.0.2.9', time: expect.stringMatching(/^\d+\.\d{9}$/) as string });
    expect(items[1]).toMatchObject({ address: '127.0.0.1' });
    const page = await probe.json<{ items: unknown[] }>(`${ADMIN}/audit?limit=2&before=${String(items[1]!['id'])}`, { headers });
    expect(page.items).toEqual(items.slice(2, 4));
  });

  it.each(['limit=x', 'limit=1001', 'limit=-1', 'before=1.5', 'before=99999999999999999999'])('is not asked with %s', async (query) => {
    const answer = await ask(`/audit?${query}`);
    expect([answer.status, errorOf(answer).error_id]).toEqual([400, 'REQUEST_INVALID']);
  });
});

async function overSocket(path: string, folder: string): Promise<{ status: number; text: string }> {
  const asked = request({ socketPath: `${folder}/spillway.sock`, path, headers: { host: 'localhost' }, agent: false }).end();
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  let text = '';
  for await (const part of response.setEncoding('utf8')) text += String(part);
  return { status: response.statusCode!, text };
}

describe("the probe's own socket", () => {
  it('is for its user alone, who is the admin there, and goes with the probe', async () => {
    const path = join(probe.data.path, 'spillway.sock');
    expect(statSync(path).isSocket() && (statSync(path).mode & 0o777) === 0o700).toBe(true);
    expect(await overSocket(`${ADMIN}/users`, probe.data.path)).toMatchObject({ status: 200, text: expect.stringContaining('"root"') as string });
    // No header makes a request from elsewhere one of these.
    for (const forged of [{ 'x-forwarded-for': 'local' }, { 'x-real-ip': '' }, { forwarded: 'for=local' }])
      expect((await probe.ask(`${ADMIN}/users`, { headers: forged })).status).toBe(401);
    const other = await TestProbe.start(new FakeEngine().prepare);
    await other.probe.close();
    expect(existsSync(join(other.data.path, 'spillway.sock'))).toBe(false);
    other.data.remove();
  });

  it('is made anew over one that was left behind, also below a long path', async () => {
    const data = new TemporaryData();
    const deep = Object.assign(data, { path: join(data.path, ...Array.from({ length: 5 }, () => 'a-rather-long-folder-name')) });
    const first = await TestProbe.start(new FakeEngine().prepare, {}, deep);
    await first.probe.close();
    const { createServer } = await import('node:net');
    const left = createServer().listen(join(probe.data.path, 'x.sock'));
    await once(left, 'listening');
    const { linkSync } = await import('node:fs');
    linkSync(join(probe.data.path, 'x.sock'), join(deep.path, 'spillway.sock'));
    left.close();
    const second = await TestProbe.start(new FakeEngine().prepare, {}, deep);
    const { openUsers } = await import('../../src/cli/users-door.js');
    const users = await openUsers(deep.path, false);
    await users.add('ann', passwordOf('ann'), { role: 'admin', sources: null });
    expect(await users.list()).toEqual([{ name: 'ann', role: 'admin', sources: null }]);
    expect((await second.ask(`${ADMIN}/users`, { headers: basic('ann', passwordOf('ann')) })).status).toBe(200);
    await second.probe.close();
    const { rmSync } = await import('node:fs');
    rmSync(join(deep.path, '../../../../../..'), { recursive: true });
  });
});
