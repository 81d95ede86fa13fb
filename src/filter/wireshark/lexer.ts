/**
 * Display filter texts to tokens. What no display filter can hold is refused; what is valid or not only tshark can tell becomes a
 * token of the kind `other`.
 */
import { refuse } from '../text.js';
import { tokenise, WORD, type Take } from '../tokens.js';

export interface Token {
  /** `word`: a name, a keyword or a bare value; `string`: a plain one in double quotation marks, without them. */
  kind: 'word' | 'string' | 'symbol' | 'other' | 'end';
  text: string;
  /** Where it begins, in UTF-16 units. */
  at: number;
}

const SYMBOL = /===|!==|==|!=|<=|>=|&&|\|\||[<>!&,(){}[\]]/y;
const STRING = /"(?:[^"\\]|\\[^])*"/y;
const CHARACTER = /'(?:[^'\\]|\\[^])*'/y;
const OTHER = /[^\s"'(){}]/y;
const CONTROL = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/;

export function tokensOf(text: string): Token[] {
  const control = CONTROL.exec(text);
  if (control) return refuse(text, control.index, 'it holds a control character');
  return tokenise(text, (start, take) => one(text, start, take));
}

function one(text: string, start: number, take: Take): { kind: Exclude<Token['kind'], 'end'>; text: string } {
  const mark = text[start]!;
  if (mark === '"' || mark === "'") {
    const found = take(mark === '"' ? STRING : CHARACTER);
    if (found === undefined) return refuse(text, start, `the quotation mark ${mark} is not closed`);
    return mark === '"' && !found.includes('\\') ? { kind: 'string', text: found.slice(1, -1) } : { kind: 'other', text: found };
  }
  const word = take(WORD);
  if (word !== undefined) return { kind: 'word', text: word };
  const symbol = take(SYMBOL);
  if (symbol !== undefined) return { kind: 'symbol', text: symbol };
  return { kind: 'other', text: take(OTHER) ?? take(/[^]/y)! };
}
