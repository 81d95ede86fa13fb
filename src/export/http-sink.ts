/**
 * The body of an HTTP response, in chunked coding where its headers give no length. A body that is not whole ends with
 * the connection, and by a reset, so that no client can take it for whole, not even one of HTTP/1.0 that reads to the end.
 */
import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { LIMITS } from '../config.js';
import type { Sink } from '../engine/types.js';
import { SpillwayError } from '../errors.js';

export interface HttpSinkOptions {
  /** Default: 200. */
  status?: number;
  /** Called once, right before the headers go out; from then on the response is the sink's. */
  onBegin?: () => void;
}

/** Bytes of each response's body that the system has taken. */
const taken = new WeakMap<ServerResponse, bigint>();

/** Null where no sink has written to it. */
export function bodyBytesOf(response: ServerResponse): bigint | null {
  return taken.get(response) ?? null;
}

export class HttpSink implements Sink {
  #begun = false;
  /** Why nothing can be written any more. */
  #over: SpillwayError | null = null;
  /** The writes that wait for the system to take their bytes. */
  readonly #waiting = new Set<(error: SpillwayError) => void>();
  readonly #headersTimer: NodeJS.Timeout;

  constructor(
    private readonly response: ServerResponse,
    private readonly headers: OutgoingHttpHeaders,
    private readonly options: HttpSinkOptions = {},
  ) {
    this.#headersTimer = setTimeout(() => {
      this.#begin();
      response.flushHeaders();
    }, LIMITS.headersAfterMs);
    response.once('close', () => this.#leave());
    // A broken connection is told by `close`.
    response.on('error', () => undefined);
  }

  /** Whether anything was sent; before that, an error can still be answered. */
  get begun(): boolean {
    return this.#begun;
  }

  /** Resolves when the system has taken the bytes: only then may their buffer be reused. */
  async write(bytes: Uint8Array): Promise<void> {
    this.#begin();
    // One chunk is always waiting behind the one on its way, so that the socket never waits for us.
    let before: Promise<void> = Promise.resolve();
    for (let at = 0; at < bytes.length; at += LIMITS.httpChunkBytes) {
      const chunk = bytes.subarray(at, at + LIMITS.httpChunkBytes);
      const written = this.#until((done) => this.response.write(chunk, done)).then(() => this.#count(chunk.length));
      written.catch(() => undefined); // seen where it is awaited, which the one before may prevent
      await before;
      before = written;
    }
    await before;
  }

  async finish(): Promise<void> {
    this.#begin();
    await this.#until((done) => this.response.end(done));
  }

  async abort(): Promise<void> {
    clearTimeout(this.#headersTimer);
    this.#over ??= new SpillwayError('CANCELLED', 'the output was given up');
    if (!this.#begun) return;
    const { socket } = this.response;
    if (socket === null) this.response.destroy();
    else breakOff(socket);
  }

  #count(bytes: number): void {
    taken.set(this.response, (taken.get(this.response) ?? 0n) + BigInt(bytes));
  }

  #begin(): void {
    if (this.#over !== null) throw this.#over;
    clearTimeout(this.#headersTimer);
    if (this.#begun) return;
    this.#begun = true;
    this.options.onBegin?.();
    this.response.writeHead(this.options.status ?? 200, this.headers);
  }

  #until(start: (done: (error?: Error | null) => void) => void): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#over !== null) return reject(this.#over);
      this.#waiting.add(reject);
      start((error) => {
        this.#waiting.delete(reject);
        if (error) reject(this.#over ?? clientLeft());
        else resolve();
      });
    });
  }

  #leave(): void {
    clearTimeout(this.#headersTimer);
    if (this.response.writableFinished) return;
    this.#over ??= clientLeft();
    for (const reject of this.#waiting) reject(this.#over);
  }
}

/**
 * Ends the connection so that nothing looks like an end that was meant. TLS has no reset of its own: it is the connection
 * below that is reset, and the alert that would announce an end (close_notify) is not sent. A unix socket has none at all.
 */
function breakOff(socket: Socket): void {
  const { _parent: below } = socket as { _parent?: unknown };
  try {
    if (below instanceof Socket) below.resetAndDestroy();
    else socket.resetAndDestroy();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_INVALID_HANDLE_TYPE') throw error;
  }
  socket.destroy();
}

export function clientLeft(): SpillwayError {
  return new SpillwayError('CLIENT_LEFT', 'the client left before the end of the packets');
}
