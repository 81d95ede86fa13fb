/** Diagnostic packages over JSON-RPC: raw requests as clients send them, to a probe of its own. */
import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { ACCESS_LIMITS } from '../../src/access/limits.js';
import { SECTIONS } from '../../src/bundle/collector.js';
import { FakeEngine, TemporaryData } from '../export/fakes.js';
import { hasProgram, requireOrSkip } from '../setup/require.js';
import { temporaryFolder } from '../support/temporary.js';
import { ALL, RpcClient } from './rpc-client.js';
import { basic, passwordOf, TestProbe } from './server.js';

vi.mock('../../src/access/password.js', () => import('../access/quick-password.js'));

const folder = temporaryFolder();
const SEVEN = requireOrSkip('7z (p7zip-full)', hasProgram('7z'));
let probe: TestProbe;
let admin: RpcClient;

async function clientOf(name: string): Promise<RpcClient> {
  const client = new RpcClient(probe);
  expect((await client.login(name)).status).toBe(200);
  return client;
}

beforeAll(async () => {
  probe = await TestProbe.start(new FakeEngine().prepare);
  for (const role of ['admin', 'operator', 'reader'] as const) await probe.addUser(role, role);
  admin = await clientOf('admin');
});
afterAll(() => probe.stop());

describe('logging in', () => {
  it.each([
    ['admin', 10],
    ['operator', 5],
    ['reader', 1],
  ])('gives %s a token and tells its role', async (name, permission) => {
    const answer = await new RpcClient(probe).login(name);
    const { token, ...rest } = JSON.parse(answer.body.toString()) as { token: string };
    expect(rest).toEqual({ role: { name, permission } });
    expect(token.length).toBeGreaterThan(20);
    expect(answer.headers['cache-control']).toBe('no-store');
  });

  it.each([
    ['a wrong password', { username: 'admin', password: 'x' }],
    ['nobody', { username: 'nobody', password: 'x' }],
    ['no password', { username: 'admin' }],
    ['no name', { password: 'x' }],
    ['a number', { username: 'admin', password: 1 }],
    ['nothing', {}],
    ['a list', '[]'],
    ['null', 'null'],
    ['no JSON', '{'],
  ])('refuses %s with 400', async (_, body) => {
    const answer = await probe.ask('/cgi-bin/login.cgi', { method: 'POST', body, headers: { 'content-type': 'application/json' } });
    expect(answer.status).toBe(400);
    expect(JSON.parse(answer.body.toString())).toMatchObject({
      error: { code: expect.any(String) as string },
      device: { tstamp: expect.any(Number) as number },
    });
  });

  it('locks out who guesses, with 503', async () => {
    await probe.addUser('guessed', 'reader');
    const client = new RpcClient(probe);
    const statuses: number[] = [];
    for (let i = 0; i <= ACCESS_LIMITS.failuresOfName; i++) statuses.push((await client.login('guessed', 'wrong')).status);
    expect(statuses.at(-1)).toBe(503);
    expect(statuses.slice(0, -1).every((status) => status === 400)).toBe(true);
    expect((await client.login('guessed')).status).toBe(503);
  });

  it('ends with a logout', async () => {
    const client = await clientOf('admin');
    expect((await client.call('diagnostic_package_status_get')).status).toBe(200);
    const logout = await probe.ask('/cgi-bin/logout.cgi', { method: 'POST', body: {}, headers: { apikey: client.key! } });
    expect([logout.status, logout.body.toString()]).toEqual([200, '{}']);
    expect((await client.call('diagnostic_package_status_get')).status).toBe(401);
    expect((await probe.ask('/cgi-bin/logout.cgi', { method: 'POST', body: {}, headers: { apikey: client.key! } })).status).toBe(401);
  });
});

describe('a call', () => {
  it.each(['device_ping', 'device_info_get_public', 'messages_get'])('%s is answered without a token', async (method) => {
    const { status, result, device } = await new RpcClient(probe).call(method);
    expect(status).toBe(200);
    expect(result).toBeTypeOf('object');
    expect(Math.abs(device!.tstamp - Date.now() / 1000)).toBeLessThan(5);
  });

  it.each(['device_ping', 'diagnostic_package_status_get', 'no_such_method'])('%s with a token that is none is 401', async (method) => {
    const client = new RpcClient(probe);
    client.key = 'x'.repeat(43);
    expect((await client.call(method)).status).toBe(401);
  });

  it('of the methods for admins takes one', async () => {
    expect((await new RpcClient(probe).call('diagnostic_package_status_get')).status).toBe(401);
    for (const name of ['operator', 'reader']) {
      const client = await clientOf(name);
      for (const [method, params] of [
        ['diagnostic_package_start', ALL],
        ['diagnostic_package_status_get', {}],
        ['diagnostic_package_file_get', { process_id: 'x' }],
      ] as const) {
        const { status, error } = await client.call(method, params);
        expect([status, error?.code]).toEqual([200, 'rpc_permission_denied']);
      }
    }
  });

  it.each<[string, string | object, string]>([
    ['is no JSON', '{"method":', 'rpc_invalid_request'],
    ['is a list', '[]', 'rpc_invalid_request'],
    ['is null', 'null', 'rpc_invalid_request'],
    ['names no method', {}, 'rpc_invalid_request'],
    ['has a number for a method', { method: 1 }, 'rpc_invalid_request'],
    ['has a list of params', { method: 'device_ping', params: [] }, 'rpc_invalid_request'],
    ['has a member too many', { method: 'device_ping', id: 1 }, 'rpc_invalid_request'],
    ['has a number for a target', { method: 'device_ping', target: 1 }, 'rpc_invalid_request'],
    ['names no method that is known', { method: 'no_such_method' }, 'rpc_method_not_found'],
    ['names a member of objects', { method: 'constructor' }, 'rpc_method_not_found'],
    ['has params where there are none', { method: 'device_ping', params: { a: 1 } }, 'rpc_invalid_parameter'],
    ['has a target that is no peer', { method: 'device_ping', target: '10.0.0.1' }, 'rpc_invalid_parameter'],
    ['asks a peer for its status', { method: 'diagnostic_package_status_get', target: '10.0.0.1' }, 'rpc_invalid_request'],
    ...[...`"'\\;$`].map((c): [string, object, string] => [
      `holds ${c}`,
      { method: 'diagnostic_package_status_get', params: { process_id: `a${c}b` } },
      'rpc_invalid_parameter',
    ]),
    ['holds $ in its target', { method: 'device_ping', target: '$(id)' }, 'rpc_invalid_parameter'],
    ['holds ; in its language', { method: 'device_ping', language_code: 'a;b' }, 'rpc_invalid_parameter'],
  ])('that %s is refused', async (_, body, code) => {
    const answer = await admin.raw(body, { apikey: admin.key!, 'content-type': 'application/json' });
    const { error, device, result } = JSON.parse(answer.body.toString()) as { error: { code: string }; device: object; result?: unknown };
    expect([answer.status, error.code, result]).toEqual([200, code, undefined]);
    expect(device).toHaveProperty('tstamp');
  });

  it('with null for a member has none', async () => {
    expect(await admin.call('device_ping', undefined, { params: null, target: null, language_code: null })).toMatchObject({
      status: 200,
      result: {},
    });
  });

  it('is POST', async () => {
    for (const path of ['login', 'logout', 'rpc']) {
      const answer = await probe.ask(`/cgi-bin/${path}.cgi`);
      expect([answer.status, answer.headers.allow]).toEqual([405, 'POST']);
      expect(JSON.parse(answer.body.toString())).toHaveProperty('device');
    }
  });
});

describe('a diagnostic package', () => {
  const names = ['verbosity', ...SECTIONS];

  it.each<[string, object, string]>([
    ...names.map((name): [string, object, string] => [`without ${name}`, { ...ALL, [name]: undefined }, name]),
    ...names.map((name): [string, object, string] => [`with ${name} null`, { ...ALL, [name]: null }, name]),
    ...names.map((name): [string, object, string] => [`with ${name} of another type`, { ...ALL, [name]: 7 }, name]),
    ['with another verbosity', { ...ALL, verbosity: 'loud' }, 'verbosity'],
    ['with a stray parameter', { ...ALL, extra: 1 }, 'extra'],
    ['with an empty passphrase', { ...ALL, encryption_passphrase: '' }, 'encryption_passphrase'],
    ['with a passphrase that is too long', { ...ALL, encryption_passphrase: 'x'.repeat(1025) }, 'encryption_passphrase'],
    ['with a forbidden character', { ...ALL, encryption_passphrase: 'a$b' }, 'encryption_passphrase'],
    ['of a probe that is not configured', { ...ALL, target: '10.0.0.1' }, 'target'],
    ['of a name', { ...ALL, target: 'localhost.example' }, 'target'],
  ])('%s is refused, and says which', async (_, params, parameter) => {
    const { error, status } = await admin.call('diagnostic_package_start', params);
    expect([status, error?.code, error?.message_params?.['parameter']]).toEqual([200, 'rpc_invalid_parameter', parameter]);
  });

  it.runIf(SEVEN)('is begun, watched, fetched once, and gone', async () => {
    const process_id = await admin.start();
    expect(await admin.call('diagnostic_package_start', ALL)).toMatchObject({ error: { code: 'rpc_async_action_in_progress' } });
    const early = await admin.call('diagnostic_package_file_get', { process_id });
    if (!early.result) expect(early.error?.code).toBe('rpc_async_action_in_progress');
    const { result, error } = await admin.ended(process_id);
    expect(error).toBeUndefined();
    const now = Date.now() / 1000;
    const { process, output, return_code } = result as Record<string, Record<string, number>>;
    expect(Object.keys(result!)).toEqual(['process', 'return_code', 'output']);
    expect([return_code, process!['process_id'], process!['input']]).toEqual(['success', process_id, { ...ALL, encryption_passphrase: null }]);
    expect(Math.abs(process!['start_time']! - now)).toBeLessThan(30);
    expect(Math.abs(output!['delete_time']! - now - 3.75 * 86_400)).toBeLessThan(30);
    // Without an id: whichever there is.
    expect((await admin.call('diagnostic_package_status_get')).result).toEqual(result);
    const zip = await admin.file(process_id);
    expect(zip.length).toBe(output!['size']);
    folder.write('plain.zip', zip);
    const listed = execFileSync('7z', ['l', join(folder.path, 'plain.zip')], { encoding: 'utf8' });
    for (const file of ['manifest.json', 'configuration/', 'status/']) expect(listed).toContain(file);
    for (const method of ['diagnostic_package_file_get', 'diagnostic_package_status_get'])
      expect(await admin.call(method, { process_id })).toMatchObject({ status: 200, error: { code: 'rpc_invalid_parameter' } });
    expect((await admin.call('diagnostic_package_status_get')).result).toEqual({});
    expect(readdirSync(join(probe.data.path, 'packages'))).toEqual([]);
  });

  it.runIf(SEVEN)('holds what was asked for, and nothing else', async () => {
    for (const section of SECTIONS) {
      const wish = { ...Object.fromEntries(SECTIONS.map((each) => [each, each === section])), verbosity: 'base' };
      const process_id = await admin.start(wish);
      await admin.ended(process_id);
      const path = folder.write(`${section}.zip`, await admin.file(process_id));
      const manifest = JSON.parse(execFileSync('7z', ['x', '-so', path, 'manifest.json'], { encoding: 'utf8' })) as {
        entries: { section: string | null }[];
      };
      expect([...new Set(manifest.entries.map((entry) => entry.section))].filter((each) => each !== null)).toEqual([section]);
    }
  });

  it('warns of credentials that are not encrypted', async () => {
    for (const [params, warnings] of [
      [{ ...ALL, user_credentials: true }, [{ message_id: 'credentials_unencrypted' }]],
      [{ ...ALL, user_credentials: true, encryption_passphrase: 'secret words' }, undefined],
      [ALL, undefined],
    ] as const) {
      const answer = await admin.call('diagnostic_package_start', params);
      expect(answer.warnings).toEqual(warnings);
      await admin.ended(String(answer.result!['process_id']));
    }
  });

  it.runIf(SEVEN)('with a passphrase opens with it alone, and the passphrase is shown nowhere', async () => {
    const passphrase = 'my pässphrase 42';
    const process_id = await admin.start({ ...ALL, encryption_passphrase: passphrase });
    const { result } = await admin.ended(process_id);
    expect(JSON.stringify(result)).not.toContain('my p');
    const path = folder.write('secret.zip', await admin.file(process_id));
    const opens = (given: string): number => spawnSync('7z', ['t', `-p${given}`, path], { stdio: 'ignore' }).status!;
    expect([opens(passphrase), opens('another') === 0, opens('') === 0]).toEqual([0, false, false]);
    expect(execFileSync('7z', ['l', '-slt', path], { encoding: 'utf8' })).toContain('AES-256');
  });

  it('is replaced by the next one, fetched or not', async () => {
    const first = await admin.start();
    await admin.ended(first);
    const second = await admin.start();
    await admin.ended(second);
    expect(await admin.call('diagnostic_package_status_get', { process_id: first })).toMatchObject({ error: { code: 'rpc_invalid_parameter' } });
    expect(readdirSync(join(probe.data.path, 'packages'))).toHaveLength(1);
  });

  it('that ran when the server ended is lost, and says so', async () => {
    const data = new TemporaryData();
    const before = await TestProbe.start(new FakeEngine().prepare, {}, data);
    const first = new RpcClient(before);
    const process_id = await first.start();
    await before.probe.close();
    const after = await TestProbe.start(new FakeEngine().prepare, {}, data);
    const client = new RpcClient(after);
    const status = await client.call('diagnostic_package_status_get', { process_id });
    expect(status).toMatchObject({
      result: { return_code: 'error' },
      error: { code: 'async_action_end_error', suberrors: [{ code: 'async_action_lost' }] },
    });
    expect(await client.call('diagnostic_package_file_get', { process_id })).toMatchObject({ error: { code: 'async_action_end_error' } });
    await client.ended(await client.start());
    await after.stop();
  });

  it('is written down in the audit', async () => {
    const process_id = await admin.start();
    await admin.ended(process_id);
    await admin.file(process_id);
    const { authorization } = basic('admin', passwordOf('admin'));
    const newest = async (): Promise<string[]> => {
      const { items } = await probe.json<{ items: { action: string; who: string }[] }>('/api/spillway.admin/1.0/audit', {
        headers: { authorization },
      });
      return items.filter(({ action }) => action.startsWith('diagnostic')).map(({ action, who }) => `${who}: ${action}`);
    };
    // A download is written down when it has ended.
    await expect.poll(async () => (await newest()).slice(0, 2)).toEqual(['admin: diagnostic_package_file_get', 'admin: diagnostic_package_start']);
  });
});
