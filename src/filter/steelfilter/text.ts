/** Where in a STEELFILTER text something is wrong. */
import { SpillwayError } from '../../errors.js';
import { quoted } from '../failures.js';

/** Refuses the text for what is at `at` (UTF-16 units from its beginning). */
export function refuse(text: string, at: number, why: string): never {
  const column = [...text.slice(0, at)].length + 1;
  throw new SpillwayError('FILTER_INVALID', `the filter ${quoted(text)} is not valid at column ${column}: ${why}`, { column: String(column) });
}
