/** Packages of fake peers, through both faces: what is sent, what is written, and what each failure is called. */
import { randomBytes } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { SpillwayError } from '../../src/errors.js';
import type { CollectOptions } from '../../src/peer/collect.js';
import { collectDiagnostic, relayRpc, type DiagnosticInput } from '../../src/peer/diagnostic.js';
import { collectSupport } from '../../src/peer/support.js';
import { until } from '../export/fakes.js';
import { makeCertificate, type TestPair } from './certificates.js';
import { FakePeer, json, type Answering, type Heard } from './fake-peer.js';

const CREDENTIALS = { username: 'collector', password: 'open sesame' };
const INPUT: DiagnosticInput = {
  verbosity: 'base',
  ...{ configuration: true, event_logs: true, statistics: true, status: true, system_log: true, user_credentials: false },
  encryption_passphrase: 'the passphrase',
};
const FILE = randomBytes(300_000);
const ID = 'a1'.repeat(12);
const FILE_ID = 'b2'.repeat(12);

let pair: TestPair;
beforeAll(async () => {
  pair = await makeCertificate();
});
let fake: FakePeer | undefined;
afterEach(async () => {
  await fake?.stop();
  fake = undefined;
});
async function start(answer: Answering): Promise<FakePeer> {
  return (fake = await FakePeer.https(pair, answer));
}

/** What a step of a peer answers instead of what it should. */
type Instead = Readonly<Record<string, (response: ServerResponse) => unknown>>;

interface Outcome {
  written: Buffer;
  /** Null: it was collected. */
  error: string | null;
  progress: [number, string][];
}

type Collect = (options: CollectOptions) => Promise<number>;

async function collected(collect: Collect, given: Partial<CollectOptions> = {}): Promise<Outcome> {
  const pieces: Buffer[] = [];
  const progress: [number, string][] = [];
  const options: CollectOptions = {
    sink: { write: async (bytes) => void pieces.push(Buffer.from(bytes)) },
    signal: new AbortController().signal,
    progress: (done, step) => progress.push([done, step]),
    maxBytes: 1 << 20,
    ...given,
    patience: { pollMs: 10, idleMs: 300, ...given.patience },
  };
  const error = await collect(options).then(
    (bytes) => {
      expect(bytes).toBe(Buffer.concat(pieces).length);
      return null;
    },
    (thrown: unknown) => {
      const { message } = thrown as Error;
      expect(message).not.toMatch(/sesame|the passphrase|TOKEN/);
      return thrown instanceof SpillwayError ? `${thrown.code}: ${message.replace(/127\.0\.0\.1:\d+/, 'P')}` : message;
    },
  );
  return { written: Buffer.concat(pieces), error, progress };
}

const DEVICE = { tstamp: 1 };
const start_result = { result: { process_id: 'abc123' }, device: DEVICE };
const success = { result: { process: {}, return_code: 'success', output: { size: FILE.length, delete_time: 9 } }, device: DEVICE };
const file = { base64: FILE.toString('base64'), extension: 'zip', device: DEVICE };

/** A peer that is asked three times before its package is there. */
function rpc(instead: Instead = {}): Answering {
  let polls = 0;
  return ({ path, body, headers }: Heard, response) => {
    const call = JSON.parse(body) as { method?: string };
    const step = path === '/cgi-bin/rpc.cgi' ? call.method! : path.slice('/cgi-bin/'.length, -'.cgi'.length);
    if (step !== 'login' && headers['apikey'] !== 'TOKEN') return json(response, 401, {});
    if (instead[step]) return instead[step](response);
    if (step === 'login') return json(response, 200, { token: 'TOKEN', role: { name: 'admin', permission: 10 } });
    if (step === 'logout') return json(response, 200, {});
    if (step === 'diagnostic_package_start') return json(response, 200, start_result);
    if (step === 'diagnostic_package_status_get') return json(response, 200, polls++ < 2 ? { result: { process: {} }, device: DEVICE } : success);
    return json(response, 200, file);
  };
}

const diagnostic: Collect = (options) => collectDiagnostic(fake!.peer(), CREDENTIALS, INPUT, options);
const says =
  (body: unknown, status = 200) =>
  (response: ServerResponse) =>
    json(response, status, body);
const rpcError = (code: string) => says({ error: { code, message_id: 'open sesame' }, device: DEVICE });

describe('a diagnostic package', () => {
  it('comes whole, in one session, with no secret but where it belongs', async () => {
    await start(rpc());
    const { written, error, progress } = await collected(diagnostic);
    expect([error, written.equals(FILE)]).toEqual([null, true]);
    const heard = fake!.heard.map(({ path, body }) => [path, JSON.parse(body) as unknown]);
    const status = ['/cgi-bin/rpc.cgi', { method: 'diagnostic_package_status_get', params: { process_id: 'abc123' } }];
    expect(heard).toEqual([
      ['/cgi-bin/login.cgi', CREDENTIALS],
      ['/cgi-bin/rpc.cgi', { method: 'diagnostic_package_start', params: INPUT }],
      ...[status, status, status],
      ['/cgi-bin/rpc.cgi', { method: 'diagnostic_package_file_get', params: { process_id: 'abc123' } }],
      ['/cgi-bin/logout.cgi', {}],
    ]);
    expect(progress[0]).toEqual([0, 'log in']);
    expect(progress.at(-1)).toEqual([1, 'done']);
    expect(progress.map(([done]) => done)).toEqual(progress.map(([done]) => done).sort((a, b) => a - b));
  });

  it.each<[string, (response: ServerResponse) => unknown, string]>([
    ['login', says({}, 400), 'refuses the user name or the password of the profile'],
    ['login', says({}, 503), 'lets nobody log in for a while, after too many wrong passwords'],
    ['login', says({}, 500), 'answers a login with HTTP status 500'],
    ['login', says({ token: 'open sesame\r\nX: y' }), 'answers without a token that can be used'],
    ['login', says({ token: 7 }), 'answers without a token that can be used'],
    ['diagnostic_package_start', rpcError('rpc_async_action_in_progress'), 'answers diagnostic_package_start with rpc_async_action_in_progress'],
    ['diagnostic_package_start', rpcError('open sesame'), 'answers diagnostic_package_start with an error'],
    ['diagnostic_package_start', says({ device: DEVICE }), 'answers diagnostic_package_start without a result'],
    ['diagnostic_package_start', says({ result: {} }), 'answers without a process_id that can be used'],
    ['diagnostic_package_start', says({}, 401), 'has ended the session'],
    ['diagnostic_package_status_get', says({ result: { return_code: 'error' } }), 'could not make its package'],
    ['diagnostic_package_status_get', rpcError('async_action_end_error'), 'answers diagnostic_package_status_get with async_action_end_error'],
    ['diagnostic_package_status_get', says({ result: { return_code: 'success', output: { size: '7' } } }), 'does not tell the size of its package'],
    [
      'diagnostic_package_status_get',
      says({ result: { return_code: 'success', output: { size: 1e12 } } }),
      'has made a package of 1000000000000 bytes, and 1048576 may be fetched',
    ],
    ['diagnostic_package_file_get', rpcError('rpc_invalid_parameter'), 'answers diagnostic_package_file_get with rpc_invalid_parameter'],
    ['diagnostic_package_file_get', says({ extension: 'zip', result: {} }), 'answers without a file'],
    ['diagnostic_package_file_get', says({ ...file, extension: 'exe' }), 'answers with a file that is no zip'],
    ['diagnostic_package_file_get', says({ ...file, base64: 'AAAA' }), 'sends 3 bytes of a package of 300000'],
    ['diagnostic_package_file_get', says({ ...file, base64: `${file.base64}AAAA` }), 'sends more than 300000 bytes'],
    ['diagnostic_package_file_get', says({ ...file, base64: 'open sesame' }), 'sends what is no base64'],
    ['diagnostic_package_file_get', says({ ...file, more: 'x'.repeat(70_000) }), 'sends more than 65536 bytes besides its base64'],
    [
      'diagnostic_package_file_get',
      (response) => response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(file).slice(0, -1)),
      'does not answer in JSON',
    ],
    [
      'diagnostic_package_file_get',
      (response) => response.writeHead(200, { 'content-type': 'application/json' }).end('{"base64":"AAAA'),
      'ends in the middle of its base64',
    ],
    [
      'diagnostic_package_file_get',
      (response) =>
        response
          .writeHead(200, { 'content-type': 'application/json', 'content-length': 500_000 })
          .write(`{"base64":"${'A'.repeat(70_000)}`, () => response.destroy()),
      'ended the connection in the middle',
    ],
    ['diagnostic_package_file_get', () => undefined, 'was silent for 0.3 s'],
  ])('%s: %o: %s', async (step, answer, why) => {
    await start(rpc({ [step]: answer }));
    expect((await collected(diagnostic)).error).toBe(`PEER_FAILED: the peer P ${why}`);
    // Whoever was let in leaves.
    expect(fake!.heard.some(({ path }) => path === '/cgi-bin/logout.cgi')).toBe(step !== 'login');
  });

  it('that never comes is waited for no longer than was said', async () => {
    await start(rpc({ diagnostic_package_status_get: says({ result: {} }) }));
    expect((await collected(diagnostic, { patience: { collectMs: 300 } })).error).toBe(
      'PEER_FAILED: the peer P has not made its package within 0.3 s',
    );
  });

  it('that nobody can write fails as the writing does, and the session ends', async () => {
    await start(rpc());
    const { error } = await collected(diagnostic, { sink: { write: () => Promise.reject(new SpillwayError('DISK_FULL', 'there is no space')) } });
    expect(error).toBe('DISK_FULL: there is no space');
    expect(fake!.heard.at(-1)!.path).toBe('/cgi-bin/logout.cgi');
  });

  it('that is cancelled is asked for no more, and the session ends', async () => {
    const abort = new AbortController();
    await start(rpc({ diagnostic_package_status_get: (response) => (says({ result: {} })(response), setTimeout(() => abort.abort(), 20)) }));
    expect((await collected(diagnostic, { signal: abort.signal })).error).toMatch(/^CANCELLED/);
    expect(fake!.heard.at(-1)!.path).toBe('/cgi-bin/logout.cgi');
    await until(() => fake!.open === 0);
  });
});

it('a relayed call gives the whole answer, errors included', async () => {
  const answer = { error: { code: 'rpc_method_not_found', message_id: 'x' }, device: DEVICE };
  await start(rpc({ no_such: says(answer) }));
  const call = { method: 'no_such', params: { a: 1 }, language_code: 'en' };
  expect(await relayRpc(fake!.peer(), CREDENTIALS, call, { signal: new AbortController().signal })).toEqual(answer);
  expect(JSON.parse(fake!.heard[1]!.body)).toEqual(call);
});

const operation = (Status: string, more: object = {}): object => ({ ID, Status, Percentage: 50, CurrentStep: 'x', ...more });
const completed = operation('completed', {
  Result: { Data: { packages: [{ fileID: FILE_ID, filename: 'x.tar.gz', switchAddress: 'localhost' }], failures: [] } },
});

function rest(instead: Instead = {}): Answering {
  let polls = 0;
  return ({ method, path, headers }: Heard, response) => {
    if (headers.authorization !== `Basic ${Buffer.from('collector:open sesame').toString('base64')}`) return json(response, 401, {});
    const step = `${method} ${path
      .replace(/^\/nmx\/v1/, '')
      .replace(ID, 'ID')
      .replace(FILE_ID, 'FILE')}`;
    if (instead[step]) return instead[step](response);
    if (step === 'POST /support-packages') return json(response, 202, { operationId: ID });
    if (step === 'GET /operations/ID') return json(response, 200, polls++ < 2 ? operation('in-progress') : completed);
    if (step === 'GET /support-packages/FILE')
      return response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': FILE.length }).end(FILE);
    return response.writeHead(method === 'DELETE' ? 204 : 404).end();
  };
}

const support: Collect = (options) => collectSupport(fake!.peer(), CREDENTIALS, options);
const steps = (): string[] => fake!.heard.map(({ method, path }) => `${method} ${path}`);

describe('a support package', () => {
  it('comes whole, and is removed from the peer', async () => {
    await start(rest());
    const { written, error, progress } = await collected(support);
    expect([error, written.equals(FILE)]).toEqual([null, true]);
    expect(JSON.parse(fake!.heard[0]!.body)).toEqual({ Switches: [{ Address: 'localhost' }] });
    expect(steps()).toEqual([
      'POST /nmx/v1/support-packages',
      ...Array.from({ length: 3 }, () => `GET /nmx/v1/operations/${ID}`),
      `GET /nmx/v1/support-packages/${FILE_ID}`,
      `DELETE /nmx/v1/support-packages/${FILE_ID}`,
    ]);
    expect(progress).toEqual(
      expect.arrayContaining([
        [0.25, 'collect'],
        [1, 'done'],
      ]),
    );
  });

  const bytes = (headers: Record<string, string | number>, body: Buffer) => (response: ServerResponse) =>
    response.writeHead(200, { 'content-type': 'application/octet-stream', ...headers }).end(body);

  it.each<[string, (response: ServerResponse) => unknown, string]>([
    ['POST /support-packages', says({}, 401), 'refuses the user name or the password of the profile'],
    ['POST /support-packages', says({}, 403), 'does not allow this to the user of the profile'],
    ['POST /support-packages', says({}, 409), 'makes such a package already'],
    ['POST /support-packages', says({}, 503), 'lets nobody log in for a while, or is busy'],
    ['POST /support-packages', says({ operationId: ID }, 200), 'answers with HTTP status 200'],
    ['POST /support-packages', says({ operationId: '../profiles/xxxxxxxxxxxxx' }, 202), 'answers without a operationId that can be used'],
    ['GET /operations/ID', says(operation('failed')), 'could not make its package'],
    ['GET /operations/ID', says(operation('open sesame')), 'could not make its package'],
    ['GET /operations/ID', says(operation('completed', { Result: { Data: { packages: [] } } })), 'has made no package'],
    ['GET /operations/ID', says(operation('completed', { Result: null })), 'has made no package'],
    [
      'GET /operations/ID',
      says(operation('completed', { Result: { Data: { packages: [{ fileID: 'x' }] } } })),
      'answers without a fileID that can be used',
    ],
    ['GET /support-packages/FILE', says({}, 404), 'answers with HTTP status 404'],
    ['GET /support-packages/FILE', says({}), 'does not answer in application/octet-stream'],
    ['GET /support-packages/FILE', bytes({ 'transfer-encoding': 'chunked' }, FILE), 'does not tell the length of its package'],
    ['GET /support-packages/FILE', bytes({ 'content-length': 10e9 }, FILE), 'has made a package of 10000000000 bytes, and 1048576 may be fetched'],
    [
      'GET /support-packages/FILE',
      (response) => response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': 9 }).write('x', () => response.destroy()),
      'ended the connection in the middle',
    ],
  ])('%s: %o: %s', async (step, answer, why) => {
    await start(rest({ [step]: answer }));
    expect((await collected(support)).error).toBe(`PEER_FAILED: the peer P ${why}`);
    // What was begun there is ended there.
    const last = step.startsWith('GET /operations')
      ? `DELETE /nmx/v1/operations/${ID}`
      : step.startsWith('GET')
        ? `DELETE /nmx/v1/support-packages/${FILE_ID}`
        : 'POST /nmx/v1/support-packages';
    expect(steps().at(-1)).toBe(last);
  });

  it('that is cancelled is cancelled on the peer', async () => {
    const abort = new AbortController();
    await start(rest({ 'GET /operations/ID': (response) => (says(operation('pending'))(response), setTimeout(() => abort.abort(), 20)) }));
    expect((await collected(support, { signal: abort.signal })).error).toMatch(/^CANCELLED/);
    expect(steps().at(-1)).toBe(`DELETE /nmx/v1/operations/${ID}`);
    await until(() => fake!.open === 0);
  });
});
