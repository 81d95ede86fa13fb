/** Why tshark came to no good end, as a sentence with a code. */
import { SpillwayError } from '../errors.js';
import type { Ended } from './child.js';
import { MAX_QUOTED, type DissectLimits } from './limits.js';

/** What programs say, or die of, where they get no more memory. */
const NO_MEMORY = /allocat|out of memory|failed to map|not enough memory/i;
/** A line of its log that tells of no trouble: there are some where regular expressions are listened for (runaway.ts). */
const DEBUG_LINE = / DEBUG\] /;
/** GLib's word where it gets none. */
const GLIB_ABORT = 'SIGTRAP';

/** null: it did what it should. */
export function failureOf({ code, signal, complaint, wasSilent, readAll }: Ended, limits: DissectLimits): SpillwayError | null {
  if (wasSilent) return limit(`took nothing and answered nothing for ${limits.silenceMs / 1000} s`);
  if (signal === 'SIGXCPU') return limit(`took more than ${limits.cpuSeconds} s of processor time`);
  if ((signal !== null || code !== 0) && (signal === GLIB_ABORT || NO_MEMORY.test(complaint)))
    return limit(`needs more than ${limits.memoryBytes >> 20} MiB of memory`);
  const last = quoted(complaint);
  const why = last === '' ? '' : `: ${last}`;
  if (signal !== null) return new SpillwayError('DISSECTOR_FAILED', `tshark was ended by ${signal}${why}`);
  if (code !== 0) return new SpillwayError('DISSECTOR_FAILED', `tshark ended with exit code ${code}${why}`);
  return readAll ? null : new SpillwayError('DISSECTOR_FAILED', `tshark ended before it had read all packets${why}`);
}

function limit(what: string): SpillwayError {
  return new SpillwayError('DISSECTOR_LIMIT', `tshark was ended: it ${what}`);
}

/** Its last words. */
function quoted(complaint: string): string {
  const lines = complaint.split('\n').map((line) => line.replace(/[\0-\x1f\x7f]/g, ' ').trim());
  return (lines.filter((line) => line !== '' && !DEBUG_LINE.test(line)).at(-1) ?? '').slice(0, MAX_QUOTED);
}
