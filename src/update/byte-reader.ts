/** Takes bytes that come in pieces of any size apart at given lengths. */
export class ByteReader {
  readonly #from: AsyncIterator<Uint8Array>;
  #rest: Uint8Array = Buffer.alloc(0);

  constructor(from: AsyncIterable<Uint8Array>) {
    this.#from = from[Symbol.asyncIterator]();
  }

  /** The next `length` bytes, or as many as there are. They are also what comes next. */
  async peek(length: number): Promise<Uint8Array> {
    while (this.#rest.length < length) {
      const next = await this.#from.next();
      if (next.done === true) break;
      this.#rest = Buffer.concat([this.#rest, next.value]);
    }
    return this.#rest.subarray(0, length);
  }

  /** The next `length` bytes, or as many as there are. */
  async read(length: number): Promise<Uint8Array> {
    const bytes = await this.peek(length);
    this.#rest = this.#rest.subarray(bytes.length);
    return bytes;
  }

  /** The next `length` bytes, or as many as there are, as they come. */
  async *pieces(length: number): AsyncGenerator<Uint8Array, void, undefined> {
    for (let left = length; left > 0;) {
      const piece = await this.#next();
      if (piece === null) return;
      const taken = piece.subarray(0, left);
      this.#rest = piece.subarray(taken.length);
      left -= taken.length;
      yield taken;
    }
  }

  /** Lets go of what they come from. */
  async close(): Promise<void> {
    await this.#from.return?.();
  }

  async #next(): Promise<Uint8Array | null> {
    if (this.#rest.length > 0) return this.#rest;
    const next = await this.#from.next();
    return next.done === true ? null : next.value;
  }
}
