/** The log of a real run: who did what and how it ended, and no secret. */
import { once } from 'node:events';
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import type { ChildProcess } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { start } from '../cli/support.js';
import { until } from '../export/fakes.js';
import { temporaryFolder } from '../support/temporary.js';
import { BASE, basic } from './server.js';

/** Stands in everything that must not be written down. */
const SECRET = 'Xyzzy-7f3a';
const PASSWORD = `${SECRET}-password`;

const folder = temporaryFolder();
// Whom root lets serve must reach it.
chmodSync(folder.path, 0o755);

interface Line {
  level: number;
  msg: string;
  reqId?: string;
  [name: string]: unknown;
}

let text = '';
const lines = (): Line[] => text.split('\n').filter(Boolean).map((line) => JSON.parse(line) as Line); // prettier-ignore
let child: ChildProcess;
let address: string;
let exportId: string;
/** Tokens and cookies that were given out. */
const given: string[] = [];

async function ask(
  path: string,
  { headers = {}, body, method }: { headers?: Record<string, string>; body?: unknown; method?: string } = {},
): Promise<Response> {
  const raw = body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body);
  return fetch(`${address}${path}`, {
    method: method ?? (raw === undefined ? 'GET' : 'POST'),
    headers: { ...(raw !== undefined && { 'content-type': 'application/json' }), ...headers },
    ...(raw !== undefined && { body: raw }),
  });
}

beforeAll(async () => {
  child = start(['serve', '--port', '0', '--log-level', 'info', '--data', join(folder.path, 'data')]);
  let greeting = '';
  child.stdout!.setEncoding('utf8').on('data', (more: string) => (greeting += more));
  child.stderr!.setEncoding('utf8').on('data', (more: string) => (text += more));
  await until(() => /http:\/\/\S+:\d+/.test(greeting), 'the greeting');
  address = /http:\/\/[\d.]+:\d+/.exec(greeting)![0];

  await ask('/api/spillway.admin/1.0/users', { body: { name: 'ann', password: PASSWORD, role: 'admin' } });
  const login = basic('ann', PASSWORD);
  const token = (await (
    await ask('/api/mgmt.aaa/2.0/token', { body: { user_credentials: { username: 'ann', password: PASSWORD }, generate_refresh_token: true } })
  ).json()) as { access_token: string; refresh_token: string };
  const session = (await (await ask('/api/common/1.0/login', { body: { username: 'ann', password: PASSWORD } })).json()) as { session_id: string };
  given.push(token.access_token, token.refresh_token, session.session_id, login.authorization.slice('Basic '.length));
  const bearer = { authorization: `Bearer ${token.access_token}` };
  const made = await ask(`${BASE}/exports`, { headers: bearer, body: { config: { path: 'fs/admin/sample.pcap' } } });
  exportId = ((await made.json()) as { id: string }).id;
  await (await ask(`${BASE}/packets/items/${exportId}?token=${SECRET}`, { headers: login })).arrayBuffer();
  // What goes wrong, with secrets where clients have put them.
  await ask('/api/common/1.0/login', { body: { username: 'ann', password: `${PASSWORD}-wrong` } });
  await ask('/api/common/1.0/login', { body: `{"username": "ann", "password": "${PASSWORD}` });
  await ask('/api/common/1.0/login', { body: { username: 'ann', password: PASSWORD, [SECRET]: 1 } });
  await ask(`${BASE}/exports?password=${PASSWORD}`, { headers: bearer });
  await ask(`/nowhere/${SECRET}?token=${SECRET}`);
  await ask(`${BASE}/exports`, { headers: { authorization: `Bearer ${SECRET}`, cookie: `spillway_session=${SECRET}`, 'x-api-key': SECRET } });
  await ask('/api/mgmt.aaa/2.0/refresh_tokens/revoke', { headers: bearer, body: { refresh_token: token.refresh_token } });
  await until(() => text.includes('"export ended"'), 'the end in the log');
  const closed = once(child, 'close');
  child.kill('SIGTERM');
  await closed;
}, 60_000);
afterAll(() => void child.kill('SIGKILL'));

describe('the log', () => {
  it('has a line for every request, with what is asked when something was wrong', () => {
    const requests = lines().filter(({ msg }) => msg === 'request');
    for (const line of requests) {
      expect(line).toMatchObject({ reqId: expect.any(String), method: expect.any(String), route: expect.any(String), status: expect.any(Number) });
      expect(line).toMatchObject({ ms: expect.any(Number), bytes: expect.any(Number) });
    }
    expect(new Set(requests.map(({ reqId }) => reqId)).size).toBe(requests.length);
    const packets = requests.find(({ route }) => route === `${BASE}/packets/items/*`);
    expect(packets).toMatchObject({ user: 'ann', method: 'GET', status: 200, export_id: exportId });
    expect(packets!['bytes']).toBeGreaterThan(24);
    expect(requests.find(({ route, method }) => route === `${BASE}/exports` && method === 'POST')).toMatchObject({
      status: 201,
      export_id: exportId,
    });
    expect(requests.find(({ route }) => route === 'none')).toMatchObject({ status: 404 });
    expect(requests.filter(({ status }) => status === 401).length).toBeGreaterThanOrEqual(2);
  });

  it('tells of an export when it is made and when it ends', () => {
    const about = { export_id: exportId, user: 'ann', mode: 'LEGACY' };
    expect(lines().find(({ msg }) => msg === 'export created')).toMatchObject({ ...about, path: 'fs/admin/sample.pcap' });
    const end = lines().find(({ msg }) => msg === 'export ended');
    expect(end).toMatchObject({ ...about, state: 'DONE', ms: expect.any(Number) });
    expect(end).not.toHaveProperty('error_id');
    expect(end!['bytes']).toBe(lines().find(({ route }) => route === `${BASE}/packets/items/*`)!['bytes']);
  });

  it('holds no password, no token and no cookie', () => {
    expect(given.filter((secret) => typeof secret !== 'string' || secret.length < 20)).toEqual([]);
    for (const secret of [SECRET, ...given]) expect(lines().filter((line) => JSON.stringify(line).includes(secret))).toEqual([]);
  });
});
