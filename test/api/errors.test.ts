import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { LIMITS } from '../../src/config.js';
import { ERRORS, type ErrorCode } from '../../src/errors.js';
import { FakeEngine } from '../export/fakes.js';
import { BASE, TestProbe, errorOf, type Ask } from './server.js';

vi.mock('../../src/config.js', async (original) => {
  const config = await original<typeof import('../../src/config.js')>();
  return { ...config, LIMITS: { ...config.LIMITS, activeExportsOfUser: 20 } };
});

let probe: TestProbe;
const engine = new FakeEngine();
beforeAll(async () => {
  probe = await TestProbe.start(engine.prepare, { names: ['Probe.Example'] });
});
afterAll(() => probe.stop());

const JSON_TYPE = { 'content-type': 'application/json' };
const good = { config: { path: 'fs/admin/sample.pcap' } };
const id = `${BASE}/exports/items/none`;

const cases: [string, string, Ask, ErrorCode, RegExp][] = [
  ['an address that is none', '/', {}, 'ROUTE_NOT_FOUND', /nothing at \//],
  ['a service that is not here', '/api/npm.other/1.0/things?x=1', {}, 'ROUTE_NOT_FOUND', /\/api\/npm\.other\/1\.0\/things$/],
  ['another version', '/api/npm.packet_export/1.2/exports', {}, 'ROUTE_NOT_FOUND', /1\.2/],
  ['a method the list has not', `${BASE}/exports`, { method: 'DELETE' }, 'METHOD_NOT_ALLOWED', /DELETE.*GET, HEAD, POST/],
  ['a method an export has not', id, { method: 'PATCH', body: 'x' }, 'METHOD_NOT_ALLOWED', /PATCH/],
  ['a method packets have not', `${BASE}/packets/items/none`, { method: 'POST', body: good }, 'METHOD_NOT_ALLOWED', /POST/],
  ['another method packets have not', `${BASE}/packets/items/none`, { method: 'PUT' }, 'METHOD_NOT_ALLOWED', /PUT/],
  ['an unknown id', id, {}, 'EXPORT_NOT_FOUND', /"none"/],
  ['an unknown id with slashes', `${BASE}/exports/items/a/b%2Fc`, {}, 'EXPORT_NOT_FOUND', /"a\/b\/c"/],
  ['packets of an unknown id', `${BASE}/packets/items/none`, {}, 'EXPORT_NOT_FOUND', /none/],
  ['DELETE of an unknown id', id, { method: 'DELETE' }, 'EXPORT_NOT_FOUND', /none/],
  ['PUT of an unknown id', id, { method: 'PUT', body: good }, 'EXPORT_NOT_FOUND', /none/],
  ['a broken escape', `${BASE}/exports/items/%zz`, {}, 'REQUEST_INVALID', /URL/],
  [
    'a form',
    `${BASE}/exports`,
    { body: 'a=b', headers: { 'content-type': 'application/x-www-form-urlencoded' } },
    'MEDIA_TYPE_UNSUPPORTED',
    /application\/json/,
  ],
  ['a body without a type', `${BASE}/exports`, { body: '{}' }, 'MEDIA_TYPE_UNSUPPORTED', /application\/json/],
  ['a type that is none', `${BASE}/exports`, { body: '{}', headers: { 'content-type': ';;' } }, 'MEDIA_TYPE_UNSUPPORTED', /application\/json/],
  [
    'another charset',
    `${BASE}/exports`,
    { body: '{}', headers: { 'content-type': 'application/json; charset=latin1' } },
    'MEDIA_TYPE_UNSUPPORTED',
    /latin1/,
  ],
  ['half of JSON', `${BASE}/exports`, { body: '{"config":{', headers: JSON_TYPE }, 'REQUEST_INVALID', /not JSON.*character 12/],
  ['bytes that are not UTF-8', `${BASE}/exports`, { body: Buffer.from([0x22, 0xff, 0x22]), headers: JSON_TYPE }, 'REQUEST_INVALID', /UTF-8/],
  ['no body', `${BASE}/exports`, { method: 'POST' }, 'REQUEST_INVALID', /the body must be an object/],
  ['an empty body', `${BASE}/exports`, { method: 'POST', headers: JSON_TYPE }, 'REQUEST_INVALID', /the body must be an object/],
  ['a list', `${BASE}/exports`, { body: '[]', headers: JSON_TYPE }, 'REQUEST_INVALID', /the body must be an object/],
  ['a body that is too large', `${BASE}/exports`, { body: ' '.repeat(LIMITS.bodyBytes + 1), headers: JSON_TYPE }, 'BODY_TOO_LARGE', /1048576/],
  ['a foreign host', `${BASE}/exports`, { headers: { host: 'evil.example' } }, 'HOST_FORBIDDEN', /evil\.example/],
  ['an address that is not loopback as host', `${BASE}/exports`, { headers: { host: '10.0.0.1:80' } }, 'HOST_FORBIDDEN', /10\.0\.0\.1/],
  ['a host made to look local', `${BASE}/exports`, { headers: { host: '127.0.0.1.evil.example' } }, 'HOST_FORBIDDEN', /evil/],
  ['a host with a name in front', `${BASE}/exports`, { headers: { host: 'localhost@evil.example' } }, 'HOST_FORBIDDEN', /evil/],
  ['a foreign host, where there is nothing', '/nothing', { headers: { host: 'evil.example' } }, 'HOST_FORBIDDEN', /evil/],
  [
    'a page of another site',
    `${BASE}/exports`,
    { body: good, headers: { origin: 'http://evil.example' } },
    'ORIGIN_FORBIDDEN',
    /Origin http:\/\/evil/,
  ],
  ['a page of another port', `${BASE}/exports`, { body: good, headers: { origin: 'http://127.0.0.1:1' } }, 'ORIGIN_FORBIDDEN', /Origin/],
  ['a page without a site', `${BASE}/exports`, { body: good, headers: { origin: 'null' } }, 'ORIGIN_FORBIDDEN', /null/],
  ['a browser that says so', id, { method: 'DELETE', headers: { 'sec-fetch-site': 'cross-site' } }, 'ORIGIN_FORBIDDEN', /cross-site/],
  ['a page of a neighbour', id, { method: 'PUT', body: good, headers: { 'sec-fetch-site': 'same-site' } }, 'ORIGIN_FORBIDDEN', /same-site/],
  ['a coding that is not served', `${BASE}/packets/items/none?compress=br`, {}, 'CODING_UNSUPPORTED', /compress=br/],
];

describe('every error is one JSON sentence with its code:', () => {
  it.each(cases)('%s', async (_what, path, ask, code, words) => {
    const answer = await probe.ask(path, ask);
    const error = errorOf(answer);
    expect(error.error_id).toBe(code);
    expect(error.error_text).toMatch(words);
    expect(answer.status).toBe(ERRORS[code].http);
  });

  it('also when there is no room', async () => {
    const made: string[] = [];
    let answer = await probe.ask(`${BASE}/exports`, { body: good });
    for (; answer.status === 201; answer = await probe.ask(`${BASE}/exports`, { body: good })) made.push(answer.headers.location!);
    expect(made.length).toBe(LIMITS.activeExportsOfUser);
    expect([answer.status, errorOf(answer).error_id]).toEqual([429, 'TOO_MANY_EXPORTS_OF_USER']);
    expect(answer.headers['retry-after']).toBe('5');
    for (const location of made) expect((await probe.ask(location, { method: 'DELETE' })).status).toBe(204);
  });

  it('also for a defect of ours, without its words', async () => {
    engine.prepareError = new Error('a secret path /x/y') as never;
    const answer = await probe.ask(`${BASE}/exports`, { body: good });
    engine.prepareError = null;
    expect([answer.status, errorOf(answer).error_id]).toEqual([500, 'INTERNAL']);
    expect(errorOf(answer).error_text).not.toContain('secret');
  });
});

describe('what is no HTTP', () => {
  const bodyOf = (answer: string): unknown => JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4));

  it.each([
    ['garbage', 'garbage\r\n\r\n', 400, 'the request is not valid HTTP'],
    ['a header without a name', 'GET / HTTP/1.1\r\n: x\r\n\r\n', 400, 'the request is not valid HTTP'],
    ['headers without end', `GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(LIMITS.headerBytes)}\r\n\r\n`, 431, 'longer than 16384 bytes'],
  ])('%s', async (_what, text, status, words) => {
    const answer = await probe.send(text);
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(answer).toMatch(/\r\nContent-Type: application\/json/i);
    expect(bodyOf(answer)).toEqual({ error_id: 'REQUEST_INVALID', error_text: expect.stringContaining(words) });
  });

  it('a request that names no host is refused in our words', async () => {
    const answer = await probe.send('GET / HTTP/1.1\r\nConnection: close\r\n\r\n');
    expect(answer).toMatch(/^HTTP\/1.1 403 /);
    expect(bodyOf(answer)).toMatchObject({ error_id: 'HOST_FORBIDDEN' });
  });

  it('does not hurt the next', async () => {
    const socket = connect(probe.port, '127.0.0.1');
    socket.write('POST');
    socket.destroy();
    expect((await probe.ask(`${BASE}/exports`)).status).toBe(200);
  });
});

describe('what is let in', () => {
  it.each([
    'localhost',
    'LOCALHOST:99',
    'localhost.',
    '127.0.0.1',
    '127.8.8.8:1',
    '[::1]:80',
    '[0:0:0:0:0:0:0:1]',
    'probe.example',
    'PROBE.example:8470',
  ])('host %s', async (host) => expect((await probe.ask(`${BASE}/exports`, { headers: { host } })).status).toBe(200));

  it('changes by programs, and by pages of its own', async () => {
    const own = { origin: `http://127.0.0.1:${probe.port}`, 'sec-fetch-site': 'same-origin' };
    for (const headers of [{}, own, { 'sec-fetch-site': 'none' }]) {
      const answer = await probe.ask(`${BASE}/exports`, { body: good, headers });
      expect(answer.status).toBe(201);
      const location = answer.headers.location!;
      // A DELETE with the type of a body that it does not have, as clients send it.
      expect((await probe.ask(location, { method: 'DELETE', headers: JSON_TYPE })).status).toBe(204);
    }
  });

  it('reading by pages of other sites, which browsers keep from them', async () => {
    expect(
      (await probe.ask(`${BASE}/exports`, { headers: { origin: 'http://evil.example' } })).headers['access-control-allow-origin'],
    ).toBeUndefined();
  });

  it.each(['application/json', 'application/json; charset=utf-8', 'application/json;charset=UTF-8', 'Application/JSON; charset="utf-8"'])(
    '%s',
    async (type) => {
      const answer = await probe.ask(`${BASE}/exports`, { body: JSON.stringify(good), headers: { 'content-type': type } });
      expect(answer.status).toBe(201);
      await probe.ask(answer.headers.location!, { method: 'DELETE' });
    },
  );
});
