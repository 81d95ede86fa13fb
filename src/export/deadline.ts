/** A timer as long as a uint64 of milliseconds can say; `setTimeout` alone fires at once above 2^31. */
import type { Uint64 } from './schema.js';

const LONGEST_MS = 2 ** 31 - 1;

export class Deadline {
  #timer: NodeJS.Timeout | undefined;

  /** Calls `then` once after `ms`, instead of what was asked before. */
  start(ms: Uint64, then: () => void): void {
    this.stop();
    const rest = Number(ms);
    const wait = Math.min(rest, LONGEST_MS);
    this.#timer = setTimeout(() => (rest > wait ? this.start(rest - wait, then) : then()), wait);
    // What waits here keeps no process alive.
    this.#timer.unref();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}
