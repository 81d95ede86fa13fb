/** Bad input to every route, found by walking the services: a coded answer in the one shape, nothing half made, no defect. */
import { readdirSync } from 'node:fs';
import type { TSchema } from 'typebox';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { routesOf, type Route } from '../../src/api/routes.js';
import { LIMITS } from '../../src/config.js';
import { ERRORS } from '../../src/errors.js';
import { TestProbe, errorOf, type Answer, type Ask } from '../api/server.js';

const SLOWEST_MS = 10_000;
const JSON_TYPE = { 'content-type': 'application/json' };

let probe: TestProbe;
let routes: Route[];
let before: string;
beforeAll(async () => {
  probe = await TestProbe.start();
  routes = routesOf(probe.probe.services);
  before = await everything();
});
afterAll(() => probe.stop());

/** All that can be listed, and what is in the folders. */
async function everything(): Promise<string> {
  const lists = [
    'npm.packet_export/1.3/exports',
    'npm.packet_capture/3.0/jobs',
    'npm.packet_capture/3.0/vifgs',
    'npm.packet_capture/3.0/settings',
    'npm.packet_capture/3.0/vifgs/settings',
    'npm.packet_capture/3.0/info/job_defaults',
    'npm.filesystem/1.0/fs',
    'npm.clips/1.0/clips',
    'spillway.admin/1.0/users',
    'mgmt.aaa/2.0/refresh_tokens',
  ];
  const told: string[] = [];
  for (const path of lists) {
    const { status, body } = await probe.ask(`/api/${path}`);
    expect([path, status]).toEqual([path, 200]);
    // Interfaces come and go, and their groups with them.
    const groups = path.endsWith('/vifgs') && (JSON.parse(body.toString()) as { items: { id: number }[] }).items.filter(({ id }) => id > 1000);
    told.push(groups ? JSON.stringify(groups) : body.toString());
  }
  const names = readdirSync(probe.data.path, { recursive: true }).map(String);
  return JSON.stringify([told, names.filter((name) => !/db|wal|shm|^buffer$/.test(name)).sort()], null, 1);
}

async function ask(path: string, given: Ask): Promise<Answer> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => (timer = setTimeout(() => reject(new Error(`${given.method} ${path}: no answer`)), SLOWEST_MS)));
  return Promise.race([probe.ask(path, given), late]).finally(() => clearTimeout(timer));
}

/** Refused in the shape of its service, with a status that goes with its code. */
function refused(answer: Answer, what: string): { codes: string[]; text: string } {
  const { codes, text, statuses } = toldBy(answer, what);
  expect([what, answer.status, text]).toEqual([what, expect.toBeOneOf(statuses) as number, text]);
  if (answer.status >= 500 && answer.status !== 503) throw new Error(`${what}: ${answer.body.toString()}`);
  return { codes, text };
}

const statusOf = (code: string): number => ERRORS[code as keyof typeof ERRORS]?.http ?? 0;

/** What an error says, in one of the shapes there are. */
function toldBy(answer: Answer, what: string): { codes: string[]; text: string; statuses: number[] } {
  const body = JSON.parse(answer.body.toString()) as Record<string, unknown>;
  if (body['device'] !== undefined && body['error'] !== undefined) {
    const { code, message_params: params = {} } = body['error'] as { code: string; message_params?: Record<string, string> };
    expect([what, code]).toEqual([what, 'rpc_invalid_request']);
    return {
      codes: ['REQUEST_INVALID', 'MEDIA_TYPE_UNSUPPORTED', 'BODY_TOO_LARGE'],
      text: Object.values(params).join(),
      statuses: [200, 400, 413, 415],
    };
  }
  if (answer.status < 400) throw new Error(`${what}: taken, with ${answer.status} ${answer.body.toString('utf8', 0, 300)}`);
  if (body['customErrorCode'] !== undefined) {
    expect([what, Object.keys(body), body['httpErrorCode']]).toEqual([what, ['httpErrorCode', 'customErrorCode', 'description'], answer.status]);
    const word = String(body['customErrorCode']).toUpperCase().replaceAll('-', '_');
    const code = word === 'INVALID_REQUEST' ? 'REQUEST_INVALID' : word;
    const http = statusOf(code);
    return {
      codes: [code],
      text: String(body['description']),
      statuses: [[400, 401, 403, 404, 405, 409].includes(http) ? http : http < 500 ? 400 : 500],
    };
  }
  if (body['errorMsg'] !== undefined) {
    const { result, messages } = body['errorMsg'] as { result: string; messages: { id: string; text: string }[] };
    expect([what, result, messages.length]).toEqual([what, 'failure', 1]);
    const { id, text } = messages[0]!;
    const http = statusOf(id);
    return { codes: [id], text, statuses: [[400, 401, 403, 404, 405, 409].includes(http) ? http : http < 500 ? 400 : 500] };
  }
  if (body['messageParams'] !== undefined) {
    const { id, message, messages } = body as unknown as { id: string; message: string; messages: { id: string; message: string }[] };
    expect([what, messages]).toEqual([what, [expect.objectContaining({ id, message })]]);
    return { codes: [id], text: message, statuses: [statusOf(id)] };
  }
  const { error_id: code, error_text: text } = errorOf(answer);
  expect(text.length, what).toBeLessThanOrEqual(LIMITS.errorTextLength);
  return { codes: [code], text, statuses: [statusOf(code)] };
}

const nameOf = ({ service, resource, name }: Route): string => `${service.name} ${service.version} ${resource}.${name}`;
const pathOf = ({ url }: Route, id = 'none'): string => url.replace(/:\w+|\*/g, id);

/** A body that the route would take. */
function goodBody(schema: TSchema): unknown {
  const {
    type,
    properties,
    required = [],
    enum: values,
    items,
    anyOf,
  } = schema as {
    type?: string;
    properties?: Record<string, TSchema>;
    required?: string[];
    enum?: unknown[];
    items?: TSchema;
    anyOf?: TSchema[];
  };
  if (values) return values[0];
  if (anyOf) return goodBody(anyOf[0]!);
  if (properties) return Object.fromEntries(required.map((name) => [name, goodBody(properties[name]!)]));
  if (type === 'array') return items ? [goodBody(items)] : [];
  return { string: 'none', boolean: true, integer: 0, number: 0 }[type ?? ''] ?? 0;
}

/** Each property of a schema with the way to it, arrays' items by their first. */
function* propertiesOf(schema: TSchema, path: (string | number)[] = []): Generator<{ path: (string | number)[]; schema: TSchema }> {
  const { properties, items } = schema as { properties?: Record<string, TSchema>; items?: TSchema };
  if (path.length > 0) yield { path, schema };
  for (const [name, each] of Object.entries(properties ?? {})) yield* propertiesOf(each, [...path, name]);
  if (items) yield* propertiesOf(items, [...path, 0]);
}

/** A good body but for one value, which is put where `path` leads. */
function bodyWith(schema: TSchema, path: readonly (string | number)[], value: unknown): unknown {
  const [first, ...rest] = path;
  if (first === undefined) return value;
  const { properties, items } = schema as { properties?: Record<string, TSchema>; items?: TSchema };
  if (typeof first === 'number') return [bodyWith(items!, rest, value)];
  return { ...(goodBody(schema) as object), [first]: bodyWith(properties![first]!, rest, value) };
}

const MARK = '"@raw@"';
/** JSON in which a value is written as it is. */
const rawIn = (schema: TSchema, path: readonly (string | number)[], raw: string): string =>
  JSON.stringify(bodyWith(schema, path, '@raw@')).replace(MARK, () => raw);

const bodied = (): Route[] => routes.filter(({ link }) => link.body !== undefined);

async function expectNothingMade(): Promise<void> {
  expect(await everything()).toBe(before);
}

describe('a body', () => {
  const deep = `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`;
  const whole: [string, Ask, string][] = [
    ['half of JSON', { body: '{"config":{', headers: JSON_TYPE }, 'REQUEST_INVALID'],
    ['text', { body: 'hello', headers: JSON_TYPE }, 'REQUEST_INVALID'],
    ['null', { body: 'null', headers: JSON_TYPE }, 'REQUEST_INVALID'],
    ['a list', { body: '[]', headers: JSON_TYPE }, 'REQUEST_INVALID'],
    ['a string', { body: '"x"', headers: JSON_TYPE }, 'REQUEST_INVALID'],
    ['a number', { body: '1e400', headers: JSON_TYPE }, 'REQUEST_INVALID'],
    ['nothing', { headers: JSON_TYPE }, 'REQUEST_INVALID'],
    ['two objects', { body: '{}{}', headers: JSON_TYPE }, 'REQUEST_INVALID'],
    ['objects in each other', { body: deep, headers: JSON_TYPE }, 'REQUEST_INVALID'],
    ['lists in each other', { body: '['.repeat(500_000), headers: JSON_TYPE }, 'REQUEST_INVALID'],
    ['what is no UTF-8', { body: Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]), headers: JSON_TYPE }, 'REQUEST_INVALID'],
    ['UTF-16', { body: Buffer.from('{}', 'utf16le'), headers: JSON_TYPE }, 'REQUEST_INVALID'],
    ['a property twice', { body: '{"zz":1,"zz":2}', headers: JSON_TYPE }, 'REQUEST_INVALID'],
    ['a name that no property can have', { body: '{"__proto__":{}}', headers: JSON_TYPE }, 'REQUEST_INVALID'],
    ['too many bytes', { body: `{"a":"${'x'.repeat(LIMITS.bodyBytes)}"}`, headers: JSON_TYPE }, 'BODY_TOO_LARGE'],
    ['a form', { body: 'a=b', headers: { 'content-type': 'application/x-www-form-urlencoded' } }, 'MEDIA_TYPE_UNSUPPORTED'],
    ['several parts', { body: '--x--', headers: { 'content-type': 'multipart/form-data; boundary=x' } }, 'MEDIA_TYPE_UNSUPPORTED'],
    ['plain text', { body: '{}', headers: { 'content-type': 'text/plain' } }, 'MEDIA_TYPE_UNSUPPORTED'],
    ['another charset', { body: '{}', headers: { 'content-type': 'application/json; charset=utf-16' } }, 'MEDIA_TYPE_UNSUPPORTED'],
    ['no type', { body: '{}' }, 'MEDIA_TYPE_UNSUPPORTED'],
  ];
  it.each(whole)('of %s is refused by every route that takes one', async (what, given, code) => {
    for (const route of bodied()) {
      if (what === 'nothing' && route.link.isBodyOptional === true) continue;
      const name = `${nameOf(route)}: ${what}`;
      const answer = await ask(pathOf(route), { method: route.link.method, ...given });
      expect([name, refused(answer, name).codes]).toEqual([name, expect.arrayContaining([code])]);
    }
    await expectNothingMade();
  });

  it('with an unknown property is refused with its name, at every level that is closed', async () => {
    let levels = 0;
    for (const route of bodied()) {
      const body = route.link.body!;
      for (const { path, schema } of [{ path: [], schema: body }, ...propertiesOf(body)]) {
        if ((schema as { additionalProperties?: boolean }).additionalProperties !== false) continue;
        levels++;
        const value = { ...(goodBody(schema) as object), un_known: 1 };
        const what = `${nameOf(route)} ${path.join('.')}`;
        const answer = await ask(pathOf(route), { method: route.link.method, body: bodyWith(body, path, value) as object });
        expect([what, refused(answer, what).text]).toEqual([what, expect.stringMatching(/\bun_known\b.*no property of this name is known/)]);
      }
    }
    expect(levels).toBeGreaterThan(30);
    await expectNothingMade();
  });

  /** By what a schema asks for: values that it does not take, as JSON. */
  const wrong = (schema: TSchema): string[] => {
    const { type, format, enum: values, anyOf } = schema as { type?: string; format?: string; enum?: unknown[]; anyOf?: TSchema[] };
    if (anyOf) return anyOf.some((each) => (each as { type?: string }).type === 'string') ? ['1', '{}'] : ['1', '"x"'];
    if (format === 'uint64' || type === 'integer') {
      const huge = format === 'uint64' ? ['18446744073709551616', '1e20'] : ['9007199254740993000000'];
      return ['-1', '1.5', '"1"', 'true', 'null', '{}', '[]', '1e400', '-1e400', '1e-400', '0.1e-3', ...huge];
    }
    if (values) return ['"none of these"', '""', '0', 'null', '{}'];
    if (type === 'string') return ['0', 'null', 'false', '{}', '[]', '["x"]', '1e400'];
    if (type === 'boolean') return ['0', '"true"', 'null', '[]'];
    if (type === 'number') return ['"0"', 'null', '[]', '1e400'];
    if (type === 'array') return ['{}', '"x"', 'null', '0'];
    if (type === 'object') return ['[]', '"x"', 'null', '0', 'true'];
    return [];
  };

  it('with a value of the wrong type is refused with the property that has it', async () => {
    let values = 0;
    const walked = new Set<TSchema>();
    for (const route of bodied()) {
      const body = route.link.body!;
      // What several routes take is checked by one validator.
      if (walked.has(body)) continue;
      walked.add(body);
      for (const { path, schema } of propertiesOf(body)) {
        const leaf = path.filter((part) => typeof part === 'string').at(-1)!;
        const refuse = async (value: string): Promise<void> => {
          values++;
          const what = `${nameOf(route)} ${path.join('.')} ${value}`;
          const answer = await ask(pathOf(route), { method: route.link.method, body: rawIn(body, path, value), headers: JSON_TYPE });
          expect([what, refused(answer, what).text]).toEqual([what, expect.stringContaining(leaf)]);
        };
        await Promise.all(wrong(schema).map(refuse));
      }
    }
    expect(values).toBeGreaterThan(300);
    await expectNothingMade();
  });

  it('with too much of a good thing is refused', async () => {
    const path = 'fs/admin/sample.pcap';
    const filter = { id: 'a', type: 'BPF', value: 'tcp' };
    const interval = { start_time: '1', end_time: '2' };
    const file = { mode: 'STREAM_TO_FILE' };
    const cases: [object, string][] = [
      [{ path: 'x'.repeat(100_000) }, 'SOURCE_NOT_FOUND'],
      [{ path: '' }, 'SOURCE_NOT_FOUND'],
      [{ path, filters: { items: Array(33).fill(filter) } }, 'FILTER_TOO_COMPLEX'],
      [{ path, filters: { items: [{ ...filter, value: 'ip and '.repeat(20_000) + 'ip' }] } }, 'FILTER_TOO_COMPLEX'],
      [{ path, filters: { items: [{ ...filter, value: 'tcp prot 80' }] } }, 'FILTER_INVALID'],
      [{ path, filters: { items: [{ ...filter, value: 'host a\0b' }] } }, 'FILTER_INVALID'],
      [{ path, time_intervals: Array(5000).fill(interval) }, 'TIME_INVALID'],
      [{ path, time_intervals: [{ start_time: '2', end_time: '1' }] }, 'TIME_INVALID'],
      [{ path, start_time: '2', end_time: '1' }, 'TIME_INVALID'],
      ...['-1', '1.0000000001', '1e9', ' 1', '1,5', '', 'none', 'NaN', '0x10', '1'.repeat(30), '١'].map((time): [object, string] => [
        { path, start_time: time },
        'TIME_INVALID',
      ]),
      [{ path, output_filename: '/admin/x.pcap' }, 'OUTPUT_INVALID'],
      [{ path, ...file }, 'OUTPUT_INVALID'],
      ...['', '/', 'admin', '/admin', '/admin/', '/admin/..', '/admin/../admin/x', '/admin/./x', '/admin/a\0b', `/admin/${'x'.repeat(300)}`].map(
        (name): [object, string] => [{ path, ...file, output_filename: name }, 'OUTPUT_INVALID'],
      ),
      [{ path, ...file, output_filename: '/nobody/x.pcap' }, 'OUTPUT_FORBIDDEN'],
      ...[
        'jobs/none',
        'jobs/',
        'jobs/..',
        'clips/none',
        'clips/../x',
        'vifgs/x',
        'vifgs/-1',
        'vifgs/99999999999',
        'fs/admin/../admin/sample.pcap',
      ].map((source): [object, string] => [{ path: source, mode: 'LIVE_STREAM' }, 'SOURCE_NOT_FOUND']),
      ...['fs/admin', 'fs/admin/', 'fs/', 'fs//admin/sample.pcap\0', 'fs/admin/a\0', 'other/x', '/etc/passwd', 'fs/%2e%2e/x'].map(
        (source): [object, string] => [{ path: source }, 'SOURCE_NOT_FOUND'],
      ),
      ...['none0', '', '..', '../lo', 'a/b', 'a\0b', '--help', 'x'.repeat(100_000), 'lo ', '*'].map((name): [object, string] => [
        { path: `interfaces/${name}`, mode: 'LIVE_STREAM' },
        'SOURCE_NOT_FOUND',
      ]),
      ...['jobs', 'clips', 'vifgs', 'fs'].map((kind): [object, string] => [
        { path: `${kind}/${'x'.repeat(100_000)}`, mode: 'LIVE_STREAM' },
        'SOURCE_NOT_FOUND',
      ]),
      ...['jobs', 'clips', 'vifgs'].map((kind): [object, string] => [{ path: `${kind}/a\0b`, mode: 'LIVE_STREAM' }, 'SOURCE_NOT_FOUND']),
      [{ path: 'interfaces/lo' }, 'REQUEST_INVALID'],
    ];
    const wrongly: unknown[] = [];
    for (const [config, code] of cases) {
      const what = JSON.stringify(config).slice(0, 150);
      const answer = await ask('/api/npm.packet_export/1.3/exports', { body: { config } });
      const error = errorOf(answer);
      if (error.error_id !== code || error.error_text.length > LIMITS.errorTextLength)
        wrongly.push([what, code, answer.status, error.error_id, error.error_text.slice(0, 200)]);
    }
    expect(wrongly).toEqual([]);
    await expectNothingMade();
  });
});

describe('an address', () => {
  const IDS = [
    '..',
    '../..',
    '%2e%2e',
    '%2e%2e%2f%2e%2e%2fetc%2fpasswd',
    '..%2f..',
    '.',
    '%2f',
    '%2F%2F',
    '%00',
    'a%00b',
    '%ff',
    '%c3%28',
    '%zz',
    '%',
    'x'.repeat(5000),
    `${'a/'.repeat(500)}b`,
    '%20',
    '%0d%0aX:%20y',
    '__proto__',
    'constructor',
    '{id}',
    '%7B%2Bid%7D',
    "'%22;--",
    '0',
    '-1',
    '1e400',
    '99999999999999999999',
    '%F0%9F%92%A9',
    '%EF%BF%BD',
    '\\..\\',
  ];
  const withIds = (): Route[] => routes.filter(({ variables }) => variables.length > 0);

  it.each(IDS.map((id) => [id.length > 60 ? `${id.slice(0, 20)}… (${id.length})` : id, id]))(
    'with %s is answered in the one shape by every route',
    async (_, id) => {
      for (const route of withIds()) {
        const { link } = route;
        const what = `${link.method} ${nameOf(route)} ${id.slice(0, 60)}`;
        const body = link.body && goodBody(link.body);
        const raw = link.isRaw === true && { body: 'x', headers: { 'content-type': 'application/octet-stream', 'content-disposition': 'x.pcap' } };
        const answer = await ask(pathOf(route, id), { method: link.method, ...(body !== undefined && { body: body as object }), ...raw });
        // What is read may be there (a group of interfaces, an empty list); nothing is to be changed. A session that is none has ended.
        if (answer.status < 400) expect([what, link.method]).toEqual([what, route.name === 'logout' ? 'DELETE' : 'GET']);
        else refused(answer, what);
      }
      await expectNothingMade();
    },
  );

  it('that is longer than headers may be is refused', async () => {
    for (const route of withIds()) {
      const answer = await ask(pathOf(route, 'x'.repeat(20_000)), { method: route.link.method });
      expect(answer.status).toBe(431);
      expect(errorOf(answer).error_id).toBe('REQUEST_INVALID');
    }
  });

  it('with a bad query is refused, or answered as without', async () => {
    const asked = routes.filter(({ link }) => link.method === 'GET');
    for (const route of asked) {
      const names = Object.keys((route.link.query?.properties as object | undefined) ?? {});
      for (const query of [
        ...names.flatMap((name) => [`${name}=%00`, `${name}=%zz`, `${name}=%ff`, `${name}=a&${name}=b`, `${name}[x]=1`, name]),
        'x=%zz',
        '__proto__=1',
        '&&==&',
      ]) {
        const what = `${nameOf(route)}?${query}`;
        const answer = await ask(`${pathOf(route)}?${query}`, { method: 'GET' });
        if (answer.status >= 400) refused(answer, what);
      }
    }
  });
});
