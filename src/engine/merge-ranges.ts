/** What is to be read of a source in a merge: ranges of its file, and when the turn of each comes. */
import type { BlockSums, IndexAnswer } from '../native.js';
import type { ScanContext } from './context.js';
import { isAtBeginning, type InLine } from './in-line.js';
import { MIN_TIME_NS } from './limits.js';
import { askForAll, askIndex, stateAt, sumsOf } from './scan-indexed.js';
import type { LaneRange } from './tasks.js';

/** An index that leaves out less of a file than this costs more than it saves: then the file is read in one range. */
const WORTH_SHARE = 0.25;

export interface MergeRanges {
  ranges: LaneRange[];
  /** Of the blocks in them; null: they are believed. */
  sums: BlockSums | null;
  /** The index that left out the rest; null: nothing was left out. */
  answer: IndexAnswer | null;
  /** The largest time of what was left out behind the last range, or of all, and of `sinceNs`. */
  floorNs: bigint;
}

/**
 * What may hold wanted packets. A packet that is left out would have held back those behind it until its own turn, so each range
 * waits for the latest of those left out before it. `sinceNs`: the latest of those that were left out before this file.
 */
export function rangesOf(one: InLine, sinceNs: bigint, context: ScanContext): MergeRanges {
  const answer = worthIt(one, context);
  if (!answer) return { ...allOf(one, sinceNs), answer: null, floorNs: MIN_TIME_NS };
  const { source, place } = one;
  const ranges: LaneRange[] = [];
  let floorNs = sinceNs;
  for (let i = 0; i < answer.stateOf.length; i++) {
    floorNs = later(floorNs, answer.floors![i]!);
    const end = answer.ranges[2 * i + 1]!;
    let start = answer.ranges[2 * i]!;
    let state = stateAt(answer, i);
    if (place && end <= place.offset) continue;
    if (place && start < place.offset) ({ offset: start, state } = place);
    const sums = source!.isChecked ? sumsOf(answer.sums!, answer.ranges[2 * i]!, end) : null;
    ranges.push({ start, end, state, interfaceBase: null, sums, floorNs });
    floorNs = MIN_TIME_NS;
  }
  floorNs = later(floorNs, answer.floors!.at(-1)!);
  if (answer.end < source!.sizeBytes) {
    ranges.push({ start: answer.end, end: source!.sizeBytes, state: source!.beginning!.state, interfaceBase: null, sums: null, floorNs });
    floorNs = MIN_TIME_NS;
  }
  if (ranges[0]) ranges[0].interfaceBase = place?.base ?? null;
  return { ranges, sums: answer.sums ?? null, answer, floorNs };
}

const later = (a: bigint, b: bigint): bigint => (a > b ? a : b);

/** An answer of the index by which much is left out. */
export function worthIt(one: InLine, context: ScanContext): IndexAnswer | null {
  const answer = one.source && isAtBeginning(one) ? askIndex(one.source, context, { floors: true }) : null;
  return answer && answer.bytes <= (1 - WORTH_SHARE) * answer.end ? answer : null;
}

/** The blocks that an index vouches for, and what lies behind them. */
function allOf({ source, place }: InLine, floorNs: bigint): { ranges: LaneRange[]; sums: BlockSums | null } {
  const { sizeBytes, beginning } = source!;
  const answer = askForAll(source!);
  const sums = answer?.sums ?? null;
  const first = { start: place?.offset ?? 0, state: place?.state ?? null, interfaceBase: place?.base ?? null, floorNs };
  const checkedEnd = Math.min(answer?.end ?? 0, sizeBytes);
  if (first.start >= checkedEnd) return { ranges: [{ ...first, end: sizeBytes, sums: null }], sums };
  const ranges: LaneRange[] = [{ ...first, end: checkedEnd, sums }];
  if (checkedEnd < sizeBytes)
    ranges.push({ start: checkedEnd, end: sizeBytes, state: beginning!.state, interfaceBase: null, sums: null, floorNs: MIN_TIME_NS });
  return { ranges, sums };
}
