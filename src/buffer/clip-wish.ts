/** What a clip is asked to be, and what of that is refused. */
import { SpillwayError } from '../errors.js';
import { formatRfc3339 } from '../units.js';
import type { ClipFilter } from './clip-file.js';
import type { Job } from './jobs.js';

export interface ClipWish {
  job: Job;
  /** null: from the first packet of the buffer. */
  startNs: bigint | null;
  /** null: up to now. */
  endNs: bigint | null;
  owner: string;
  /** May be empty. */
  reason: string;
  /** When it lets go of its packets by itself; null: never. */
  expiresNs: bigint | null;
  /** What exports of it let through; default: every packet. */
  filters?: ClipFilter[];
  /** The times as they were given. */
  given?: { start?: string; end?: string };
}

export interface ClipRange {
  startNs: bigint | null;
  endNs: bigint;
}

const OWNER_CHARACTERS_MAX = 64;
const REASON_CHARACTERS_MAX = 1000;

/** Its range, which has an end. Throws where it is none of stored packets, or where a text or the expiry is not usable. */
export function checkWish({ startNs, endNs, owner, reason, expiresNs }: ClipWish, nowNs: bigint): ClipRange {
  if (owner === '') throw new SpillwayError('REQUEST_INVALID', 'the owner of a clip has no name');
  checkText('owner', owner, OWNER_CHARACTERS_MAX);
  checkReason(reason);
  const range = { startNs, endNs: endNs ?? nowNs };
  if (range.endNs > nowNs)
    throw new SpillwayError('TIME_INVALID', `a clip holds what is captured already: ${formatRfc3339(range.endNs)} is yet to come`);
  if (startNs !== null && startNs >= range.endNs) throw new SpillwayError('TIME_INVALID', `there is no time ${rangeText(range)}`);
  if (expiresNs !== null && expiresNs <= nowNs)
    throw new SpillwayError('TIME_INVALID', `the clip would have expired at ${formatRfc3339(expiresNs)} already`);
  return range;
}

export function rangeText({ startNs, endNs }: ClipRange): string {
  return startNs === null ? `before ${formatRfc3339(endNs)}` : `from ${formatRfc3339(startNs)} to ${formatRfc3339(endNs)}`;
}

export function checkReason(reason: string): void {
  checkText('reason', reason, REASON_CHARACTERS_MAX);
}

/** It is shown on terminals, in one line. */
function checkText(name: string, text: string, charactersMax: number): void {
  if (text.length > charactersMax) throw new SpillwayError('REQUEST_INVALID', `the ${name} of a clip has more than ${charactersMax} characters`);
  if (/\p{Cc}/u.test(text)) throw new SpillwayError('REQUEST_INVALID', `the ${name} of a clip holds a control character`);
}
