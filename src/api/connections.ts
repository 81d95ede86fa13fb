/**
 * The connections of the listener: a bounded number. Where there is no room for one more, the one goes that has been
 * without a request the longest, so that half a request, or none, takes no place from anybody; where all are at work the
 * new one is refused.
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { LIMITS } from '../config.js';
import { answerAndClose } from './errors.js';

export interface ConnectionFigures {
  /** With a request that has not ended. */
  busy: number;
  idle: number;
  /** Closed to make room, and never let in. */
  evicted: number;
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
    private readonly isTls: boolean,
    private readonly max: number = LIMITS.connections,
  ) {
    server.on('connection', (socket: Socket) => this.#admit(socket));
    // Before the handler: what ends at once has begun.
    server.prependListener('request', (request: IncomingMessage, response: ServerResponse) => this.#begin(below(request.socket), response));
  }

  get figures(): ConnectionFigures {
    return { busy: this.#busy.size, idle: this.#idle.size, evicted: this.#evicted, refused: this.#refused };
  }

  #admit(socket: Socket): void {
    if (this.#idle.size + this.#busy.size >= this.max && !this.#evict()) return this.#refuse(socket);
    this.#idle.add(socket);
    socket.once('close', () => {
      this.#idle.delete(socket);
      this.#busy.delete(socket);
    });
  }

  #evict(): boolean {
    for (const socket of this.#idle) {
      this.#evicted++;
      this.#idle.delete(socket);
      socket.destroy();
      return true;
    }
    return false;
  }

  #refuse(socket: Socket): void {
    this.#refused++;
    // An answer in the clear is no word of TLS.
    if (this.isTls) socket.destroy();
    else answerAndClose(socket, 'TOO_MANY_CONNECTIONS', `${this.max} connections are at work: no more may be at once`);
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
