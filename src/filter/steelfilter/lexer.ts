/** STEELFILTER texts to tokens. */
import { quoted } from '../failures.js';
import { refuse } from '../text.js';

export interface Token {
  /** `word`: a name, a keyword or a bare value; `quoted`: a value in quotation marks, without them. */
  kind: 'word' | 'quoted' | 'symbol' | 'end';
  text: string;
  /** Where it begins, in UTF-16 units. */
  at: number;
}

const SPACE = /[ \t\r\n]*/y;
const WORD = /[A-Za-z0-9_.:/-]+/y;
const SYMBOL = /==|!=|<=|>=|&&|\|\||[=<>!()]/y;

export function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  const take = (form: RegExp): string | undefined => {
    form.lastIndex = at;
    const found = form.exec(text)?.[0];
    at += found?.length ?? 0;
    return found;
  };
  for (;;) {
    take(SPACE);
    const start = at;
    if (at >= text.length) return [...tokens, { kind: 'end', text: '', at }];
    const mark = text[at]!;
    let one: Omit<Token, 'at'>;
    if (mark === '"' || mark === "'") {
      const end = text.indexOf(mark, at + 1);
      if (end < 0) return refuse(text, at, `the quotation mark ${mark} is not closed`);
      one = { kind: 'quoted', text: text.slice(at + 1, end) };
      at = end + 1;
    } else {
      const word = take(WORD);
      const symbol = word === undefined ? take(SYMBOL) : undefined;
      if (word !== undefined) one = { kind: 'word', text: word };
      else if (symbol !== undefined) one = { kind: 'symbol', text: symbol };
      else return refuse(text, at, strange(text, at));
    }
    tokens.push({ ...one, at: start });
  }
}

function strange(text: string, at: number): string {
  const character = String.fromCodePoint(text.codePointAt(at)!);
  if (character === '&' || character === '|') return `a single ${character} has no meaning: expected ${character}${character}`;
  return `the character ${quoted(character)} has no meaning outside of quotation marks`;
}
