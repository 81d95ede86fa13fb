/** Password checks, a few at once: each takes memory and a thread. Those that wait are bounded, too. */
import { SpillwayError } from '../errors.js';
import { ACCESS_LIMITS } from './limits.js';

export class Checks {
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  /** Rejects with AUTH_BUSY when too many wait already. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running >= ACCESS_LIMITS.checksAtOnce) {
      if (this.#waiting.length >= ACCESS_LIMITS.checksWaiting) throw new SpillwayError('AUTH_BUSY', 'too many logins at once: try again');
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    } else {
      this.#running++;
    }
    try {
      return await work();
    } finally {
      // The turn goes to the first who waits.
      const next = this.#waiting.shift();
      if (next) next();
      else this.#running--;
    }
  }
}
