/** Sources in the order in which their turns come. */
import { MIN_TIME_NS } from './limits.js';
import type { OpenSource } from './source.js';
import type { Place } from './tasks.js';

/** A source that is not over. */
export interface InLine {
  source: OpenSource;
  /** Where its packets begin, or go on; null: at its start, which describes its interfaces. */
  place: Place | null;
  /** Something was read of it. Its next packet's time is not known, and its turn comes first. */
  isBegun: boolean;
  /** What goes on where it ends, one after another: segments of the same interface. */
  then: readonly OpenSource[];
}

/** Those that begin with a packet without a time, or have none, come first. */
function headNs({ isBegun, source }: InLine): bigint {
  return isBegun ? MIN_TIME_NS : (source.beginning?.firstTimeNs ?? MIN_TIME_NS);
}

export function inOrder(line: readonly InLine[]): InLine[] {
  return [...line].sort((a, b) => (headNs(a) < headNs(b) ? -1 : headNs(a) > headNs(b) ? 1 : a.source.rank - b.source.rank));
}

/** As they are named; what is of one lane stands in one place of the line. */
export function lineUp(sources: readonly OpenSource[]): InLine[] {
  const lanes = new Map<unknown, OpenSource[]>();
  for (const source of sources) {
    const lane = source.lane ?? source;
    lanes.set(lane, [...(lanes.get(lane) ?? []), source]);
  }
  return inOrder([...lanes.values()].map(([source, ...then]) => ({ source: source!, place: null, isBegun: false, then })));
}

/** The largest time that a packet of `one` may have and still come before the first packet of `next`. */
export function lastBefore(one: InLine, next: InLine): bigint {
  return next.source.rank < one.source.rank ? headNs(next) - 1n : headNs(next);
}

/** What goes on where `one` ends; `base`: the output's number of its first interface. */
export function following({ source, then: [next, ...rest] }: InLine, base: number): InLine[] {
  return next ? [{ source: next, place: continues(source, next) ? firstPlace(next, base) : null, isBegun: false, then: rest }] : [];
}

/** Whether the packets of `next` are of the same interfaces as those of the source before it. */
export function continues(before: OpenSource, next: OpenSource): boolean {
  if (!before.beginning || !next.beginning) return false;
  return Buffer.compare(before.beginning.state, next.beginning.state) === 0;
}

/** Where its first packet begins. */
export function firstPlace({ beginning }: OpenSource, base: number): Place {
  return { offset: beginning!.offset, state: beginning!.state, base };
}
