/** Ends a run whose client takes nothing, where others wait for its turn. */
import type { Sink } from '../engine/types.js';
import { SpillwayError } from '../errors.js';
import type { ExportHandle } from './handle.js';
import type { Turns } from './turns.js';

export class Patience {
  #since: number | null = null;
  readonly #timer: NodeJS.Timeout;

  /** Of a run that has one of `turns`. */
  constructor({ owner, stopper }: Pick<ExportHandle, 'owner' | 'stopper'>, turns: Turns, stallMs: number) {
    this.#timer = setInterval(() => {
      if (stopper.signal.aborted || this.#since === null || performance.now() - this.#since < stallMs || !turns.tryPromise(owner)) return;
      stopper.abort(new SpillwayError('CLIENT_TOO_SLOW', `the client took nothing for ${stallMs / 1000} seconds, and others were waiting`));
    }, stallMs / 8);
    this.#timer.unref();
  }

  /** The sink whose writes are timed. */
  watch(sink: Sink): Sink {
    const timed = async (work: Promise<void>): Promise<void> => {
      this.#since = performance.now();
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
