/** Peers on loopback that answer as they are told, and count who comes. */
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import { createServer as createPlain, type AddressInfo, type Server, type Socket } from 'node:net';
import { createServer as createTls, type TlsOptions, type TLSSocket } from 'node:tls';
import type { SecurePeer } from '../../src/peer/secure.js';
import type { TestPair } from './certificates.js';

export interface Heard {
  method: string;
  path: string;
  headers: IncomingMessage['headers'];
  body: string;
}

export type Answering = (request: Heard, response: ServerResponse) => unknown;

export class FakePeer {
  /** TCP connections, whatever became of them. */
  connections = 0;
  readonly heard: Heard[] = [];
  readonly #sockets = new Set<Socket>();
  #port = 0;

  private constructor(
    private readonly server: Server,
    private readonly pair: TestPair | null,
  ) {
    server.on('connection', (socket: Socket) => {
      this.connections++;
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
      socket.on('error', () => undefined);
    });
  }

  static async https(pair: TestPair, answer: Answering): Promise<FakePeer> {
    const server = createServer({ cert: pair.cert, key: pair.key });
    const peer = new FakePeer(server, pair);
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      void textOf(request).then(async (body) => {
        const heard = { method: request.method!, path: request.url!, headers: request.headers, body };
        peer.heard.push(heard);
        await answer(heard, response);
      });
    });
    return peer.#listen();
  }

  /** TLS, and what the test makes of it. */
  static tls(options: TlsOptions & TestPair, connected: (socket: TLSSocket) => void): Promise<FakePeer> {
    const server = createTls(options, (socket) => {
      socket.on('error', () => undefined);
      connected(socket);
    });
    return new FakePeer(server, options).#listen();
  }

  /** Anything that is no HTTPS, byte by byte. */
  static plain(connected: (socket: Socket) => void): Promise<FakePeer> {
    return new FakePeer(
      createPlain((socket) => connected(socket.resume())),
      null,
    ).#listen();
  }

  async #listen(): Promise<this> {
    await this.up();
    return this;
  }

  /** Where it was before, if it was stopped. */
  async up(): Promise<void> {
    this.server.listen(this.#port, '127.0.0.1');
    await once(this.server, 'listening');
    this.#port = (this.server.address() as AddressInfo).port;
  }

  get port(): number {
    return this.#port;
  }

  /** How many connections are open now. */
  get open(): number {
    return this.#sockets.size;
  }

  peer(given: Partial<SecurePeer> = {}): SecurePeer {
    return { address: `127.0.0.1:${this.port}`, ip: '127.0.0.1', port: this.port, pin: this.pair?.pin ?? 'f'.repeat(64), ca: null, ...given };
  }

  async stop(): Promise<void> {
    if (!this.server.listening) return;
    const closed = once(this.server, 'close');
    this.server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }
}

export function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = '';
  try {
    for await (const part of request.setEncoding('utf8')) text += String(part);
  } catch {
    // The client left: what came is all there is.
  }
  return text;
}
