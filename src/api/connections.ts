/**
 * The connections of the listener: a bounded number. Where there is no room for one more, the one goes that has been
 * without a request the longest, so that half a request, or none, takes no place from anybody; where nearly
 * all are at work, a request is refused.
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { LIMITS } from '../config.js';
import { SpillwayError } from '../errors.js';

export interface ConnectionFigures {
  /** With a request that has not ended. */
  busy: number;
  idle: number;
  /** Connections that were closed to make room. */
  evicted: number;
  /** Requests for which there was none. */
  refused: number;
}

export class Connections {
  /** Those without a request, the one that has been so the longest first. */
  readonly #idle = new Set<Socket>();
  /** And those with some: how many. */
  readonly #busy = new Map<Socket, number>();
  #evicted = 0;
  #refused = 0;

  constructor(
    server: Server,
    private readonly max: number = LIMITS.connections,
    private readonly maxBusy: number = LIMITS.busyConnections,
  ) {
    server.on('connection', (socket: Socket) => this.#admit(socket));
    // Before the handler: what ends at once has begun.
    server.prependListener('request', (request: IncomingMessage, response: ServerResponse) => this.#begin(below(request.socket), response));
  }

  get figures(): ConnectionFigures {
    return { busy: this.#busy.size, idle: this.#idle.size, evicted: this.#evicted, refused: this.#refused };
  }

  /** Refuses requests that come over connections too many. */
  guard(app: FastifyInstance): void {
    app.addHook('onRequest', async ({ raw }, reply) => {
      // Others than those of the listener are not counted.
      if (this.#busy.size <= this.maxBusy || !this.#busy.has(below(raw.socket))) return;
      this.#refused++;
      void reply.header('connection', 'close');
      throw new SpillwayError('TOO_MANY_CONNECTIONS', `${this.maxBusy} connections are at work: no more may be at once`);
    });
  }

  #admit(socket: Socket): void {
    if (this.#idle.size + this.#busy.size >= this.max) this.#evict();
    this.#idle.add(socket);
    socket.once('close', () => {
      this.#idle.delete(socket);
      this.#busy.delete(socket);
    });
  }

  #evict(): void {
    for (const socket of this.#idle) {
      this.#evicted++;
      this.#idle.delete(socket);
      return void socket.destroy();
    }
  }

  #begin(socket: Socket, response: ServerResponse): void {
    this.#idle.delete(socket);
    this.#busy.set(socket, (this.#busy.get(socket) ?? 0) + 1);
    response.once('close', () => {
      const left = (this.#busy.get(socket) ?? 0) - 1;
      if (left > 0) return void this.#busy.set(socket, left);
      // Unless it was closed before.
      if (this.#busy.delete(socket) && !socket.destroyed) this.#idle.add(socket);
    });
  }
}

/** Of a connection of TLS, what carries it. */
function below(socket: Socket): Socket {
  return (socket as { _parent?: Socket })._parent ?? socket;
}
