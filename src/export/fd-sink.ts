/** An open descriptor, such as standard output: borrowed, never closed. */
import { write } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Sink } from '../engine/types.js';
import { SpillwayError } from '../errors.js';

/** How long to wait where a descriptor that does not block has no room. */
const RETRY_MS = 2;

export class FdSink implements Sink {
  /** `name`: what sentences call it. */
  constructor(
    private readonly fd: number,
    private readonly name = 'standard output',
  ) {}

  async write(bytes: Uint8Array): Promise<void> {
    for (let done = 0; done < bytes.length;) {
      const result = await writeSome(this.fd, bytes.subarray(done));
      if (typeof result === 'number') done += result;
      else if (result.code === 'EAGAIN') await sleep(RETRY_MS);
      else if (result.code === 'EPIPE') throw new SpillwayError('CLIENT_LEFT', `the reader of ${this.name} left before the end of the output`);
      else throw new SpillwayError('OUTPUT_FAILED', `writing to ${this.name} failed: ${result.code ?? result.message}`);
    }
  }

  async finish(): Promise<void> {}

  /** What was written stays short; the reader learns it from how the process ends. */
  async abort(): Promise<void> {}
}

/** The number of bytes taken, at least one; or the error. */
function writeSome(fd: number, bytes: Uint8Array): Promise<number | NodeJS.ErrnoException> {
  return new Promise((resolve) => {
    write(fd, bytes, 0, bytes.length, null, (error, written) => resolve(error ?? written));
  });
}
