/** Every route with every kind of login: what is served is let in, refused or not known, as its right says. It takes the routes from the services, so a new one is in it by itself. */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { ROLES, type Role } from '../../src/access/caller.js';
import { ACCESS_LIMITS } from '../../src/access/limits.js';
import { rootOf } from '../../src/api/link.js';
import { routesOf, type Route } from '../../src/api/routes.js';
import { FakeEngine } from '../export/fakes.js';
import { BASE, basic, errorOf, passwordOf, TestProbe, type Answer } from './server.js';

vi.mock('../../src/access/password.js', () => import('../access/quick-password.js'));

let probe: TestProbe;
type Headers = Record<string, string>;
/** How a request logs in, and what that is worth: a role, or the code of the refusal. */
const logins = new Map<string, { headers: Headers; worth: Role | string }>();
let routes: Route[];

beforeAll(async () => {
  probe = await TestProbe.start(new FakeEngine().prepare);
  routes = routesOf(probe.probe.services);
  for (const role of ROLES) logins.set(role, { headers: await probe.addUser(role, role), worth: role });
  const { logins: made } = probe.probe.access;
  const bearer = (token: string): Headers => ({ authorization: `Bearer ${token}` });
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() - ACCESS_LIMITS.accessTokenMs - 1000 });
  const expired = made.issue('admin', false).token;
  vi.useRealTimers();
  const ended = made.begin('admin');
  made.end(ended);
  logins.set('an access token', { headers: bearer(made.issue('operator', false).token), worth: 'operator' });
  logins.set('a session', { headers: { cookie: `a=b; spillway_session=${made.begin('reader')}` }, worth: 'reader' });
  logins.set('nothing', { headers: {}, worth: 'AUTH_REQUIRED' });
  logins.set('an expired token', { headers: bearer(expired), worth: 'AUTH_EXPIRED_TOKEN' });
  logins.set('a forged token', { headers: bearer(`${expired}A`), worth: 'AUTH_INVALID_SESSION' });
  logins.set('an ended session', { headers: { cookie: `spillway_session=${ended}` }, worth: 'AUTH_INVALID_SESSION' });
  logins.set('Basic that is none', { headers: { authorization: 'Basic Zm9v' }, worth: 'AUTH_INVALID_CREDENTIALS' });
});
afterAll(() => probe.stop());

/** Variables of the path name nothing that is there, and there is no body: nothing is changed by it. */
const addressOf = ({ url }: Route): string => url.replace(/:\w+|\*/g, 'none');

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'];

function served(url: string): string[] {
  return routes
    .filter((route) => route.url === url)
    .flatMap(({ link }) => (link.method === 'GET' && link.noHead !== true ? ['GET', 'HEAD'] : [link.method]));
}

/** The status and code that keep a request out; null: it is let in. */
function expected(right: 'public' | Role, worth: string): [number, string] | null {
  const role = ROLES.indexOf(worth as Role);
  if (right === 'public') return null;
  if (role < 0) return [401, worth];
  return role < ROLES.indexOf(right) ? [403, 'RIGHT_MISSING'] : null;
}

async function outcome(path: string, method: string, headers: Headers): Promise<[number, string] | null> {
  const answer = await probe.ask(path, { method, headers });
  const { status } = answer;
  if (![401, 403, 405].includes(status)) return null;
  if (method === 'HEAD') return [status, ''];
  const code = codeOf(answer);
  return status === 403 && code !== 'RIGHT_MISSING' ? null : [status, code];
}

/** Some services have words of their own for errors. */
function codeOf(answer: Answer): string {
  const body = JSON.parse(answer.body.toString()) as {
    customErrorCode?: string;
    error?: { code: string };
    errorMsg?: { messages: { id: string }[] };
  };
  const { customErrorCode: word, error, errorMsg } = body;
  if (word !== undefined) return word.toUpperCase().replaceAll('-', '_');
  return errorMsg?.messages[0]!.id ?? error?.code ?? errorOf(answer).error_id;
}

describe('every route', () => {
  it('is known, of several services and rights', () => {
    expect(new Set(routes.map(({ service }) => service.name)).size).toBeGreaterThanOrEqual(4);
    expect([...new Set(routes.map(({ link }) => link.right))]).toEqual(expect.arrayContaining(['public', 'reader', 'admin']));
  });

  it('lets in whom its right allows, and nobody else', async () => {
    const wrong: unknown[] = [];
    for (const route of routes) {
      for (const [name, { headers, worth }] of logins) {
        // It would end the session that the others need.
        if (route.name === 'logout' && name === 'a session') continue;
        // It takes a key of its own, which none of these has.
        if (route.url === '/cgi-bin/logout.cgi') continue;
        const want = expected(route.link.right, worth);
        const got = await outcome(addressOf(route), route.link.method, headers);
        if (String(got) !== String(want)) wrong.push([route.link.method, route.url, name, { want, got }]);
      }
    }
    expect(wrong).toEqual([]);
  }, 60_000);

  it('answers HEAD as GET, and 405 to what it does not serve', async () => {
    const wrong: unknown[] = [];
    for (const url of new Set(routes.map((route) => route.url))) {
      const methods = served(url);
      const get = routes.find((route) => route.url === url && route.link.method === 'GET');
      for (const method of METHODS) {
        for (const name of ['nothing', 'reader', 'admin']) {
          const { headers, worth } = logins.get(name)!;
          const isHead = method === 'HEAD' && methods.includes('HEAD');
          if (methods.includes(method) && !isHead) continue;
          const want = isHead ? expected(get!.link.right, worth)?.[0] : 405;
          const got = (await outcome(addressOf({ ...get!, url }), method, headers))?.[0];
          if (got !== want) wrong.push([method, url, name, { want, got }]);
        }
      }
    }
    expect(wrong).toEqual([]);
  }, 60_000);

  it('of each service refuses a wrong password', async () => {
    const firsts = new Map(routes.filter(({ link }) => link.right !== 'public').map((route) => [route.service.name, route]));
    expect(firsts.size).toBeGreaterThanOrEqual(3);
    for (const [i, route] of [...firsts.values()].entries()) {
      const headers = basic(i % 2 === 0 ? 'nobody' : 'operator', 'wrong');
      expect(await outcome(addressOf(route), route.link.method, headers)).toEqual([401, 'AUTH_INVALID_CREDENTIALS']);
    }
  });

  it('is described to everybody', async () => {
    const described = probe.probe.services.filter(({ root }) => root === undefined);
    expect(described.length).toBeGreaterThan(5);
    for (const service of described) expect((await probe.ask(rootOf(service))).status).toBe(200);
  });
});

describe('the page about the API', () => {
  it.each(['/docs', '/docs/', '/docs/json', '/docs/yaml', '/docs/static/swagger-ui-bundle.js'])('%s needs a login', async (path) => {
    const answer = await probe.ask(path);
    expect([answer.status, errorOf(answer).error_id]).toEqual([401, 'AUTH_REQUIRED']);
    expect((await probe.ask(path, { headers: logins.get('reader')!.headers })).status).toBe(200);
  });
});

describe('what a reader has', () => {
  it('is not shown to another one: their exports are 404', async () => {
    const other = await probe.addUser('other', 'reader');
    const { headers } = logins.get('reader')!;
    const made = await probe.ask(`${BASE}/exports`, { body: { config: { path: 'fs/admin/sample.pcap' } }, headers });
    const path = made.headers.location!;
    expect([made.status, (await probe.ask(path, { headers })).status, (await probe.ask(path, { headers: other })).status]).toEqual([201, 200, 404]);
    expect((await probe.json<{ items: unknown[] }>(`${BASE}/exports`, { headers: other })).items).toEqual([]);
    expect((await probe.ask(path, { headers: logins.get('admin')!.headers, method: 'DELETE' })).status).toBe(204);
  });
});

describe('401', () => {
  it('asks a browser for a password where a page is opened, and not where a script asks', async () => {
    const challenge = async (headers: Headers): Promise<unknown> => (await probe.ask(`${BASE}/exports`, { headers })).headers['www-authenticate'];
    expect(await challenge({})).toMatch(/^Basic realm="Spillway"/);
    expect(await challenge({ 'sec-fetch-mode': 'navigate' })).toMatch(/^Basic/);
    expect(await challenge({ 'sec-fetch-mode': 'cors' })).toBeUndefined();
  });

  it('comes before anything is read of the request', async () => {
    const answer = await probe.ask(`${BASE}/exports`, { body: 'no JSON', headers: { 'content-type': 'application/json' } });
    expect([answer.status, errorOf(answer).error_id]).toEqual([401, 'AUTH_REQUIRED']);
  });
});

it('429 says when to come again, and a session goes on', async () => {
  await probe.addUser('locked', 'reader');
  const session = { cookie: `spillway_session=${probe.probe.access.logins.begin('locked')}` };
  for (let i = 0; i < ACCESS_LIMITS.failuresOfName; i++) {
    expect((await probe.ask(`${BASE}/exports`, { headers: basic('locked', `guess ${i}`) })).status).toBe(401);
  }
  for (const ask of [
    { path: `${BASE}/exports`, headers: basic('locked', passwordOf('locked')) },
    { path: '/api/common/1.0/login', body: { username: 'locked', password: passwordOf('locked') } },
    { path: '/api/mgmt.aaa/2.0/token', body: { user_credentials: { username: 'locked', password: passwordOf('locked') } } },
  ]) {
    const answer = await probe.ask(ask.path, ask);
    expect([answer.status, errorOf(answer).error_id]).toEqual([429, 'AUTH_LOCKED']);
    expect(Number(answer.headers['retry-after'])).toBeGreaterThan(ACCESS_LIMITS.lockMs / 1000 - 10);
  }
  expect((await probe.ask(`${BASE}/exports`, { headers: session })).status).toBe(200);
});
