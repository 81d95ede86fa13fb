/** A timer as long as a uint64 of milliseconds can say; `setTimeout` alone fires at once above 2^31. */
import { NS_PER_MS } from '../units.js';
import type { Uint64 } from './schema.js';

const LONGEST_MS = 2 ** 31 - 1;

export class Deadline {
  #timer: NodeJS.Timeout | undefined;
  #atNs: bigint | null = null;

  /** When it is, by the clock on the wall, in nanoseconds since 1970; null: nothing is waited for. */
  get atNs(): bigint | null {
    return this.#atNs;
  }

  /** Calls `then` once after `ms`, instead of what was asked before. */
  start(ms: Uint64, then: () => void): void {
    this.stop();
    const rest = Number(ms);
    this.#atNs = BigInt(Date.now()) * NS_PER_MS + BigInt(ms) * NS_PER_MS;
    const wait = Math.min(rest, LONGEST_MS);
    this.#timer = setTimeout(() => (rest > wait ? this.start(rest - wait, then) : then()), wait);
    // What waits here keeps no process alive.
    this.#timer.unref();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#atNs = null;
  }
}
