/** Requests to peers that are down, slow, someone else, or talk rubbish. */
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { objectFrom, type Members } from '../../src/peer/answers.js';
import { exchange, PATIENCE, type Patience, type PeerRequest } from '../../src/peer/connection.js';
import { PEER_LIMITS } from '../../src/peer/limits.js';
import type { SecurePeer } from '../../src/peer/secure.js';
import { SpillwayError } from '../../src/errors.js';
import { until } from '../export/fakes.js';
import { makeCertificate, type TestPair } from './certificates.js';
import { FakePeer, json, type Answering } from './fake-peer.js';

const SECRET = 'open sesame';
let pair: TestPair;
let other: TestPair;
beforeAll(async () => {
  pair = await makeCertificate();
  other = await makeCertificate();
});
const started: FakePeer[] = [];
afterEach(async () => {
  for (const fake of started.splice(0)) await fake.stop();
});
async function running(fake: Promise<FakePeer>): Promise<FakePeer> {
  started.push(await fake);
  return started.at(-1)!;
}
const https = (answer: Answering, certificate = pair): Promise<FakePeer> => running(FakePeer.https(certificate, answer));

const LOGIN: PeerRequest = { method: 'POST', path: '/login', headers: { authorization: SECRET }, body: { password: SECRET } };

interface Wish {
  patience?: Partial<Patience>;
  signal?: AbortSignal;
}

function ask(peer: SecurePeer, { patience, signal = new AbortController().signal }: Wish = {}): Promise<Members> {
  return exchange(peer, LOGIN, { signal, patience: { ...PATIENCE, ...patience } }, (answer) => objectFrom(peer, answer));
}

/** The failure, which names the peer and never what was sent. */
async function failure(peer: SecurePeer, wish: Wish = {}): Promise<string> {
  const error = await ask(peer, wish).then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof SpillwayError)) throw new Error(`no failure, but ${String(error)}`);
  expect(error.message.startsWith(error.code === 'CANCELLED' ? 'what was asked of the peer' : `the peer ${peer.address} `)).toBe(true);
  expect(error.message + JSON.stringify(error)).not.toContain(SECRET);
  return `${error.code}: ${error.message.replace(peer.address, 'P')}`;
}

describe('a peer that is there', () => {
  it('is asked once, over a connection of its own that ends with the answer', async () => {
    const fake = await https((_, response) => json(response, 200, { ok: true }));
    expect(await ask(fake.peer())).toEqual({ ok: true });
    expect(await ask(fake.peer())).toEqual({ ok: true });
    expect(fake.connections).toBe(2);
    expect(fake.heard[0]).toMatchObject({
      method: 'POST',
      path: '/login',
      body: JSON.stringify({ password: SECRET }),
      headers: { host: `127.0.0.1:${fake.port}`, connection: 'close', 'accept-encoding': 'identity', 'content-type': 'application/json' },
    });
    await until(() => fake.open === 0);
  });

  it('shows its certificate before anything is sent', async () => {
    let arrived = 0;
    const fake = await running(FakePeer.tls(pair, (socket) => socket.on('data', (bytes: Buffer) => (arrived += bytes.length))));
    for (const wrong of [{ pin: other.pin }, { pin: null, ca: other.cert }, { pin: null, ca: null }]) await failure(fake.peer(wrong));
    expect([fake.connections, arrived]).toEqual([3, 0]);
    await until(() => fake.open === 0);
    // It would have been heard.
    await failure(fake.peer(), { patience: { idleMs: 100 } });
    expect(arrived).toBeGreaterThan(0);
  });
});

describe('a certificate', () => {
  it.each<[string, Parameters<typeof makeCertificate>[0], 'pin' | 'ca' | 'system', string | null]>([
    ['that is pinned', {}, 'pin', null],
    ['that is pinned and has expired', { from: -9, to: -1 }, 'pin', null],
    ['that is pinned and for another address', { ip: '192.0.2.1' }, 'pin', null],
    ['of the CA', {}, 'ca', null],
    ['of the CA that has expired', { from: -9, to: -1 }, 'ca', 'shows a certificate that has expired'],
    ['of the CA that does not hold yet', { from: 1, to: 9 }, 'ca', 'shows a certificate that does not hold yet'],
    ['of the CA for another address', { ip: '192.0.2.1' }, 'ca', 'shows a certificate that is for another address'],
    ['that nobody signed', {}, 'system', 'shows a certificate that is signed by nobody that is trusted'],
  ])('%s', async (_, wish, by, why) => {
    const own = await makeCertificate(wish);
    const fake = await https((_request, response) => json(response, 200, {}), own);
    const peer = fake.peer(by === 'pin' ? {} : { pin: null, ca: by === 'ca' ? own.cert : null });
    process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0';
    try {
      if (why === null) expect(await ask(peer)).toEqual({});
      else expect(await failure(peer)).toBe(`PEER_FAILED: the peer P ${why}`);
    } finally {
      delete process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
    }
    expect(fake.heard.length).toBe(why === null ? 1 : 0);
  });

  it('is not taken from a server of old', async () => {
    const fake = await running(FakePeer.tls({ ...pair, minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'ALL:@SECLEVEL=0' }, () => undefined));
    expect(await failure(fake.peer())).toBe('PEER_FAILED: the peer P does not speak TLS 1.2 or later');
  });
});

describe('who does not speak TLS', () => {
  it('is down', async () => {
    const fake = await FakePeer.plain(() => undefined);
    const peer = fake.peer();
    await fake.stop();
    expect(await failure(peer)).toBe('PEER_UNREACHABLE: the peer P can not be reached: nothing listens there');
  });

  it.each<[string, (socket: Socket) => void, string]>([
    ['is silent', () => undefined, 'PEER_UNREACHABLE: the peer P can not be reached: it did not answer within 0.2 s'],
    ['speaks HTTP', (socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'), 'PEER_FAILED: the peer P does not speak TLS 1.2 or later'],
    ['talks rubbish', (socket) => socket.write(Buffer.alloc(5000, 0x5a)), 'PEER_FAILED: the peer P does not speak TLS 1.2 or later'],
    ['hangs up', (socket) => socket.end(), 'PEER_FAILED: the peer P ended the connection before it was secure'],
    ['resets', (socket) => socket.once('data', () => socket.resetAndDestroy()), 'PEER_FAILED: the peer P ended the connection before it was secure'],
  ])('%s', async (_, connected, sentence) => {
    const fake = await running(FakePeer.plain(connected));
    expect(await failure(fake.peer(), { patience: { connectMs: 200 } })).toBe(sentence);
    await until(() => fake.open === 0);
  });
});

/** Says something without end. */
function forever(response: ServerResponse, bytes: Buffer, sent: (bytes: number) => void = () => undefined): void {
  const more = (): void => {
    for (let open = true; open && !response.destroyed; sent(bytes.length)) open = response.write(bytes);
  };
  response.on('drain', more);
  more();
}

const raw = (text: string) => (_: unknown, response: ServerResponse) => response.socket!.end(text);
const JSON_HEAD = { 'content-type': 'application/json' };

describe('an answer', () => {
  it.each<[string, Answering, string]>([
    ['none at all', () => undefined, 'was silent for 0.3 s'],
    ['that stops', (_, response) => response.writeHead(200, JSON_HEAD).write('{'), 'was silent for 0.3 s'],
    ['that drips', (_, response) => drip(response.writeHead(200, JSON_HEAD)), 'did not come to an end within 1 s'],
    ['of rubbish', raw('PEER/1.0 hello\r\n\r\n'), 'does not answer in HTTP'],
    ['of zeros', raw('\0'.repeat(5000)), 'does not answer in HTTP'],
    ['that is no answer', (_, response) => response.destroy(), 'ended the connection in the middle'],
    ['of headers', raw(`HTTP/1.1 200 OK\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`), 'answers with more than 16384 bytes of headers'],
    ['that switches', raw('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n'), 'ended the connection in the middle'],
    [
      'that is cut',
      raw('HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{"a":1}'),
      'ended the connection in the middle',
    ],
    [
      'that is cut in chunks',
      raw('HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n'),
      'ended the connection in the middle',
    ],
    ['with two lengths', raw('HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}'), 'does not answer in HTTP'],
    ['that is no JSON', (_, response) => response.writeHead(200, JSON_HEAD).end('{"a":'), 'does not answer in JSON'],
    ['that is empty', (_, response) => response.writeHead(200, JSON_HEAD).end(), 'does not answer in JSON'],
    ['that is a list', (_, response) => json(response, 200, []), 'does not answer with a JSON object'],
    ['that is deep', (_, response) => response.writeHead(200, JSON_HEAD).end('['.repeat(500_000)), 'does not answer in JSON'],
    ['that is a page', (_, response) => response.writeHead(200, { 'content-type': 'text/html' }).end('{}'), 'does not answer in application/json'],
    ['without a type', (_, response) => response.writeHead(200).end('{}'), 'does not answer in application/json'],
    [
      'that is compressed',
      (_, response) => response.writeHead(200, { ...JSON_HEAD, 'content-encoding': 'gzip' }).end('x'),
      'answers in a coding that was not asked for',
    ],
  ])('%s', async (_, answer, why) => {
    const fake = await https(answer);
    expect(await failure(fake.peer(), { patience: { idleMs: 300, totalMs: 1000 } })).toBe(`PEER_FAILED: the peer P ${why}`);
    await until(() => fake.open === 0);
  });

  it('of 10 GB is left after the first megabyte', async () => {
    let sent = 0;
    const fake = await https((_, response) =>
      forever(response.writeHead(200, { ...JSON_HEAD, 'content-length': 10e9 }), Buffer.alloc(1 << 16), (bytes) => (sent += bytes)),
    );
    expect(await failure(fake.peer())).toBe(`PEER_FAILED: the peer P sends more than ${PEER_LIMITS.answerBytes} bytes where a few are expected`);
    await until(() => fake.open === 0);
    expect(sent).toBeLessThan(32 << 20);
  });

  it.each([300, 301, 302, 303, 304, 305, 307, 308])('of %i leads nowhere', async (status) => {
    const target = await https((_, response) => json(response, 200, {}));
    const fake = await https((_, response) => response.writeHead(status, { location: `https://127.0.0.1:${target.port}/` }).end());
    expect(await failure(fake.peer())).toBe('PEER_FAILED: the peer P answers with a redirect, which is not followed');
    expect([fake.connections, target.connections]).toEqual([1, 0]);
  });

  it('waits for whoever takes it, as long as that takes', async () => {
    const fake = await https((_, response) => response.writeHead(200, JSON_HEAD).end(Buffer.alloc(4 << 20)));
    const taken = exchange(fake.peer(), LOGIN, { signal: new AbortController().signal, patience: { ...PATIENCE, idleMs: 200 } }, async ({ body }) => {
      let bytes = 0;
      for await (const piece of body) {
        if (bytes === 0) await new Promise((resolve) => setTimeout(resolve, 500));
        bytes += piece.length;
      }
      return bytes;
    });
    expect(await taken).toBe(4 << 20);
  });

  it('leaves what its taker throws as it is', async () => {
    const fake = await https((_, response) => json(response, 200, {}));
    const thrown = new Error('the disk is full');
    const taking = exchange(fake.peer(), LOGIN, { signal: new AbortController().signal }, async () => Promise.reject(thrown));
    await expect(taking).rejects.toBe(thrown);
    await until(() => fake.open === 0);
  });
});

function drip(response: ServerResponse): void {
  const timer = setInterval(() => response.write(' '), 20);
  response.once('close', () => clearInterval(timer));
}

describe('a cancel', () => {
  it('comes before anything: nobody is connected to', async () => {
    const fake = await https((_, response) => json(response, 200, {}));
    expect(await failure(fake.peer(), { signal: AbortSignal.abort() })).toMatch(/^CANCELLED/);
    expect(fake.connections).toBe(0);
  });

  it.each<[string, (reached: () => void) => Promise<FakePeer>]>([
    ['while it connects', (reached) => FakePeer.plain(() => reached())],
    ['while it waits', (reached) => FakePeer.https(pair, () => reached())],
    [
      'in the middle of an answer',
      (reached) =>
        FakePeer.https(pair, (_, response) => {
          response.writeHead(200, JSON_HEAD).write('{');
          setImmediate(reached);
        }),
    ],
  ])('%s ends the connection at once', async (_, begin) => {
    const abort = new AbortController();
    const fake = await running(begin(() => abort.abort()));
    expect(await failure(fake.peer(), { signal: abort.signal })).toMatch(/^CANCELLED/);
    await until(() => fake.open === 0);
  });

  it('with a reason is told as that', async () => {
    const fake = await running(FakePeer.plain(() => undefined));
    const why = new SpillwayError('INTERRUPTED', 'the server ends');
    const abort = new AbortController();
    const asking = ask(fake.peer(), { signal: abort.signal });
    await until(() => fake.connections === 1);
    abort.abort(why);
    await expect(asking).rejects.toBe(why);
  });
});

it('a peer of IPv6 is reached, and its certificate held against its address', async () => {
  const own = await makeCertificate({ ip: '::1' });
  const { createServer } = await import('node:https');
  const server = createServer({ cert: own.cert, key: own.key }, (_, response) => json(response, 200, { six: 6 })).listen(0, '::1');
  const isThere = await once(server, 'listening').then(
    () => true,
    () => false,
  );
  // A machine may have none.
  if (!isThere) return;
  const { port } = server.address() as { port: number };
  expect(await ask({ address: `[::1]:${port}`, ip: '::1', port, pin: null, ca: own.cert })).toEqual({ six: 6 });
  server.close();
});
