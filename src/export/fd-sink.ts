/** An open descriptor, such as standard output: borrowed, never closed. */
import { write } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { getSystemErrorName } from 'node:util';
import type { Sink } from '../engine/types.js';
import { SpillwayError } from '../errors.js';
import { givePages } from '../native.js';

/** How long to wait where a descriptor that does not block has no room. */
const RETRY_MS = 2;

/** Below this, copying is cheaper than new pages for the slot. */
const LEAST_GIVEN_BYTES = 256 << 10;

export class FdSink implements Sink {
  /** Until it turns out to be no pipe. */
  #takesPages = process.platform === 'linux';

  /** `name`: what sentences call it. */
  constructor(
    private readonly fd: number,
    private readonly name = 'standard output',
  ) {}

  async write(bytes: Uint8Array): Promise<void> {
    if (this.#takesPages && isSlot(bytes) && (await this.#give(bytes))) return;
    for (let done = 0; done < bytes.length;) {
      const result = await writeSome(this.fd, bytes.subarray(done));
      if (typeof result === 'number') done += result;
      else if (result.code === 'EAGAIN') await sleep(RETRY_MS);
      else throw this.#failure(result.code ?? result.message);
    }
  }

  /** Copying into a pipe and allocating its pages would take more time than all else: a slot's own pages go there. */
  async #give(slot: Uint8Array<SharedArrayBuffer>): Promise<boolean> {
    const error = await givePages(this.fd, new Uint8Array(slot.buffer, slot.byteOffset), slot.length);
    if (error === 0) return true;
    const code = getSystemErrorName(-error);
    if (code !== 'EINVAL') throw this.#failure(code);
    this.#takesPages = false;
    return false;
  }

  #failure(code: string): SpillwayError {
    return code === 'EPIPE'
      ? new SpillwayError('CLIENT_LEFT', `the reader of ${this.name} left before the end of the output`)
      : new SpillwayError('OUTPUT_FAILED', `writing to ${this.name} failed: ${code}`);
  }

  async finish(): Promise<void> {}

  /** What was written stays short; the reader learns it from how the process ends. */
  async abort(): Promise<void> {}
}

/** Whether `bytes` are an output slot's, which may be changed once they are written, and worth it. */
function isSlot(bytes: Uint8Array): bytes is Uint8Array<SharedArrayBuffer> {
  return bytes.buffer instanceof SharedArrayBuffer && bytes.length >= LEAST_GIVEN_BYTES;
}

/** The number of bytes taken, at least one; or the error. */
function writeSome(fd: number, bytes: Uint8Array): Promise<number | NodeJS.ErrnoException> {
  return new Promise((resolve) => {
    write(fd, bytes, 0, bytes.length, null, (error, written) => resolve(error ?? written));
  });
}
