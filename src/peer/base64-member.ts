/**
 * Reads `{"base64":"...", ...}` as it arrives: the member's text is decoded and handed out piece by piece, everything else is
 * kept, and is a JSON document of its own with an empty text in the member's place. Whether it is JSON at all shows when that
 * document is parsed.
 */
import { Base64Stream, EncodingError } from './base64.js';

const NAME = 'base64';
const [QUOTE, BACKSLASH, OPEN, CLOSE, LIST, LIST_END, COLON] = [0x22, 0x5c, 0x7b, 0x7d, 0x5b, 0x5d, 0x3a];

export interface MemberLimits {
  /** Of what is decoded. */
  maxBytes: number;
  /** Of all the rest. */
  maxBesides: number;
}

export class Base64Member {
  /** Where the next byte lies; `member` is the text that is decoded. */
  #state: 'outside' | 'text' | 'escape' | 'member' = 'outside';
  #depth = 0;
  readonly #rest: number[] = [];
  /** The text that ended last, as it was written. */
  #text: number[] = [];
  /** It was the name, and its colon came. */
  #isNamed = false;
  #hasMember = false;
  /** An escape in the member's text of which the end is to come. */
  #cut = '';
  readonly #decoder: Base64Stream;

  constructor(private readonly limits: MemberLimits) {
    this.#decoder = new Base64Stream(limits.maxBytes);
  }

  get hasMember(): boolean {
    return this.#hasMember;
  }

  /** Decoded so far. */
  get bytes(): number {
    return this.#decoder.bytes;
  }

  /** Takes the next bytes, and gives what they decode to, never more than the limit. Throws an EncodingError. */
  *take(piece: Buffer): Generator<Buffer> {
    for (let at = 0; at < piece.length; at++) {
      if (this.#state !== 'member') {
        this.#besides(piece[at]!);
        continue;
      }
      const found = piece.indexOf(QUOTE, at);
      const end = found < 0 ? piece.length : found;
      yield this.#decode(piece.toString('latin1', at, end));
      if (end < piece.length) yield this.#endMember();
      at = end;
    }
  }

  /** The document without the member's text. Throws an EncodingError where that text is not whole. */
  end(): string {
    if (this.#state === 'member') throw new EncodingError('ends in the middle of its base64');
    return Buffer.from(this.#rest).toString();
  }

  /** JSON writers escape slashes, and some of them other signs by their numbers. Any other escape is none of base64. */
  #decode(text: string): Buffer {
    const written = this.#cut + text;
    const end = /\\(?:u[0-9a-fA-F]{0,3})?$/.exec(written)?.index ?? written.length;
    this.#cut = written.slice(end);
    const sign = (_: string, digits?: string): string => (digits === undefined ? '/' : String.fromCharCode(parseInt(digits, 16)));
    return this.#decoder.take(written.slice(0, end).replaceAll(/\\(?:\/|u([0-9a-fA-F]{4}))/g, sign));
  }

  #endMember(): Buffer {
    if (this.#cut !== '') throw new EncodingError('sends what is no base64');
    this.#state = 'outside';
    this.#rest.push(QUOTE);
    return this.#decoder.end();
  }

  #besides(byte: number): void {
    this.#rest.push(byte);
    if (this.#rest.length > this.limits.maxBesides) throw new EncodingError(`sends more than ${this.limits.maxBesides} bytes besides its base64`);
    if (this.#state === 'outside') {
      if (byte === QUOTE) this.#beginText();
      else this.#between(byte);
    } else if (this.#state === 'text' && byte === QUOTE) this.#state = 'outside';
    else {
      this.#state = this.#state === 'text' && byte === BACKSLASH ? 'escape' : 'text';
      this.#text.push(byte);
    }
  }

  #between(byte: number): void {
    if (byte === OPEN || byte === LIST) this.#depth++;
    if (byte === CLOSE || byte === LIST_END) this.#depth--;
    if (byte === COLON) this.#isNamed = this.#depth === 1 && this.#isName();
    else if (byte > 0x20) this.#isNamed = false;
  }

  #beginText(): void {
    this.#text = [];
    this.#state = this.#isNamed ? 'member' : 'text';
    if (!this.#isNamed) return;
    if (this.#hasMember) throw new EncodingError('sends its base64 twice');
    this.#hasMember = true;
    this.#isNamed = false;
  }

  /** However it is escaped. */
  #isName(): boolean {
    try {
      return JSON.parse(`"${Buffer.from(this.#text).toString()}"`) === NAME;
    } catch {
      return false;
    }
  }
}
