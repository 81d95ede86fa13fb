/** Compresses with zstd on its way to another sink: one frame, in a thread of its own, because the compressor blocks. */
import { Worker } from 'node:worker_threads';
import type { Sink } from '../engine/types.js';
import { LIMITS } from '../config.js';
import { fromRoot } from '../root.js';

/** What the thread is sent: bytes to compress (a whole buffer, its own), or the wish to end the frame. */
export type ZstdWork = { bytes: Uint8Array<ArrayBuffer> } | { end: true };
/** What it answers to each; empty while the compressor gathers. */
export interface ZstdDone {
  bytes: Uint8Array;
}

/** Threads run JavaScript: a test that runs from the sources uses the built one. */
const script = fromRoot('dist/export/zstd-worker.js');

export class ZstdSink implements Sink {
  readonly #worker = new Worker(script, { name: 'zstd' });
  #waiting: { resolve: (done: ZstdDone) => void; reject: (error: Error) => void } | null = null;
  #broken: Error | null = null;

  constructor(private readonly inner: Sink) {
    this.#worker.on('message', (done: ZstdDone) => this.#waiting?.resolve(done));
    this.#worker.on('error', (error: Error) => this.#break(error));
    this.#worker.on('exit', () => this.#break(new Error('the compressor ended')));
  }

  async write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; at += LIMITS.compressStepBytes) {
      // A copy, in memory that can be handed over: the caller's may be shared with others.
      const step = new Uint8Array(bytes.subarray(at, at + LIMITS.compressStepBytes));
      await this.#pass({ bytes: step }, [step.buffer]);
    }
  }

  async finish(): Promise<void> {
    await this.#pass({ end: true }, []);
    await this.#worker.terminate();
    await this.inner.finish();
  }

  async abort(): Promise<void> {
    await this.#worker.terminate();
    await this.inner.abort();
  }

  async #pass(work: ZstdWork, transfer: ArrayBuffer[]): Promise<void> {
    const { bytes } = await new Promise<ZstdDone>((resolve, reject) => {
      if (this.#broken !== null) return reject(this.#broken);
      this.#waiting = { resolve, reject };
      this.#worker.postMessage(work, transfer);
    });
    this.#waiting = null;
    if (bytes.length > 0) await this.inner.write(bytes);
  }

  #break(error: Error): void {
    this.#broken ??= error;
    this.#waiting?.reject(this.#broken);
  }
}
