/**
 * JSON with exact integers. `JSON.parse` rounds integers above 2^53 without a word; here they become `bigint`,
 * and a number that a double would silently turn into another integer is refused by name.
 */
import { LIMITS } from '../config.js';
import { SpillwayError } from '../errors.js';

/** Integers become numbers where they are safe, `bigint` where they are not. */
export function parseJson(text: string): unknown {
  const reader = new Reader(text);
  return reader.document();
}

/** `JSON.stringify` that also writes `bigint`, as plain digits. */
export function writeJson(value: unknown): string {
  if (typeof value === 'bigint') return value.toString();
  if (Array.isArray(value)) return `[${value.map((item) => (item === undefined ? 'null' : writeJson(item))).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value).filter(([, member]) => member !== undefined);
    return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${writeJson(member)}`).join(',')}}`;
  }
  return JSON.stringify(value);
}

const SPACE = /[ \t\n\r]*/y;
const STRING = /"[^"\\\u0000-\u001f]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\u0000-\u001f]*)*"/y;
const NUMBER = /-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?/y;
const WORD = /true|false|null/y;

class Reader {
  #at = 0;
  readonly #path: (string | number)[] = [];

  constructor(private readonly text: string) {}

  document(): unknown {
    const value = this.#value();
    this.#match(SPACE);
    if (this.#at < this.text.length) this.#fail();
    return value;
  }

  #value(): unknown {
    this.#match(SPACE);
    const first = this.text[this.#at];
    if (first === '{') return this.#object();
    if (first === '[') return this.#array();
    if (first === '"') return this.#string();
    const word = this.#match(WORD);
    if (word !== null) return word === 'null' ? null : word === 'true';
    return this.#number();
  }

  #object(): Record<string, unknown> {
    const object: Record<string, unknown> = {};
    this.#members('}', () => {
      this.#match(SPACE);
      const name = this.#string();
      this.#match(SPACE);
      this.#expect(':');
      this.#path.push(name);
      if (name === '__proto__') throw this.#refuse('is not a name that a property can have');
      if (Object.hasOwn(object, name)) throw this.#refuse('is there twice');
      object[name] = this.#value();
      this.#path.pop();
    });
    return object;
  }

  #array(): unknown[] {
    const array: unknown[] = [];
    this.#members(']', () => {
      this.#path.push(array.length);
      array.push(this.#value());
      this.#path.pop();
    });
    return array;
  }

  #members(close: string, member: () => void): void {
    if (this.#path.length >= LIMITS.jsonDepth) throw this.#refuse(`is nested deeper than ${LIMITS.jsonDepth} levels`);
    this.#at++;
    this.#match(SPACE);
    if (this.text[this.#at] === close) {
      this.#at++;
      return;
    }
    for (;;) {
      member();
      this.#match(SPACE);
      if (this.text[this.#at] !== ',') break;
      this.#at++;
    }
    this.#expect(close);
  }

  #string(): string {
    const literal = this.#match(STRING);
    if (literal === null) this.#fail();
    return JSON.parse(literal) as string;
  }

  #number(): number | bigint {
    const literal = this.#match(NUMBER);
    if (literal === null) this.#fail();
    const number = exactNumber(literal);
    if (number === null) throw this.#refuse(`can not hold the number ${literal.slice(0, 60)} exactly`);
    return number;
  }

  #match(pattern: RegExp): string | null {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.text);
    if (found === null) return null;
    this.#at += found[0].length;
    return found[0];
  }

  #expect(character: string): void {
    if (this.text[this.#at] !== character) this.#fail();
    this.#at++;
  }

  #fail(): never {
    const found = this.text[this.#at];
    const what = found === undefined ? 'it ends too early' : `${JSON.stringify(found)} is not expected there`;
    throw new SpillwayError('REQUEST_INVALID', `the body is not JSON: ${what} (character ${this.#at + 1})`);
  }

  #refuse(why: string): SpillwayError {
    return new SpillwayError('REQUEST_INVALID', `${dotted(this.#path)} ${why}`);
  }
}

/** A property's path as sentences name it: `config.filters.items[0].type`; the whole: `the body`. */
export function dotted(path: readonly (string | number)[]): string {
  if (path.length === 0) return 'the body';
  return path.map((part, i) => (typeof part === 'number' ? `[${part}]` : i === 0 ? part : `.${part}`)).join('');
}

/** The number that a JSON literal means, exactly where it is an integer; null when only a rounded one could be given. */
function exactNumber(literal: string): number | bigint | null {
  const [, sign, whole, fraction = '', exponent = '0'] = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(literal) ?? [];
  const rounded = Number(literal);
  if (!Number.isFinite(rounded)) return null;
  const digits = `${whole}${fraction}`.replace(/^0+(?=\d)/, '');
  if (/^0+$/.test(digits)) return 0;
  // digits * 10^scale: an integer when scale is not negative, or when that many zeros end the digits.
  const scale = Number(exponent) - fraction.length;
  const zeros = /0*$/.exec(digits)![0].length;
  if (scale + zeros < 0) return Number.isInteger(rounded) ? null : rounded;
  if (Number.isSafeInteger(rounded)) return rounded;
  const magnitude = scale >= 0 ? BigInt(digits) * 10n ** BigInt(scale) : BigInt(digits.slice(0, scale));
  return sign === '-' ? -magnitude : magnitude;
}
