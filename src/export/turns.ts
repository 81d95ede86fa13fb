/** Room for a bounded number of runs at once; who waits comes in order. */
export class Turns {
  #taken = 0;
  readonly #waiting = new Set<() => void>();

  constructor(private readonly limit: number) {}

  get taken(): number {
    return this.#taken;
  }

  /** Takes a turn if there is one. */
  tryTake(): boolean {
    if (this.#taken >= this.limit) return false;
    this.#taken++;
    return true;
  }

  /** Waits for a turn; rejects with the reason of `signal`, and then has none. */
  async take(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#waiting.size === 0 && this.tryTake()) return;
    await new Promise<void>((resolve, reject) => {
      const mine = (): void => {
        signal.removeEventListener('abort', leave);
        resolve();
      };
      const leave = (): void => {
        this.#waiting.delete(mine);
        reject(signal.reason as Error);
      };
      this.#waiting.add(mine);
      signal.addEventListener('abort', leave, { once: true });
    });
  }

  /** Gives a turn back, to the first who waits. */
  give(): void {
    const [first] = this.#waiting;
    if (first === undefined) {
      this.#taken--;
      return;
    }
    this.#waiting.delete(first);
    first();
  }
}
