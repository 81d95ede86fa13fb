/** Base64 (RFC 4648, with padding) that comes in pieces cut anywhere. */

/** Why something is refused; says nothing of what it holds. */
export class EncodingError extends Error {}

export class Base64Stream {
  /** Up to three characters that make no whole bytes yet. */
  #carry = '';
  #padding = 0;
  #bytes = 0;

  constructor(private readonly maxBytes: number) {}

  /** Decoded so far. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Throws an EncodingError. */
  take(text: string): Buffer {
    const at = text.indexOf('=');
    const data = at < 0 ? text : text.slice(0, at);
    const padding = text.slice(data.length);
    if ((data !== '' && this.#padding > 0) || !/^=*$/.test(padding)) throw new EncodingError('sends what is no base64');
    this.#padding += padding.length;
    const run = this.#carry + data;
    const whole = run.length - (run.length % 4);
    this.#carry = run.slice(whole);
    return this.#decode(run.slice(0, whole), (whole / 4) * 3);
  }

  /** What is left at the end of the text. Throws an EncodingError where that is not its end. */
  end(): Buffer {
    const isWhole = this.#carry === '' ? this.#padding === 0 : this.#carry.length + this.#padding === 4 && this.#padding <= 2;
    if (!isWhole) throw new EncodingError('sends base64 that does not come to its end');
    return this.#decode(this.#carry, this.#carry === '' ? 0 : 3 - this.#padding);
  }

  #decode(text: string, length: number): Buffer {
    if (this.#bytes + length > this.maxBytes) throw new EncodingError(`sends more than ${this.maxBytes} bytes`);
    const bytes = Buffer.from(text, 'base64');
    // It leaves out what it does not know, and knows the signs for URLs as well.
    if (bytes.length !== length || /[-_]/.test(text)) throw new EncodingError('sends what is no base64');
    this.#bytes += length;
    return bytes;
  }
}
