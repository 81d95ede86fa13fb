/**
 * The grammar, `not` before `and` before `or`:
 *
 *     filter     = all { or all }            or  = "||" | "or"
 *     all        = one { and one }           and = "&&" | "and"
 *     one        = not one | "(" filter ")" | comparison      not = "!" | "not"
 *     comparison = column operator value
 */
import { SpillwayError } from '../../errors.js';
import { quoted } from '../failures.js';
import { MAX_NESTING } from '../limits.js';
import { tokensOf, type Token } from './lexer.js';
import { refuse } from '../text.js';

export const OPERATORS = ['==', '=', '!=', '<', '<=', '>', '>='] as const;
export type Operator = (typeof OPERATORS)[number];

export interface Comparison {
  kind: 'comparison';
  column: Token;
  operator: Operator;
  operatorAt: number;
  value: Token;
}
export type Expression = Comparison | { kind: 'and' | 'or'; of: Expression[] } | { kind: 'not'; of: Expression };

const WORDS = { '&&': 'and', '||': 'or', '!': 'not' } as const;

export function parse(text: string): Expression {
  const parser = new Parser(text, tokensOf(text));
  return parser.whole();
}

class Parser {
  #next = 0;
  #depth = 0;

  constructor(
    readonly text: string,
    readonly tokens: readonly Token[],
  ) {}

  whole(): Expression {
    if (this.tokens.length === 1) refuse(this.text, 0, 'it is empty');
    const expression = this.#joined('or', () => this.#joined('and', () => this.#one()));
    if (this.#token.kind !== 'end') this.#refuse('expected and, or, or the end');
    return expression;
  }

  #joined(word: 'and' | 'or', part: () => Expression): Expression {
    const of = [part()];
    while (this.#takes(word)) of.push(part());
    return of.length === 1 ? of[0]! : { kind: word, of };
  }

  #one(): Expression {
    const { at } = this.#token;
    const isNot = this.#takes('not');
    if (!isNot && !this.#takesSymbol('(')) return this.#comparison();
    this.#depth += 1;
    if (this.#depth > MAX_NESTING)
      throw new SpillwayError('FILTER_TOO_COMPLEX', `the filter has more than ${MAX_NESTING} parentheses and negations inside one another`, {
        column: String(at + 1),
      });
    const expression: Expression = isNot ? { kind: 'not', of: this.#one() } : this.#joined('or', () => this.#joined('and', () => this.#one()));
    if (!isNot && !this.#takesSymbol(')')) this.#refuse('expected and, or, or )');
    this.#depth -= 1;
    return expression;
  }

  #comparison(): Comparison {
    const column = this.#token;
    if (column.kind !== 'word' || isWord(column, 'and') || isWord(column, 'or')) this.#refuse('expected a column, such as ip.addr');
    this.#next += 1;
    const { text: symbol, kind, at: operatorAt } = this.#token;
    const operator = kind === 'symbol' ? OPERATORS.find((known) => known === symbol) : undefined;
    if (operator === undefined) return this.#refuse(`expected an operator behind ${column.text}: ${OPERATORS.join(', ')}`);
    this.#next += 1;
    const value = this.#token;
    if (value.kind !== 'word' && value.kind !== 'quoted') this.#refuse(`expected a value behind ${operator}`);
    this.#next += 1;
    return { kind: 'comparison', column, operator, operatorAt, value };
  }

  get #token(): Token {
    return this.tokens[this.#next]!;
  }

  #takes(word: 'and' | 'or' | 'not'): boolean {
    const is = isWord(this.#token, word);
    if (is) this.#next += 1;
    return is;
  }

  #takesSymbol(symbol: string): boolean {
    const is = this.#token.kind === 'symbol' && this.#token.text === symbol;
    if (is) this.#next += 1;
    return is;
  }

  #refuse(expected: string): never {
    const { kind, text, at } = this.#token;
    return refuse(this.text, at, kind === 'end' ? `it ends here, ${expected}` : `${expected}, not ${quoted(text)}`);
  }
}

function isWord({ kind, text }: Token, word: 'and' | 'or' | 'not'): boolean {
  if (kind === 'word') return text.toLowerCase() === word;
  return kind === 'symbol' && WORDS[text as keyof typeof WORDS] === word;
}
