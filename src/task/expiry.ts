/**
 * When things are let go of. Within one run of the server a clock counts that nobody sets; what is left of a thing's time is
 * written down now and then, so that a clock set back while no server ran does not prolong it.
 */

/** The clock on the wall may be set at any time, and a process that sleeps has no steady clock. */
const LOOK_MS_MAX = 60_000;
/** How often what is left is written down. */
const SAVE_MS = 600_000;

export interface ExpiryStore {
  /** `expiresMs`: by the clock on the wall. */
  saveExpiry(id: string, expiresMs: number, leftMs: number): void;
}

/** Milliseconds: of a clock that only goes forward, and of the one on the wall. */
export interface Clocks {
  steadyMs(): number;
  wallMs(): number;
}

const CLOCKS: Clocks = { steadyMs: () => performance.now(), wallMs: () => Date.now() };

export class Expiry {
  /** By id: when, by the steady clock. */
  readonly #ends = new Map<string, number>();
  #timer: NodeJS.Timeout | undefined;
  #savedMs: number;

  constructor(
    private readonly store: ExpiryStore,
    /** Lets go of a thing; it is not known here any more. */
    private readonly expire: (id: string) => void,
    /** Hears of what could not be written down: a restart finds what was written before. */
    private readonly report: (error: Error) => void = () => undefined,
    private readonly clocks: Clocks = CLOCKS,
  ) {
    this.#savedMs = clocks.steadyMs();
  }

  /** From now on; instead of what was asked before. */
  start(id: string, leftMs: number): void {
    this.#ends.set(id, this.clocks.steadyMs() + leftMs);
    this.#save(id);
    this.#plan();
  }

  /** What an earlier run wrote down. */
  restore(id: string, expiresMs: number, leftMs: number): void {
    this.start(id, Math.max(0, Math.min(leftMs, expiresMs - this.clocks.wallMs())));
  }

  stop(id: string): void {
    this.#ends.delete(id);
  }

  /** By the clock on the wall as it is now; null: it is not waited for. */
  whenMs(id: string): number | null {
    const end = this.#ends.get(id);
    return end === undefined ? null : Math.round(this.clocks.wallMs() + end - this.clocks.steadyMs());
  }

  /** Lets go of what is over, and writes down what is left of the others. */
  look(): void {
    const now = this.clocks.steadyMs();
    for (const [id, end] of [...this.#ends]) {
      if (end > now) continue;
      this.#ends.delete(id);
      this.expire(id);
    }
    if (now - this.#savedMs >= SAVE_MS) {
      for (const id of this.#ends.keys()) this.#save(id);
      this.#savedMs = now;
    }
    this.#plan();
  }

  close(): void {
    clearTimeout(this.#timer);
    for (const id of this.#ends.keys()) this.#save(id);
    this.#ends.clear();
  }

  #save(id: string): void {
    const left = Math.max(0, Math.round(this.#ends.get(id)! - this.clocks.steadyMs()));
    try {
      this.store.saveExpiry(id, Math.round(this.clocks.wallMs()) + left, left);
    } catch (error) {
      this.report(error as Error);
    }
  }

  #plan(): void {
    clearTimeout(this.#timer);
    if (this.#ends.size === 0) return;
    let first = Infinity;
    for (const end of this.#ends.values()) first = Math.min(first, end);
    first -= this.clocks.steadyMs();
    this.#timer = setTimeout(() => this.look(), Math.min(Math.max(first, 0), LOOK_MS_MAX));
    // What waits here keeps no process alive.
    this.#timer.unref();
  }
}
