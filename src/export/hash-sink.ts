/** Hands everything on and keeps the SHA-256 of it. */
import { createHash } from 'node:crypto';
import type { Sink } from '../engine/types.js';

export class HashSink implements Sink {
  readonly #hash = createHash('sha256');
  #digest: string | undefined;

  constructor(private readonly inner: Sink) {}

  /** Hex digits; only after `finish`. */
  get sha256(): string {
    if (this.#digest === undefined) throw new Error('the output is not finished');
    return this.#digest;
  }

  async write(bytes: Uint8Array): Promise<void> {
    // Hashed while the bytes are on their way.
    const written = this.inner.write(bytes);
    this.#hash.update(bytes);
    await written;
  }

  async finish(): Promise<void> {
    await this.inner.finish();
    this.#digest = this.#hash.digest('hex');
  }

  abort(): Promise<void> {
    return this.inner.abort();
  }
}
