/** Display filters: what can be answered without tshark, as programs. */
import { SpillwayError } from '../../errors.js';
import { FilterCache } from '../cache.js';
import { tooLong } from '../failures.js';
import { MAX_CACHED_FILTER_BYTES, MAX_CACHED_FILTERS, MAX_NESTING, MAX_TESTS } from '../limits.js';
import { Decider } from '../predicate/decisions.js';
import type { Formula } from '../predicate/formula.js';
import { Writer } from '../predicate/writer.js';
import { refuse } from '../text.js';
import { answerOf, NotForUs, type Answer } from './answer.js';
import { packetsOf } from './certain.js';
import { tokensOf, type Token } from './lexer.js';
import { Packets } from './packets.js';
import { mergeTests } from './merge.js';
import { needsOf, type Needs } from './needs.js';
import { parse, tooNested } from './parser.js';

const ETHERNET = 1;

export interface TranslatedFilter {
  /** Accepts the packets that the filter lets through, of those that are certain. */
  answer: Uint8Array;
  /** Accepts the packets of which `answer` is what tshark says, where all packets that tshark sees with them are certain. */
  certain: Uint8Array;
}

/** Throws FILTER_INVALID, with the column, at a text that is no display filter for sure, and FILTER_TOO_COMPLEX. */
export function checkWireshark(text: string): void {
  checked(text);
}

/** The programs of a text for a link type of capture files (LINKTYPE_); null where only tshark can answer. Throws as `checkWireshark` does. */
export function translateWireshark(text: string, linkType: number): TranslatedFilter | null {
  if (text.length > MAX_CACHED_FILTER_BYTES) return translate(text, linkType);
  const key = `${linkType} ${text}`;
  const before = known.get(key);
  if (before) return before.translated;
  const translated = translate(text, linkType);
  known.set(key, { translated });
  return translated;
}

/** An export asks several times, and a translation takes some 50 ms. What is refused is looked at anew. */
const known = new FilterCache<{ translated: TranslatedFilter | null }>(MAX_CACHED_FILTERS);

function translate(text: string, linkType: number): TranslatedFilter | null {
  const parsed = parse(text, checked(text));
  if (!parsed) return null;
  const expression = mergeTests(parsed);
  const needs = needsOf(expression);
  if (needs.tests > MAX_TESTS) return null;
  const isOfHeaders = needs.depth !== 'frame';
  const packets = Packets.of(linkType, isOfHeaders);
  if (!packets) return null;
  try {
    // Packets of Ethernet can have every header: what is said of one that others never have must be valid, too.
    if (linkType !== ETHERNET) answerOf(expression, Packets.of(ETHERNET, true)!, isOfHeaders);
    const answer = answerOf(expression, packets, isOfHeaders);
    const program = (formula: Formula): Uint8Array => new Writer().write(new Decider(packets.formulas, packets.fields).decide(formula));
    return { answer: program(answer.whole), certain: program(certain(answer, needs, packets)) };
  } catch (error) {
    // Too much for a program is not too much for tshark.
    if (error instanceof NotForUs || (error instanceof SpillwayError && error.code === 'FILTER_TOO_COMPLEX')) return null;
    throw error;
  }
}

function certain({ surely, surelyNot }: Answer, { depth, frameBytes }: Needs, packets: Packets): Formula {
  const { formulas } = packets;
  const hasBytes = frameBytes > 0 ? packets.isThere(frameBytes - 1) : formulas.true;
  if (depth === 'frame') return hasBytes;
  const isDecided = formulas.and(packetsOf(packets, { payload: 'any', depth }), formulas.or(surely, surelyNot));
  return formulas.and(hasBytes, formulas.or(packetsOf(packets, { payload: 'none', depth }), isDecided));
}

function checked(text: string): Token[] {
  const long = tooLong(text);
  if (long) throw long;
  const tokens = tokensOf(text);
  if (tokens.length === 1) refuse(text, 0, 'it is empty');
  const open: Token[] = [];
  for (const token of tokens) {
    if (token.kind !== 'symbol') continue;
    const closes = { ')': '(', '}': '{' }[token.text];
    if (token.text === '(' || token.text === '{') {
      open.push(token);
      if (open.length > MAX_NESTING) throw tooNested(text, token.at);
    } else if (closes !== undefined && open.pop()?.text !== closes) refuse(text, token.at, `this ${token.text} closes nothing`);
  }
  const last = open.at(-1);
  if (last) refuse(text, last.at, `this ${last.text} is not closed`);
  return tokens;
}
