/** STEELFILTER texts to tokens. */
import { quoted } from '../failures.js';
import { refuse } from '../text.js';
import { tokenise, WORD, type Take } from '../tokens.js';

export interface Token {
  /** `word`: a name, a keyword or a bare value; `quoted`: a value in quotation marks, without them. */
  kind: 'word' | 'quoted' | 'symbol' | 'end';
  text: string;
  /** Where it begins, in UTF-16 units. */
  at: number;
}

const QUOTED = { '"': /"[^"]*"/y, "'": /'[^']*'/y };
const SYMBOL = /==|!=|<=|>=|&&|\|\||[=<>!()]/y;

export function tokensOf(text: string): Token[] {
  return tokenise(text, (start, take) => one(text, start, take));
}

function one(text: string, start: number, take: Take): { kind: Exclude<Token['kind'], 'end'>; text: string } {
  const mark = text[start]!;
  if (mark === '"' || mark === "'") {
    const found = take(QUOTED[mark]);
    if (found === undefined) return refuse(text, start, `the quotation mark ${mark} is not closed`);
    return { kind: 'quoted', text: found.slice(1, -1) };
  }
  const word = take(WORD);
  if (word !== undefined) return { kind: 'word', text: word };
  const symbol = take(SYMBOL);
  if (symbol !== undefined) return { kind: 'symbol', text: symbol };
  return refuse(text, start, strange(text, start));
}

function strange(text: string, at: number): string {
  const character = String.fromCodePoint(text.codePointAt(at)!);
  if (character === '&' || character === '|') return `a single ${character} has no meaning: expected ${character}${character}`;
  return `the character ${quoted(character)} has no meaning outside of quotation marks`;
}
