/** What a display filter must be before tshark sees it. */
import { SpillwayError } from '../errors.js';
import { MAX_TEXT_BYTES } from './limits.js';

/** Control characters but tab and line feed, which are white space of the language. */
const CONTROL = /[\0-\x08\x0b-\x1f\x7f]/;

/** Refuses what can not be an argument of tshark, or is no filter whatever the language. */
export function refuseText(text: string): void {
  if (text.trim() === '') throw new SpillwayError('FILTER_INVALID', 'the display filter is empty');
  if (!isWellFormed(text)) throw new SpillwayError('FILTER_INVALID', 'the display filter is not Unicode text');
  const control = CONTROL.exec(text);
  if (control) throw new SpillwayError('FILTER_INVALID', 'the display filter holds a control character', { column: String(control.index + 1) });
  refuseLength(text, 'the display filter has');
}

/** One filter that asks for all of them. */
export function joined(texts: readonly string[]): string {
  const all = texts.length === 1 ? texts[0]! : texts.map((text) => `(${text})`).join(' and ');
  refuseLength(all, 'the display filters together have');
  return all;
}

function refuseLength(text: string, subject: string): void {
  const bytes = Buffer.byteLength(text);
  if (bytes > MAX_TEXT_BYTES) throw new SpillwayError('FILTER_TOO_COMPLEX', `${subject} ${bytes} bytes, more than ${MAX_TEXT_BYTES}`);
}

/** No half of a surrogate pair, which would become another character on its way. */
function isWellFormed(text: string): boolean {
  return !/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/.test(text);
}
