/** Times as clients of the API give them: decimal seconds since the epoch, or one of the words for "not set". */
import { SpillwayError } from '../errors.js';
import { NS_PER_SECOND } from '../units.js';

/** More seconds than int64 nanoseconds hold are understood: clients write 9999999999 for "never". */
const DECIMAL = /^([0-9]{1,20})(?:\.([0-9]{1,9}))?$/;

/** Nanoseconds of a time that a client gave as `name`; null when it is not set (absent, `"None"`, or any way to write 0). */
export function parseTime(text: string | undefined, name: string): bigint | null {
  if (text === undefined || text === 'None') return null;
  const parts = DECIMAL.exec(text);
  if (parts === null) {
    const shown = JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
    throw new SpillwayError('TIME_INVALID', `${name} ${shown} is not a time in seconds since the epoch with at most nine decimals`);
  }
  const ns = BigInt(parts[1]!) * NS_PER_SECOND + BigInt((parts[2] ?? '').padEnd(9, '0'));
  return ns === 0n ? null : ns;
}
