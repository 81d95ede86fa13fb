/** A client that costs little, so that what is measured is the server: one kept connection, one request at a time, by hand. */
import { connect, type Socket } from 'node:net';
import { BenchRefusal } from '../refusal.js';

export const API = '/api/npm.packet_export/1.3';

export interface Answer {
  status: number;
  body: string;
  ms: number;
}

export class Connection {
  #received = '';
  #began = 0;
  #settle: { resolve: (answer: Answer) => void; reject: (error: Error) => void } | null = null;

  private constructor(private readonly socket: Socket) {
    socket.setEncoding('latin1').setNoDelay(true);
    socket.on('data', (more: string) => this.#take(more));
    socket.on('error', () => undefined);
    socket.on('close', () => this.#settle?.reject(new BenchRefusal('the server closed a connection before it had answered')));
  }

  static open(address: string): Promise<Connection> {
    const { hostname, port } = new URL(address);
    return new Promise((resolve, reject) => {
      const socket = connect(Number(port), hostname, () => resolve(new Connection(socket)));
      socket.once('error', reject);
    });
  }

  /** For bodies whose length is told. */
  ask(method: string, path: string, body?: object): Promise<Answer> {
    const text = body === undefined ? '' : JSON.stringify(body);
    const type = body === undefined ? '' : `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(text)}\r\n`;
    return new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
      this.#began = performance.now();
      this.socket.write(`${method} ${path} HTTP/1.1\r\nHost: localhost\r\n${type}\r\n${text}`);
    });
  }

  close(): void {
    this.#settle = null;
    this.socket.destroy();
  }

  #take(more: string): void {
    this.#received += more;
    const end = this.#received.indexOf('\r\n\r\n');
    if (end < 0) return;
    const length = Number(/^content-length: (\d+)/im.exec(this.#received.slice(0, end))?.[1] ?? 0);
    if (this.#received.length < end + 4 + length) return;
    const answer = { status: Number(this.#received.slice(9, 12)), body: this.#received.slice(end + 4), ms: performance.now() - this.#began };
    this.#received = '';
    const settle = this.#settle;
    this.#settle = null;
    settle?.resolve(answer);
  }
}

/** Makes an export; gives its id. */
export async function create(connection: Connection, config: object): Promise<string> {
  const { status, body } = await connection.ask('POST', `${API}/exports`, { config });
  if (status !== 201) throw new BenchRefusal(`POST ${API}/exports answered ${status}: ${body}`);
  return (JSON.parse(body) as { id: string }).id;
}

export async function remove(connection: Connection, id: string): Promise<void> {
  const { status, body } = await connection.ask('DELETE', `${API}/exports/items/${id}`);
  if (status !== 204) throw new BenchRefusal(`DELETE of ${id} answered ${status}: ${body}`);
}

export interface Fetched {
  bytes: number;
  /** Until the first byte of the body. */
  firstByteMs: number;
}

/** Fetches packets over a connection of their own; breaks it off once `enough` bytes have come. */
export function fetchPackets(address: string, id: string, enough = Infinity): Promise<Fetched> {
  const { hostname, port } = new URL(address);
  const began = performance.now();
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname);
    let head: string | null = '';
    let bytes = 0;
    let firstByteMs = 0;
    socket.write(`GET ${API}/packets/items/${id} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
    socket.on('data', (piece: Buffer) => {
      if (head !== null) {
        head += piece.toString('latin1');
        const end = head.indexOf('\r\n\r\n');
        if (end < 0) return;
        if (!head.startsWith('HTTP/1.1 200 ')) return void socket.destroy(new BenchRefusal(`the packets of ${id}: ${head.slice(0, 500)}`));
        bytes = head.length - end - 4;
        head = null;
      } else bytes += piece.length;
      if (bytes > 0) firstByteMs ||= performance.now() - began;
      if (bytes < enough) return;
      socket.destroy();
      resolve({ bytes, firstByteMs });
    });
    socket.on('error', reject);
    socket.on('close', () => resolve({ bytes, firstByteMs }));
  });
}

/** The `share` of sorted times that are no longer: 0.99 for the 99th percentile. */
export function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]!;
}
