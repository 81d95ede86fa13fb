/** common 1.0 and mgmt.aaa, as their clients call them. */
import { hostname } from 'node:os';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { packageVersion } from '../../src/root.js';
import { FakeEngine } from '../export/fakes.js';
import { BASE, errorOf, passwordOf, TestProbe, type Ask } from './server.js';

vi.mock('../../src/access/password.js', () => import('../access/quick-password.js'));

const COMMON = '/api/common/1.0';
const AAA = '/api/mgmt.aaa/2.0';

let probe: TestProbe;
let empty: TestProbe;
beforeAll(async () => {
  probe = await TestProbe.start(new FakeEngine().prepare);
  await probe.addUser('ann', 'reader');
  await probe.addUser('root', 'admin');
  empty = await TestProbe.start(new FakeEngine().prepare);
});
afterAll(() => Promise.all([probe.stop(), empty.stop()]));

const credentials = (username = 'ann', password = passwordOf(username)): object => ({ username, password });
const refusal = async (path: string, ask: Ask = {}): Promise<[number, string]> => {
  const answer = await probe.ask(path, ask);
  return [answer.status, errorOf(answer).error_id];
};

describe('without a login', () => {
  it('the services are listed, each with its versions', async () => {
    const services = await probe.json<unknown>(`${COMMON}/services`);
    expect(services).toEqual(
      expect.arrayContaining([
        { id: 'common', versions: ['1.0'] },
        { id: 'mgmt.aaa', versions: ['1.0', '2.0'] },
        { id: 'npm.packet_export', versions: ['1.3'] },
        { id: 'spillway.admin', versions: ['1.0'] },
      ]),
    );
    expect((services as unknown[]).length).toBe(new Set(probe.probe.services.filter(({ root }) => root === undefined).map(({ name }) => name)).size);
  });

  it('the probe says what it is, and the same after a restart', async () => {
    const info = await probe.json(`${COMMON}/info`);
    expect(info).toEqual({
      device_name: hostname(),
      model: 'Spillway',
      sw_version: packageVersion(),
      serial: expect.stringMatching(/^[0-9A-F]{16}$/) as string,
      hw_version: expect.stringMatching(/./) as string,
      mgmt_addresses: ['127.0.0.1'],
    });
    expect((await empty.json(`${COMMON}/info`))['serial']).not.toBe(info['serial']);
  });

  it('it answers, and tells the ways to log in', async () => {
    expect((await probe.ask(`${COMMON}/ping`)).body.toString()).toBe('{}');
    expect((await probe.json(`${COMMON}/auth_info`))['supported_methods']).toEqual(['BASIC', 'COOKIE', 'OAUTH2.0']);
  });

  it.each([
    [COMMON, { services: ['get'], info: ['get'], ping: ['get'], auth_info: ['get'], session_auth: ['login', 'logout'] }],
    [AAA, { access_tokens: ['request'], refresh_tokens: ['get', 'revoke'] }],
    [
      '/api/spillway.admin/1.0',
      {
        users: ['get', 'create'],
        user: ['get', 'set', 'delete'],
        audit: ['get'],
        peers: ['get', 'create'],
        peer: ['get', 'delete'],
        profiles: ['get', 'create'],
        profile: ['get', 'delete'],
      },
    ],
  ])('%s is described with the names that clients bind by', async (path, names) => {
    const { resources } = await probe.json<{ resources: Record<string, { links: Record<string, { path: string }> }> }>(path);
    const found = Object.entries(resources).map(([name, { links }]) => [name, Object.keys(links).filter((link) => link !== 'self')]);
    expect(Object.fromEntries(found)).toEqual(names);
    if (path === COMMON)
      expect([resources['session_auth']!.links['login']!.path, resources['session_auth']!.links['logout']!.path]).toEqual(['$/login', '$/logout']);
    if (path === AAA)
      expect([resources['access_tokens']!.links['request']!.path, resources['refresh_tokens']!.links['revoke']!.path]).toEqual([
        '$/token',
        '$/refresh_tokens/revoke',
      ]);
  });
});

describe('a session', () => {
  it('is a cookie, by its header or by its name and value, and ends with logout', async () => {
    const answer = await probe.ask(`${COMMON}/login`, { body: { ...credentials(), purpose: 'to test' } });
    expect(answer.status).toBe(200);
    const { session_key: key, session_id: id } = JSON.parse(answer.body.toString()) as Record<string, string>;
    expect(answer.headers['set-cookie']).toEqual([`${key}=${id}; Path=/; HttpOnly; SameSite=Strict`]);
    expect(answer.headers['cache-control']).toBe('no-store');
    const headers = { cookie: `${key}=${id}` };
    expect((await probe.ask(`${BASE}/exports`, { headers })).status).toBe(200);
    expect((await probe.ask(`${BASE}/exports`, { headers: { cookie: answer.headers['set-cookie']![0]! } })).status).toBe(200);
    // With the type of a body that is not there, as clients send it.
    const out = await probe.ask(`${COMMON}/logout`, { method: 'POST', headers: { ...headers, 'content-type': 'application/json' } });
    expect([out.status, out.body.length]).toEqual([204, 0]);
    expect(out.headers['set-cookie']![0]).toMatch(/Max-Age=0/);
    expect(await refusal(`${BASE}/exports`, { headers })).toEqual([401, 'AUTH_INVALID_SESSION']);
    expect(await refusal(`${COMMON}/logout`, { method: 'POST', headers })).toEqual([401, 'AUTH_INVALID_SESSION']);
  });

  it.each([
    [credentials('ann', 'wrong'), 401, 'AUTH_INVALID_CREDENTIALS'],
    [credentials('nobody'), 401, 'AUTH_INVALID_CREDENTIALS'],
    [credentials('../ann'), 401, 'AUTH_INVALID_CREDENTIALS'],
    [credentials('x'.repeat(10_000)), 401, 'AUTH_INVALID_CREDENTIALS'],
    [{ username: 'ann' }, 400, 'REQUEST_INVALID'],
    [{ username: 'ann', password: 1 }, 400, 'REQUEST_INVALID'],
    [{ ...credentials(), extra: true }, 400, 'REQUEST_INVALID'],
    [[], 400, 'REQUEST_INVALID'],
  ])('is not given for %j', async (body, status, code) => {
    const answer = await probe.ask(`${COMMON}/login`, { body });
    expect([answer.status, errorOf(answer).error_id, answer.headers['set-cookie']]).toEqual([status, code, undefined]);
    expect(errorOf(answer).error_text).not.toContain('password of');
  });

  it('changes nothing for a page of another site, which can not log anybody in either', async () => {
    const secret = probe.probe.access.logins.begin('ann');
    const ask = (headers: Record<string, string>): Promise<[number, string]> =>
      probe
        .ask(`${BASE}/exports/items/none`, { method: 'DELETE', headers: { cookie: `spillway_session=${secret}`, ...headers } })
        .then((answer) => [answer.status, errorOf(answer).error_id]);
    const foreign = [{ origin: 'http://evil.example' }, { origin: 'null' }, { 'sec-fetch-site': 'cross-site' }, { 'sec-fetch-site': 'same-site' }];
    for (const headers of foreign) expect(await ask(headers)).toEqual([403, 'ORIGIN_FORBIDDEN']);
    for (const headers of [{}, { 'sec-fetch-site': 'same-origin', origin: `http://127.0.0.1:${probe.port}` }])
      expect(await ask(headers)).toEqual([404, 'EXPORT_NOT_FOUND']);
    for (const headers of foreign) expect(await refusal(`${COMMON}/login`, { body: credentials(), headers })).toEqual([403, 'ORIGIN_FORBIDDEN']);
  });
});

interface Token {
  access_token: string;
  token_type: string;
  expires_at: number;
  refresh_token?: string;
  state?: string;
}

describe.each(['1.0', '2.0'])('a token of mgmt.aaa %s', (version) => {
  const aaa = `/api/mgmt.aaa/${version}`;
  const token = async (body: object): Promise<Token> => {
    const answer = await probe.ask(`${aaa}/token`, { body });
    expect(answer.status).toBe(201);
    expect(answer.headers['cache-control']).toBe('no-store');
    return JSON.parse(answer.body.toString()) as Token;
  };
  const status = async (access: string): Promise<number> =>
    (await probe.ask(`${BASE}/exports`, { headers: { authorization: `Bearer ${access}` } })).status;

  it('is given for a password, with a refresh token where that is asked, and echoes the state', async () => {
    const plain = await token({ user_credentials: credentials() });
    expect(plain).toEqual({ access_token: expect.any(String) as string, token_type: 'bearer', expires_at: expect.any(Number) as number });
    expect(Number.isInteger(plain.expires_at) && plain.expires_at > Date.now() / 1000 && plain.expires_at < Date.now() / 1000 + 7200).toBe(true);
    expect(await status(plain.access_token)).toBe(200);
    const more = await token({ user_credentials: credentials(), generate_refresh_token: true, state: 'as it is' });
    expect(more).toMatchObject({ refresh_token: expect.any(String) as string, state: 'as it is' });
    const next = await token({ refresh_token: more.refresh_token, state: '' });
    expect(Object.keys(next)).toEqual(['access_token', 'token_type', 'expires_at', 'state']);
    expect(await status(next.access_token)).toBe(200);
  });

  it('ends with its refresh token, which is listed without itself', async () => {
    const own = await token({ user_credentials: credentials(), generate_refresh_token: true });
    const foreign = await token({ user_credentials: credentials('root'), generate_refresh_token: true });
    const headers = { authorization: `Bearer ${own.access_token}` };
    const list = async (access: string): Promise<{ id: string; username: string }[]> =>
      (await probe.json<{ items: { id: string; username: string }[] }>(`${aaa}/refresh_tokens`, { headers: { authorization: `Bearer ${access}` } }))
        .items;
    const items = await list(own.access_token);
    expect(new Set(items.map(({ username }) => username))).toEqual(new Set(['ann']));
    expect(new Set((await list(foreign.access_token)).map(({ username }) => username))).toEqual(new Set(['ann', 'root']));
    expect(JSON.stringify(items)).not.toContain(own.refresh_token);
    const revoke = (body: object): Ask => ({ body, headers });
    expect(await refusal(`${aaa}/refresh_tokens/revoke`, revoke({ refresh_token: foreign.refresh_token }))).toEqual([404, 'TOKEN_NOT_FOUND']);
    expect(await refusal(`${aaa}/refresh_tokens/revoke`, revoke({ id: 'none' }))).toEqual([404, 'TOKEN_NOT_FOUND']);
    expect(await refusal(`${aaa}/refresh_tokens/revoke`, revoke({}))).toEqual([400, 'REQUEST_INVALID']);
    expect((await probe.ask(`${aaa}/refresh_tokens/revoke`, revoke({ refresh_token: own.refresh_token }))).status).toBe(204);
    expect(await refusal(`${BASE}/exports`, { headers })).toEqual([401, 'AUTH_INVALID_SESSION']);
    expect(await refusal(`${aaa}/token`, { body: { refresh_token: own.refresh_token } })).toEqual([401, 'AUTH_INVALID_SESSION']);
  });

  it.each([
    [{ user_credentials: credentials('ann', 'wrong') }, 401, 'AUTH_INVALID_CREDENTIALS'],
    [{ refresh_token: 'forged' }, 401, 'AUTH_INVALID_SESSION'],
    [{}, 400, 'REQUEST_INVALID'],
    [{ user_credentials: credentials(), refresh_token: 'x' }, 400, 'REQUEST_INVALID'],
    [{ refresh_token: 'x', generate_refresh_token: true }, 400, 'REQUEST_INVALID'],
    [{ user_credentials: { ...credentials(), more: 1 } }, 400, 'REQUEST_INVALID'],
    [{ user_credentials: credentials(), generate_refresh_token: 'yes' }, 400, 'REQUEST_INVALID'],
    [credentials(), 400, 'REQUEST_INVALID'],
  ])('is not given for %j', async (body, code, id) => expect(await refusal(`${aaa}/token`, { body })).toEqual([code, id]));
});

describe('before there are users', () => {
  it('a client that logs in all the same is let in, in every way', async () => {
    const body = { username: 'anybody', password: 'anything' };
    const session = await empty.ask(`${COMMON}/login`, { body });
    expect([session.status, session.headers['set-cookie']?.length]).toEqual([200, 1]);
    const cookie = session.headers['set-cookie']![0]!.split(';')[0]!;
    const token = await empty.json<Token>(`${AAA}/token`, { body: { user_credentials: body, generate_refresh_token: true } });
    expect((await empty.json<Token>(`${AAA}/token`, { body: { refresh_token: token.refresh_token } })).token_type).toBe('bearer');
    for (const headers of [{}, { cookie }, { authorization: `Bearer ${token.access_token}` }, { authorization: 'Basic eDp5' }]) {
      expect((await empty.ask(`${BASE}/exports`, { headers })).status).toBe(200);
    }
    expect((await empty.ask(`${COMMON}/logout`, { method: 'POST', headers: { cookie } })).status).toBe(204);
  });
});
