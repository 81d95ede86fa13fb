/** Where in a filter text of a language read here something is wrong. */
import { SpillwayError } from '../errors.js';
import { quoted } from './failures.js';

/** Refuses the text for what is at `at` (UTF-16 units from its beginning). */
export function refuse(text: string, at: number, why: string): never {
  const column = columnOf(text, at);
  throw new SpillwayError('FILTER_INVALID', `the filter ${quoted(text)} is not valid at column ${column}: ${why}`, { column });
}

/** The column of `at` in characters, from 1. */
export function columnOf(text: string, at: number): string {
  return String([...text.slice(0, at)].length + 1);
}
