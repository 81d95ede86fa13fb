/**
 * The part of the display filter language that is translated, `not` before `and` before `or`:
 *
 *     filter     = all { or all }                       or  = "||" | "or"
 *     all        = one { and one }                      and = "&&" | "and"
 *     one        = { not } ( "(" filter ")" | test )    not = "!" | "not"
 *     test       = [ "any" | "all" ] operand [ operator value | operator operand | "in" "{" element { "," element } "}" ]
 *     operand    = name [ "[" slice "]" ] [ "&" number ]
 *     element    = value [ ".." value ]
 *
 * Everything else is for tshark: the answer is null.
 */
import { SpillwayError } from '../../errors.js';
import { MAX_NESTING } from '../limits.js';
import { columnOf } from '../text.js';
import type { Token } from './lexer.js';

/** As tshark calls them: whether the relation must hold of one of a field's values or of all, and which it is. */
export type Relation = '==' | '!=' | '<' | '<=' | '>' | '>=';
export type Quantifier = 'any' | 'all';

export interface Operand {
  name: string;
  /** Bytes from `at` on; `length` null: to the end. */
  slice?: { at: number; length: number | null };
  /** The number behind `&`, as it is written. */
  mask?: string;
}

export interface Value {
  kind: 'word' | 'string';
  text: string;
}

export type Test =
  | { kind: 'exists'; operand: Operand }
  | { kind: 'compare'; operand: Operand; quantifier: Quantifier; relation: Relation; value: Value }
  | { kind: 'in'; operand: Operand; elements: { low: Value; high: Value | null }[] };

export type Expression = Test | { kind: 'and' | 'or'; of: Expression[] } | { kind: 'not'; of: Expression };

const OPERATORS: ReadonlyMap<string, [Relation, Quantifier]> = new Map<string, [Relation, Quantifier]>([
  ['==', ['==', 'any']],
  ['eq', ['==', 'any']],
  ['any_eq', ['==', 'any']],
  ['===', ['==', 'all']],
  ['all_eq', ['==', 'all']],
  ['!=', ['!=', 'all']],
  ['ne', ['!=', 'all']],
  ['all_ne', ['!=', 'all']],
  ['!==', ['!=', 'any']],
  ['any_ne', ['!=', 'any']],
  ['<', ['<', 'any']],
  ['lt', ['<', 'any']],
  ['<=', ['<=', 'any']],
  ['le', ['<=', 'any']],
  ['>', ['>', 'any']],
  ['gt', ['>', 'any']],
  ['>=', ['>=', 'any']],
  ['ge', ['>=', 'any']],
]);
const KEYWORDS = new Set([...OPERATORS.keys(), 'and', 'or', 'not', 'in', 'any', 'all', 'contains', 'matches', 'bitwise_and']);
const SYMBOLS: Readonly<Record<string, string>> = { '&&': 'and', '||': 'or', '!': 'not' };

/** Thrown inside this file where the text is for tshark. */
class Untranslated extends Error {}

/** Null where the text is for tshark; throws FILTER_TOO_COMPLEX at too many parentheses. */
export function parse(text: string, tokens: readonly Token[]): Expression | null {
  try {
    return new Parser(text, tokens).whole();
  } catch (error) {
    if (error instanceof Untranslated) return null;
    throw error;
  }
}

class Parser {
  #next = 0;
  #depth = 0;

  constructor(
    readonly text: string,
    readonly tokens: readonly Token[],
  ) {}

  whole(): Expression {
    const expression = this.#any();
    if (this.#token.kind !== 'end') throw new Untranslated();
    return expression;
  }

  #any(): Expression {
    return this.#joined('or', () => this.#joined('and', () => this.#one()));
  }

  #joined(word: 'and' | 'or', part: () => Expression): Expression {
    const of = [part()];
    while (this.#takes(word)) of.push(part());
    return of.length === 1 ? of[0]! : { kind: word, of };
  }

  #one(): Expression {
    let isNegated = false;
    while (this.#takes('not')) isNegated = !isNegated;
    const expression = this.#isSymbol('(') ? this.#inParentheses() : this.#test();
    return isNegated ? { kind: 'not', of: expression } : expression;
  }

  #inParentheses(): Expression {
    this.#depth += 1;
    if (this.#depth > MAX_NESTING) throw tooNested(this.text, this.#token.at);
    this.#next += 1;
    const expression = this.#any();
    this.#expect(')');
    this.#depth -= 1;
    return expression;
  }

  #test(): Test {
    const quantifier = this.#takes('any') ? 'any' : this.#takes('all') ? 'all' : null;
    const operand = this.#operand();
    if (!quantifier && this.#takes('in')) return { kind: 'in', operand, elements: this.#elements() };
    const operator = OPERATORS.get(this.#token.text);
    if (!operator || !['word', 'symbol'].includes(this.#token.kind)) {
      if (quantifier) throw new Untranslated();
      return { kind: 'exists', operand };
    }
    const symbol = this.#token.text;
    this.#next += 1;
    // What a quantifier before an operator that has its own means is not for us to say.
    if (quantifier && !/^(?:[<>]=?|==)$/.test(symbol)) throw new Untranslated();
    const value = this.#value();
    // Comparisons may be chained: `1 < tcp.port < 5`.
    if (OPERATORS.has(this.#token.text)) throw new Untranslated();
    return { kind: 'compare', operand, quantifier: quantifier ?? operator[1], relation: operator[0], value };
  }

  #operand(): Operand {
    const { kind, text } = this.#token;
    if (kind !== 'word' || KEYWORDS.has(text)) throw new Untranslated();
    this.#next += 1;
    const operand: Operand = { name: text };
    if (this.#takesSymbol('[')) operand.slice = this.#slice();
    if (this.#takesSymbol('&')) operand.mask = this.#word();
    return operand;
  }

  /** `at`, `at:length`, `from-to`, `:length` or `at:`. */
  #slice(): { at: number; length: number | null } {
    const text = this.#word();
    this.#expect(']');
    const [, at = '', mark, end = ''] = /^(\d{1,5})?(?:([:-])(\d{1,5})?)?$/.exec(text) ?? [];
    const written = /^(?:0|[1-9]\d*)?$/;
    if (!written.test(at) || !written.test(end) || (at === '' && (mark !== ':' || end === ''))) throw new Untranslated();
    if (mark === undefined) return { at: Number(at), length: 1 };
    if (mark === ':') return { at: Number(at), length: end === '' ? null : Number(end) };
    if (end === '' || Number(end) < Number(at)) throw new Untranslated();
    return { at: Number(at), length: Number(end) - Number(at) + 1 };
  }

  #elements(): { low: Value; high: Value | null }[] {
    this.#expect('{');
    const elements: { low: Value; high: Value | null }[] = [];
    do elements.push(this.#element());
    while (this.#takesSymbol(','));
    this.#expect('}');
    return elements;
  }

  /** `a`, `a .. b` or `a..b`, which is one word to the lexer, or two, or three. */
  #element(): { low: Value; high: Value | null } {
    if (this.#token.kind === 'string') return { low: this.#value(), high: null };
    let text = '';
    for (let words = 0; words < 3 && this.#token.kind === 'word'; words += 1) text += ` ${this.#word()}`;
    const ends = text.split('..').map((end) => end.trim());
    if (ends.length > 2 || ends.some((end) => end === '' || /\s|^\.|\.$/.test(end))) throw new Untranslated();
    const [low, high] = ends.map((end): Value => ({ kind: 'word', text: end }));
    return { low: low!, high: high ?? null };
  }

  #value(): Value {
    const { kind, text } = this.#token;
    if (kind === 'string') {
      this.#next += 1;
      return { kind, text };
    }
    return { kind: 'word', text: this.#word() };
  }

  #word(): string {
    const { kind, text } = this.#token;
    if (kind !== 'word' || KEYWORDS.has(text)) throw new Untranslated();
    this.#next += 1;
    return text;
  }

  get #token(): Token {
    return this.tokens[this.#next]!;
  }

  #isSymbol(symbol: string): boolean {
    return this.#token.kind === 'symbol' && this.#token.text === symbol;
  }

  #takes(word: string): boolean {
    const { kind, text } = this.#token;
    const is = kind === 'word' ? text === word : kind === 'symbol' && SYMBOLS[text] === word;
    if (is) this.#next += 1;
    return is;
  }

  #takesSymbol(symbol: string): boolean {
    const is = this.#isSymbol(symbol);
    if (is) this.#next += 1;
    return is;
  }

  #expect(symbol: string): void {
    if (!this.#takesSymbol(symbol)) throw new Untranslated();
  }
}

export function tooNested(text: string, at: number): SpillwayError {
  return new SpillwayError('FILTER_TOO_COMPLEX', `the filter has more than ${MAX_NESTING} parentheses inside one another`, {
    column: columnOf(text, at),
  });
}
