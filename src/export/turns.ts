/** Room for a bounded number of runs at once, and of each owner; who waits comes in order. */

interface Waiting {
  owner: string;
  begin: () => void;
  /** A run was told to end for it. */
  isPromised: boolean;
}

export class Turns {
  #taken = 0;
  readonly #byOwner = new Map<string, number>();
  readonly #waiting = new Set<Waiting>();

  /** `ownerLimit`: of one owner, while others may want some. */
  constructor(
    private readonly limit: number,
    private readonly ownerLimit = limit,
  ) {}

  get taken(): number {
    return this.#taken;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /** Whether somebody waits who could have the turn of `owner`, and was promised none: then this one is promised. */
  tryPromise(owner: string): boolean {
    for (const next of this.#waiting) {
      if (next.isPromised || (next.owner !== owner && this.#of(next.owner) >= this.ownerLimit)) continue;
      next.isPromised = true;
      return true;
    }
    return false;
  }

  /** Takes a turn if there is one. */
  tryTake(owner: string): boolean {
    if (!this.#hasRoomFor(owner)) return false;
    this.#begin(owner);
    return true;
  }

  /** Waits for a turn; rejects with the reason of `signal`, and then has none. */
  async take(owner: string, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#hasRoomFor(owner)) return this.#begin(owner);
    await new Promise<void>((resolve, reject) => {
      const mine: Waiting = {
        owner,
        isPromised: false,
        begin: () => {
          signal.removeEventListener('abort', leave);
          resolve();
        },
      };
      const leave = (): void => {
        this.#waiting.delete(mine);
        reject(signal.reason as Error);
      };
      this.#waiting.add(mine);
      signal.addEventListener('abort', leave, { once: true });
    });
  }

  /** Gives a turn back, to the first who waits and may have it. */
  give(owner: string): void {
    this.#taken--;
    const left = this.#of(owner) - 1;
    if (left > 0) this.#byOwner.set(owner, left);
    else this.#byOwner.delete(owner);
    for (const next of this.#waiting) {
      if (!this.#hasRoomFor(next.owner)) continue;
      this.#waiting.delete(next);
      this.#begin(next.owner);
      next.begin();
      // What was promised to another comes to it later, or has just come to this one.
      if (!next.isPromised) for (const other of this.#waiting) other.isPromised = false;
      return;
    }
  }

  #of(owner: string): number {
    return this.#byOwner.get(owner) ?? 0;
  }

  #hasRoomFor(owner: string): boolean {
    return this.#taken < this.limit && this.#of(owner) < this.ownerLimit;
  }

  #begin(owner: string): void {
    this.#taken++;
    this.#byOwner.set(owner, this.#of(owner) + 1);
  }
}
