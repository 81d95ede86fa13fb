/** The frame numbers that tshark answers, one a line, as bits. Short ones are indented. */

/** Digits of the largest number that is counted exactly. */
const MAX_DIGITS = 15;
const LINE_FEED = 10;
const SPACE = 32;
const ZERO = 48;

export class FrameNumbers {
  /** How many there are. */
  count = 0;
  /** The largest; they come in ascending order. */
  last = 0;
  #bits = new Uint8Array(1 << 10);
  #value = 0;
  #digits = 0;

  /** What is wrong with the answer, which is of no use then; null: nothing. `most`: no larger number can be right. */
  take(chunk: Uint8Array, most: number): string | null {
    for (const byte of chunk) {
      if (byte === SPACE && this.#digits === 0) continue;
      if (byte !== LINE_FEED) {
        const digit = byte - ZERO;
        if (digit < 0 || digit > 9 || this.#digits === MAX_DIGITS) return 'it answers what is no frame number';
        this.#value = 10 * this.#value + digit;
        this.#digits += 1;
        continue;
      }
      if (this.#digits === 0 || this.#value <= this.last) return 'its frame numbers do not ascend';
      if (this.#value > most) return 'it answers with a frame that it was not given';
      this.#add(this.#value);
      this.#value = this.#digits = 0;
    }
    return null;
  }

  /** It stands behind a whole line. */
  get isWhole(): boolean {
    return this.#digits === 0;
  }

  /** Of frame n, which is counted from 1: bit (n - 1) % 8 of byte (n - 1) / 8. */
  bits(): Uint8Array<SharedArrayBuffer> {
    const bytes = this.#bits.subarray(0, Math.ceil(this.last / 8));
    const shared = new Uint8Array(new SharedArrayBuffer(bytes.length));
    shared.set(bytes);
    return shared;
  }

  #add(number: number): void {
    const place = Math.floor((number - 1) / 8);
    if (place >= this.#bits.length) {
      const larger = new Uint8Array(Math.max(place + 1, 2 * this.#bits.length));
      larger.set(this.#bits);
      this.#bits = larger;
    }
    this.#bits[place]! |= 1 << ((number - 1) % 8);
    this.last = number;
    this.count += 1;
  }
}
