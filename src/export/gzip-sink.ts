/** Compresses with gzip on its way to another sink; zlib works in threads of Node's pool. */
import { createGzip, constants } from 'node:zlib';
import type { Sink } from '../engine/types.js';

const OUT_BYTES = 256 << 10;

export class GzipSink implements Sink {
  // A capture is compressed once and read once: speed counts more than the last percent.
  readonly #gzip = createGzip({ level: constants.Z_BEST_SPEED, chunkSize: OUT_BYTES });
  readonly #pumped: Promise<void>;

  constructor(private readonly inner: Sink) {
    this.#pumped = this.#pump();
    // Whoever writes or finishes learns of it; until then it is no unhandled rejection.
    this.#pumped.catch(() => undefined);
  }

  /** Resolves once zlib has taken all of it, which it does only while its output is being taken away. */
  async write(bytes: Uint8Array): Promise<void> {
    await this.#orBroken((done) => this.#gzip.write(bytes, done));
  }

  async finish(): Promise<void> {
    this.#gzip.end();
    await this.#pumped;
    await this.inner.finish();
  }

  async abort(): Promise<void> {
    this.#gzip.destroy();
    // First the inner one: the pump may be waiting for a write that only this ends.
    await this.inner.abort();
    await this.#pumped.catch(() => undefined);
  }

  async #pump(): Promise<void> {
    for await (const chunk of this.#gzip) await this.inner.write(chunk as Uint8Array);
  }

  /** A failure of the inner sink is worth more than what zlib says about being stopped by it. */
  async #orBroken(start: (done: (error?: Error | null) => void) => void): Promise<void> {
    try {
      await new Promise<void>((resolve, reject) => start((error) => (error ? reject(error) : resolve())));
    } catch (error) {
      await this.#pumped;
      throw error;
    }
  }
}
