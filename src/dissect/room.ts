/** A bounded number of things at once; who comes later waits, in order. */
export class Room {
  #left: number;
  readonly #waiting: (() => void)[] = [];

  constructor(places: number) {
    this.#left = places;
  }

  async within<T>(work: () => Promise<T>): Promise<T> {
    if (this.#left === 0) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#left -= 1;
    try {
      return await work();
    } finally {
      // Its place goes on to who waits.
      const next = this.#waiting.shift();
      if (next) next();
      else this.#left += 1;
    }
  }
}
