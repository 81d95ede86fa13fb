/** Sources in the order in which their turns come. */
import type { Lane, Stretch, Turn } from './lane.js';
import { MIN_TIME_NS } from './limits.js';
import type { Beginning, OpenSource } from './open-source.js';
import type { Place } from './tasks.js';

/** A source as it is planned: a file or stream, or a lane, whose stretches are opened when their turns come. */
export interface Planned {
  name: string;
  /** Its place among the sources as they were named: of packets of the same time, those of the one named first go first. */
  rank: number;
  source: OpenSource | null;
  lane: Lane | null;
  /** null: of a stream that is read once, or of a lane that has nothing yet. */
  beginning: Beginning | null;
}

/** A source that is not over. */
export interface InLine {
  name: string;
  /** As in `Planned`. */
  rank: number;
  /** What can be read of it; null: of a lane, to be asked what follows. */
  source: OpenSource | null;
  /** Where its packets begin, or go on; null: at its start, which describes its interfaces. */
  place: Place | null;
  /** Something was read of `source`. Its next packet's time is not known, and its turn comes first. */
  isBegun: boolean;
  /** Nothing of it comes before this, as far as is known. */
  headNs: bigint;
  lane: LaneInLine | null;
}

/** A lane, as long as the scan goes on. */
export interface LaneInLine {
  name: string;
  lane: Lane;
  /** The output's number of its first interface; null while none is described. */
  base: number | null;
  /** Of the present stretch, as it says. */
  keep: Stretch['keep'];
  /** A turn that came while the one before was not over. */
  waiting: { turn: Turn } | null;
}

export function inOrder(line: readonly InLine[]): InLine[] {
  return [...line].sort((a, b) => (a.headNs < b.headNs ? -1 : a.headNs > b.headNs ? 1 : a.rank - b.rank));
}

/** Those that begin with a packet without a time, or have none, come first. */
const headOf = ({ beginning }: Planned): bigint => beginning?.firstTimeNs ?? MIN_TIME_NS;

export function inTurn(planned: readonly Planned[]): Planned[] {
  return [...planned].sort((a, b) => (headOf(a) < headOf(b) ? -1 : headOf(a) > headOf(b) ? 1 : a.rank - b.rank));
}

export function lineUp(planned: readonly Planned[]): InLine[] {
  return inOrder(
    planned.map((one) => {
      const { name, rank, source, lane } = one;
      return {
        name,
        rank,
        source,
        place: null,
        isBegun: false,
        headNs: headOf(one),
        lane: lane && { name, lane, base: null, keep: undefined, waiting: null },
      };
    }),
  );
}

/** Nothing of its file was read but what describes its interfaces, so that its index can tell of all that is read. */
export function isAtBeginning({ source, place, isBegun }: InLine): boolean {
  return !isBegun && (place === null || place.offset <= (source?.beginning?.offset ?? 0));
}

/** The largest time that a packet of `one` may have and still come before the first packet of `next`. */
export function lastBefore(one: InLine, next: InLine): bigint {
  return next.rank < one.rank ? next.headNs - 1n : next.headNs;
}

/** A lane of which `stretch` can be read now. */
export function withStretch(one: InLine, { source, goesOn, keep }: Stretch): InLine {
  if (one.lane) one.lane.keep = keep;
  const base = one.lane?.base ?? null;
  const place = goesOn && base !== null ? { ...goesOn, base } : null;
  return { ...one, source, place, isBegun: false, headNs: source.beginning?.firstTimeNs ?? MIN_TIME_NS };
}

/** Something of it was read, up to `place`. */
export function begun(one: InLine, place: Place): InLine {
  if (one.lane) one.lane.base = place.base;
  return { ...one, place, isBegun: true, headNs: MIN_TIME_NS };
}

/** What is left where `one.source` is over: null where nothing can follow. */
export function following(one: InLine): InLine | null {
  return one.lane && { ...one, source: null, place: null, isBegun: false, headNs: MIN_TIME_NS };
}
