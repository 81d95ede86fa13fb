/** Ends a run whose client takes nothing, where others wait for its turn. */
import { LIMITS } from '../config.js';
import type { Sink } from '../engine/types.js';
import { SpillwayError } from '../errors.js';

export class Patience {
  #since: number | null = null;
  readonly #timer: NodeJS.Timeout;

  /** `isWanted`: somebody waits. */
  constructor(isWanted: () => boolean, stopper: AbortController, stallMs: number = LIMITS.stallMs) {
    this.#timer = setInterval(() => {
      if (this.#since === null || Date.now() - this.#since < stallMs || !isWanted()) return;
      stopper.abort(new SpillwayError('CLIENT_TOO_SLOW', `the client took nothing for ${stallMs / 1000} seconds, and others were waiting`));
    }, stallMs / 8);
    this.#timer.unref();
  }

  /** The sink whose writes are timed. */
  watch(sink: Sink): Sink {
    const timed = async (work: Promise<void>): Promise<void> => {
      this.#since = Date.now();
      try {
        await work;
      } finally {
        this.#since = null;
      }
    };
    return { write: (bytes) => timed(sink.write(bytes)), finish: () => timed(sink.finish()), abort: () => sink.abort() };
  }

  end(): void {
    clearInterval(this.#timer);
  }
}
