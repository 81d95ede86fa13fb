/**
 * The one redactor of packages: what leaves the probe in one went through here. It blanks secrets by the names before them
 * (`secret-names.ts`), by what they look like (`secret-shapes.ts`), and those that it was told.
 */
import { isHarmless, isSecretName, namedSecrets } from './secret-names.js';
import { isPasswordHash, shapedSecrets } from './secret-shapes.js';
import { BLANK, blank, merged, REACH, type Span } from './spans.js';

export { BLANK } from './spans.js';

export interface RedactorOptions {
  /** Secrets that are known as they are. Shorter ones than `KNOWN_MIN` would blank ordinary words. */
  known?: readonly string[];
  /** For the file of users alone: hashes of passwords stay. Nothing else does. */
  keepsPasswordHashes?: boolean;
}

const KNOWN_MIN = 6;

/** Text is looked at in pieces of this size where no line ends earlier. */
const BLOCK = 8 * REACH;
/** JSON leaves in pieces of about this size. */
const PIECE = 16 << 10;
/** A private key is shorter: what begins like one and has no end is not worth the rest of a file. */
const KEY_MAX = 64 << 10;
/** Deeper than what is made by hand or by us. */
const DEPTH_MAX = 64;
/** What may hold the hash of a password: no token, key or passphrase may look like one and stay. */
const OF_PASSWORD = /passw(?:or)?d|hash/i;
/** A short word alone: it has no shape and no name before it. Most strings are such. */
const SHORT_WORD = /^[\w./]{0,15}$/;

export class Redactor {
  readonly #known: string[];
  readonly #keepsHashes: boolean;

  constructor({ known = [], keepsPasswordHashes = false }: RedactorOptions = {}) {
    const long = known.filter((secret) => secret.length >= KNOWN_MIN && secret.length <= REACH);
    this.#known = [...new Set(long.flatMap((secret) => [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret)]))];
    this.#keepsHashes = keepsPasswordHashes;
  }

  /** A text that is there as a whole. */
  redact(text: string): string {
    return SHORT_WORD.test(text) && this.#known.length === 0 ? text : blank(text, this.#spans(text));
  }

  /** Text in pieces, cut anywhere. A line may be of any length; at most some 150 KB are held. */
  async *redactText(pieces: AsyncIterable<string>): AsyncGenerator<string, void, undefined> {
    const stream = new RedactedStream((text) => this.#spans(text));
    for await (const piece of pieces) {
      for (let at = 0; at < piece.length; at += BLOCK) {
        const text = stream.push(piece.slice(at, at + BLOCK));
        if (text !== '') yield text;
      }
    }
    const text = stream.end();
    if (text !== '') yield text;
  }

  /** A value as JSON, in pieces. What JSON does not know (functions, what is not there) is left out; large integers are numbers. */
  *redactJson(value: unknown): Generator<string, void, undefined> {
    let text = '';
    for (const part of this.#json(value, '\n', 0)) {
      text += part;
      if (text.length < PIECE) continue;
      yield text;
      text = '';
    }
    yield `${text}\n`;
  }

  /** A value without its secrets, as JSON would give it back. */
  redactValue(value: unknown): unknown {
    return JSON.parse([...this.redactJson(value)].join(''));
  }

  #spans(text: string): Span[] {
    return merged([...namedSecrets(text), ...shapedSecrets(text, this.#keepsHashes), ...this.#knownIn(text)]);
  }

  *#knownIn(text: string): Iterable<Span> {
    for (const secret of this.#known)
      for (let from = text.indexOf(secret); from >= 0; from = text.indexOf(secret, from + secret.length)) yield { from, to: from + secret.length };
  }

  *#json(given: unknown, line: string, depth: number): Generator<string, void, undefined> {
    const value = plain(given);
    if (typeof value !== 'object' || value === null) {
      yield typeof value === 'string' ? JSON.stringify(this.redact(value)) : (JSON.stringify(value) ?? 'null');
    } else if (depth === DEPTH_MAX) {
      yield '"[too deep]"';
    } else {
      const isList = Array.isArray(value);
      let isFirst = true;
      for (const [name, member] of isList ? this.#items(value) : this.#members(value as Record<string, unknown>)) {
        yield `${isFirst ? (isList ? '[' : '{') : ','}${line}  ${isList ? '' : `${JSON.stringify(this.redact(name))}: `}`;
        yield* this.#json(member, `${line}  `, depth + 1);
        isFirst = false;
      }
      yield isFirst ? (isList ? '[]' : '{}') : `${line}${isList ? ']' : '}'}`;
    }
  }

  *#members(value: Record<string, unknown>): Iterable<[string, unknown]> {
    const pairName = value['name'] ?? value['key'];
    for (const [name, member] of Object.entries(value)) {
      if (member === undefined || typeof member === 'function') continue;
      const called = name === 'value' && typeof pairName === 'string' ? pairName : name;
      yield [name, this.#member(called, member)];
    }
  }

  /** Pairs of a name and a value, and flags of a command line, hold their secrets behind the name. */
  *#items(value: readonly unknown[]): Iterable<[string, unknown]> {
    for (const [at, item] of value.entries()) {
      const before = value[at - 1];
      const isNamed = typeof before === 'string' && (before.startsWith('-') || value.length === 2);
      yield ['', isNamed ? this.#member(before.replace(/^-+/, ''), item) : item];
    }
  }

  #member(name: string, value: unknown): unknown {
    if (!isSecretName(name) || value === null || typeof value === 'boolean' || value === '') return value;
    if (typeof value === 'number' && isHarmless(name, String(value))) return value;
    if (this.#keepsHashes && OF_PASSWORD.test(name) && typeof value === 'string' && isPasswordHash(value)) return value;
    return BLANK;
  }
}

function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value);
  if (value instanceof Date) return value.toJSON();
  return value;
}

/** What was pushed and not yet given back, with some of what was: names before secrets may lie there. */
class RedactedStream {
  #held = '';
  /** So much of what is held was given back. */
  #done = 0;
  /** Inside of a secret that ends here. */
  #until: RegExp | null = null;
  #dropped = 0;

  constructor(private readonly spansOf: (text: string) => Span[]) {}

  push(text: string): string {
    this.#held += text;
    return this.#held.length - this.#done < BLOCK ? '' : this.#give(false);
  }

  end(): string {
    return this.#give(true);
  }

  #give(isLast: boolean): string {
    if (this.#until !== null && !this.#skip(this.#until, isLast)) return '';
    const held = this.#held;
    let cut = isLast ? held.length : held.lastIndexOf('\n') + 1;
    if (cut <= this.#done) cut = Math.max(this.#done, held.length - REACH);
    let out = '';
    let at = this.#done;
    for (const { from, to, until } of this.spansOf(held)) {
      if (to <= at) continue;
      if (from >= cut) break;
      out += held.slice(at, Math.max(at, from)) + BLANK;
      at = to;
      if (isLast || until === undefined) continue;
      this.#until = until;
      this.#dropped = 0;
      this.#held = '';
      this.#done = 0;
      return out;
    }
    out += held.slice(at, Math.max(at, cut));
    const given = Math.max(at, cut);
    const kept = Math.max(0, given - REACH);
    this.#held = held.slice(kept);
    this.#done = given - kept;
    return out;
  }

  /** Drops what belongs to a secret; whether its end was found. */
  #skip(until: RegExp, isLast: boolean): boolean {
    const end = until.exec(this.#held);
    const isKey = until.source.includes('PRIVATE');
    const isGivenUp = isKey && end === null && this.#dropped + this.#held.length > KEY_MAX;
    if (end === null && !isGivenUp) {
      // The end may lie across two pieces.
      const kept = isLast ? 0 : Math.min(this.#held.length, 128);
      this.#dropped += this.#held.length - kept;
      this.#held = this.#held.slice(this.#held.length - kept);
      return false;
    }
    if (end !== null) this.#held = this.#held.slice(end.index + (isKey ? end[0].length : 0));
    this.#until = null;
    return true;
  }
}
