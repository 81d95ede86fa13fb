/**
 * The connections of the listener: a bounded number. Where there is no room for one more, one without a request goes: of those
 * that never had a whole one and those that rest behind one, whichever are more, the one that has waited the longest. So
 * half a request, or none, takes no place from anybody; where nearly all are at work, a request is refused.
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
  /** Those that never had a request, and those that had some and have none now; the one that has been so the longest first. */
  readonly #fresh = new Set<Socket>();
  readonly #resting = new Set<Socket>();
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
    return { busy: this.#busy.size, idle: this.#idleCount, evicted: this.#evicted, refused: this.#refused };
  }

  get #idleCount(): number {
    return this.#fresh.size + this.#resting.size;
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
    if (this.#idleCount + this.#busy.size >= this.max) this.#evict();
    this.#fresh.add(socket);
    socket.once('close', () => {
      this.#leaveIdle(socket);
      this.#busy.delete(socket);
    });
  }

  #evict(): void {
    const [socket] = this.#fresh.size >= this.#resting.size ? this.#fresh : this.#resting;
    if (!socket) return;
    this.#evicted++;
    this.#leaveIdle(socket);
    socket.destroy();
  }

  #leaveIdle(socket: Socket): void {
    this.#fresh.delete(socket);
    this.#resting.delete(socket);
  }

  #begin(socket: Socket, response: ServerResponse): void {
    this.#leaveIdle(socket);
    this.#busy.set(socket, (this.#busy.get(socket) ?? 0) + 1);
    response.once('close', () => {
      const left = (this.#busy.get(socket) ?? 0) - 1;
      if (left > 0) return void this.#busy.set(socket, left);
      // Unless it was closed before.
      if (this.#busy.delete(socket) && !socket.destroyed) this.#resting.add(socket);
    });
  }
}

/** Of a connection of TLS, what carries it. */
function below(socket: Socket): Socket {
  return (socket as { _parent?: Socket })._parent ?? socket;
}
