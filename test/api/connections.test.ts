/** Connections are bounded, and bodies end: who sends half of something takes no place from others. */
import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import Fastify, { type FastifyInstance } from 'fastify';
import { afterEach, describe, expect, it } from 'vitest';
import { limitBodies } from '../../src/api/body-time.js';
import { Connections } from '../../src/api/connections.js';
import { handleErrors } from '../../src/api/errors.js';
import { until } from '../export/fakes.js';

const sockets: Socket[] = [];
let server: Server;
let app: FastifyInstance | undefined;
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  server.closeAllConnections();
  await (app ? app.close() : new Promise((resolve) => server.close(resolve)));
  app = undefined;
});

interface Client {
  socket: Socket;
  told: () => string;
  /** It is closed. */
  closed: Promise<unknown>;
}

function client(text = ''): Client {
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  sockets.push(socket);
  socket.on('error', () => undefined);
  let told = '';
  socket.setEncoding('latin1').on('data', (more: string) => (told += more));
  const closed = new Promise((resolve) => socket.once('close', resolve));
  if (text !== '') socket.write(text);
  return { socket, told: () => told, closed };
}

const GET = 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n';

describe('a connection more than there may be', () => {
  /** Answers that are held back. */
  let held: ServerResponse[];
  async function listen(max: number): Promise<Connections> {
    held = [];
    server = createServer((_request, response) => void held.push(response));
    const connections = new Connections(server, max);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return connections;
  }

  it('takes the place of the one that has asked for nothing the longest', async () => {
    const connections = await listen(4);
    const busy = client(GET);
    await until(() => held.length === 1);
    const idle: Client[] = [];
    for (const text of ['GET /heal', '', 'P']) {
      idle.push(client(text));
      await until(() => connections.figures.idle === idle.length);
    }
    const next = client(GET);
    await until(() => held.length === 2);
    await idle[0]!.closed;
    expect(connections.figures).toEqual({ busy: 2, idle: 2, evicted: 1, refused: 0 });
    for (const response of held) response.end('here');
    await until(() => [busy, next].every(({ told }) => told().endsWith('here')));
    // Kept alive, and idle from now on: behind those that were so before.
    expect(connections.figures).toEqual({ busy: 0, idle: 4, evicted: 1, refused: 0 });
    client(GET);
    await idle[1]!.closed;
    expect([busy, next, idle[2]!].map(({ socket }) => socket.destroyed)).toEqual([false, false, false]);
  });

  it('takes no place from one that rests between requests, where more have asked for nothing', async () => {
    const connections = await listen(4);
    const resting = client(GET);
    await until(() => held.length === 1);
    held[0]!.end('here');
    await until(() => connections.figures.idle === 1 && resting.told().endsWith('here'));
    const fresh: Client[] = [];
    for (const text of ['GET /heal', '', 'P', '', 'GET']) {
      fresh.push(client(text));
      await until(() => connections.figures.idle + connections.figures.evicted === 1 + fresh.length);
    }
    await Promise.all([fresh[0]!.closed, fresh[1]!.closed]);
    expect(connections.figures).toEqual({ busy: 0, idle: 4, evicted: 2, refused: 0 });
    expect(resting.socket.destroyed).toBe(false);
  });

  it('is told so where nearly all are at work', async () => {
    app = Fastify({ logger: false, forceCloseConnections: true });
    server = app.server;
    handleErrors(app);
    const connections = new Connections(server, 4, 2);
    connections.guard(app);
    let waiting = 0;
    app.get('/', () => new Promise(() => waiting++));
    await app.listen({ host: '127.0.0.1', port: 0 });
    for (let i = 0; i < 2; i++) client(GET);
    await until(() => waiting === 2);
    const refused = client(GET);
    await refused.closed;
    expect(refused.told()).toMatch(/^HTTP\/1\.1 503 .*\r\nretry-after: \d+\r\n/s);
    expect(JSON.parse(refused.told().split('\r\n\r\n')[1]!)).toEqual({ error_id: 'TOO_MANY_CONNECTIONS', error_text: expect.any(String) });
    expect(connections.figures).toEqual({ busy: 2, idle: 0, evicted: 0, refused: 1 });
    sockets[0]!.destroy();
    await until(() => connections.figures.busy === 1);
    client(GET);
    await until(() => waiting === 3);
  });

  it('counts requests in a row on one connection', async () => {
    const connections = await listen(2);
    const { told } = client(GET + GET);
    await until(() => held.length === 2);
    held[0]!.end('one');
    await until(() => told().endsWith('one'));
    expect(connections.figures).toMatchObject({ busy: 1, idle: 0 });
    held[1]!.end('two');
    await until(() => told().endsWith('two'));
    expect(connections.figures).toMatchObject({ busy: 0, idle: 1 });
  });
});

describe('a body', () => {
  const TIMES = { wholeMs: 600, idleMs: 300 };
  const head = (path: string): string => `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 20\r\n\r\n`;
  const TIMEOUT = /^HTTP\/1\.1 408 .*"error_id":"REQUEST_TIMEOUT"/s;

  async function listen(): Promise<void> {
    app = Fastify({ logger: false, forceCloseConnections: true });
    handleErrors(app);
    limitBodies(app, TIMES);
    app.post('/json', async () => 'all of it');
    app.post('/early', { onRequest: async (_request, reply) => void reply.send('no') }, async () => 'all of it');
    await app.register(async (raw) => {
      raw.removeAllContentTypeParsers();
      raw.addContentTypeParser('*', (_request, _payload, done) => done(null));
      raw.post('/raw', { config: { isRaw: true } }, async (request) => {
        let bytes = 0;
        for await (const chunk of request.raw) bytes += (chunk as Buffer).length;
        return `${bytes} bytes`;
      });
    });
    await app.listen({ host: '127.0.0.1', port: 0 });
    server = app.server;
  }

  /** A byte now and then, as long as the connection takes them. */
  async function trickle({ socket }: Client, bytes: number): Promise<void> {
    for (let i = 0; i < bytes && !socket.destroyed; i++) {
      socket.write(' ');
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  it.each([['/json'], ['/raw']])('that does not come is not waited for: %s', async (path) => {
    await listen();
    const stalled = client(`${head(path)}    `);
    await stalled.closed;
    expect(stalled.told()).toMatch(TIMEOUT);
  });

  it('of JSON that comes too slowly is not waited for', async () => {
    await listen();
    const slow = client(head('/json'));
    await trickle(slow, 19);
    await slow.closed;
    expect(slow.told()).toMatch(TIMEOUT);
  });

  it('of a file may take its time, as long as it goes on coming', async () => {
    await listen();
    const slow = client(head('/raw'));
    await trickle(slow, 20);
    await until(() => slow.told().endsWith('20 bytes'));
  });

  it('that nobody wants any more ends the connection without a second answer', async () => {
    await listen();
    const stalled = client(`${head('/early')}    `);
    await stalled.closed;
    expect(stalled.told()).toMatch(/^HTTP\/1\.1 200 .*no$/s);
  });
});
