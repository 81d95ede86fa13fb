/**
 * Scans what the index of a file leaves over, several ranges at once, and gives the output in order. What the index does
 * not cover (a tail that grew, or damage) is scanned as if there were none.
 *
 * Ranges begin at record boundaries with a known state of the reader, so that nothing is guessed here; blocks that
 * describe interfaces are never left out, so that numbers of interfaces are those of a scan without an index.
 */
import { SpillwayError } from '../errors.js';
import { probeIndex, REPORT, STATUS, type BlockSums, type IndexAnswer } from '../native.js';
import { concludes, mixed, type Piece, type ScanContext } from './context.js';
import { extentBytes } from './extents.js';
import type { FileIndex } from './indexes.js';
import { LEAST_EXTENT_BYTES, MAX_RANGES } from './limits.js';
import type { OpenSource } from './open-source.js';
import { holdsPacket, isBeyond, scanFile, type FileScanned } from './scan-file.js';
import { newSlot } from './slots.js';
import type { Place, RunsResult } from './tasks.js';

/** Ranges that one worker scans in one go. */
interface Group {
  /** `[start, end)` pairs. */
  ranges: Float64Array;
  /** The reader's state at the first start; null at the start of the file. */
  state: Uint8Array | null;
  /** The state at all others. */
  laterState: Uint8Array;
  sums: BlockSums | null;
}

interface Flight {
  group: Group;
  base: number;
  slot: Uint8Array;
  result: Promise<RunsResult>;
}

/** What may hold packets that are wanted. Null where the index can't be used: everything is to be scanned. */
export function askIndex({ index, sizeBytes }: Indexed, context: ScanContext, wishes: AnswerWishes = {}): IndexAnswer | null {
  const { chosen, filters } = context.selection;
  // What is chosen by its number is counted with all others of the range: nothing else may be left out.
  const answer = index && (chosen ? ask(index, null, chosen.rangeNs, wishes) : ask(index, filters, context.windowsNs, wishes));
  // The file has grown since, and the index with it: it counts what is not to be read.
  return answer && answer.end <= sizeBytes ? answer : null;
}

/** `descriptions` (default true): what describes interfaces is in the answer, whatever is wanted. `floors`: times of what is left out, too. */
interface AnswerWishes {
  descriptions?: boolean;
  floors?: boolean;
}

/** What has an index, and the bytes of it that are to be read. */
interface Indexed {
  index: FileIndex | null;
  sizeBytes: number;
}

/** Everything, and what it must sum up to; null where it is not known. */
export function askForAll({ index, isChecked, sizeBytes }: OpenSource): IndexAnswer | null {
  const answer = index && isChecked ? ask(index, null, EVERY_TIME, {}) : null;
  return answer && upTo(answer, sizeBytes);
}

/** As far as whole blocks of it are to be read. */
function upTo(answer: IndexAnswer, sizeBytes: number): IndexAnswer | null {
  if (answer.end <= sizeBytes) return answer;
  const { bounds } = answer.sums!;
  let blocks = firstAt(bounds, sizeBytes);
  while (blocks > 0 && bounds[2 * blocks - 1]! > sizeBytes) blocks--;
  if (blocks === 0) return null;
  const end = bounds[2 * blocks - 1]!;
  const count = answer.stateOf.findIndex((_, i) => answer.ranges[2 * i]! >= end);
  const ranges = answer.ranges.slice(0, count < 0 ? undefined : 2 * count).map((bound) => Math.min(bound, end));
  const sums = sumsOf(answer.sums!, 0, end);
  const packets = sums.packets.reduce((sum, each) => sum + each, 0);
  // Of what is read the scan itself tells the times, and nothing is left out.
  return { ...answer, ranges, stateOf: answer.stateOf.slice(0, ranges.length / 2), sums, end, packets, minTime: null, maxTime: null };
}

const EVERY_TIME = new BigInt64Array(0);
type Filters = Parameters<typeof probeIndex>[2];

function ask({ fd, id }: FileIndex, filters: Filters, windowsNs: BigInt64Array, wishes: AnswerWishes): IndexAnswer | null {
  const answer = probeIndex(fd, id, filters, windowsNs, { sums: true, ...wishes });
  return typeof answer === 'string' || answer.blocks === 0 ? null : answer;
}

/** A file and what its index leaves over of it. */
export interface Left {
  source: OpenSource;
  answer: IndexAnswer;
  /** Where it goes on, where the output describes its interfaces already; null: at its start. */
  from: Place | null;
  /** Lets go of the file, where it was kept open beyond its turn. */
  release: (() => Promise<void>) | null;
}

/** One that is read while those before it still are. */
export interface Ahead extends Left {
  from: Place;
}

/** One that is being read. */
interface Reading extends Left {
  groups: Group[];
  /** Flights that are not settled. */
  flights: number;
  /** Where the bytes end that are told as decided on: those left out before them are. */
  told: number;
  /** Packets that were read of it, and those of blocks that could not be. */
  packets: number;
  /** It ended early. */
  isOver: boolean;
}

/**
 * `interfaces`: how many the output has; `untilNs` as of `scanFile`: an answer that leaves something out can't be used where it stops.
 * `ahead` gives what is read behind it, as if it were of the same file; without a tail that the index does not cover, like the first then.
 */
export async function* scanIndexed(
  first: Left,
  interfaces: number,
  untilNs: bigint | null,
  ahead: (() => Promise<Ahead | null>) | null,
  context: ScanContext,
): AsyncGenerator<Piece, FileScanned> {
  const { source, answer, from } = first;
  const groupBytes = untilNs === null ? extentBytes(ahead ? Infinity : answer.bytes, context.format, context.slots.length >> 1) : LEAST_EXTENT_BYTES;
  const readingOf = (left: Left): Reading => {
    const groups = groupsOf(left.answer, left.source.isChecked, groupBytes);
    if (left.from) beginAt(groups, left.from);
    return { ...left, groups, flights: 0, told: left.from?.offset ?? 0, packets: 0, isOver: false };
  };
  /** In order; what is to come of the last is not all launched. */
  const line: Reading[] = [readingOf(first)];
  const flights: (Flight & { reading: Reading })[] = [];
  let more = ahead;
  let base = from?.base ?? interfaces;
  let interfaceCount = interfaces;
  let state: Uint8Array | null = null;
  const launch = (
    { source: { fd } }: Reading,
    group: Group,
    done: number,
    slot: Uint8Array,
    limited: boolean,
    place?: { offset: number; state: Uint8Array },
  ): Promise<RunsResult> => {
    const ranges = group.ranges.slice(2 * done);
    if (place) ranges[0] = place.offset;
    return context.pool.runs({
      selection: context.selection,
      control: context.control,
      fd,
      ranges,
      state: place ? place.state : done === 0 ? group.state : group.laterState,
      laterState: group.laterState,
      sums: group.sums,
      interfaceBase: base,
      limits: limited ? context.totals.left(context.rules) : null,
      numberFrom: context.totals.numbered,
      slot,
    });
  };
  const fill = async (): Promise<void> => {
    for (;;) {
      const reading = line.at(-1)!;
      const group = reading.groups[0];
      if (!group) {
        // What a stop rule keeps from being read is not to be told of.
        if (!more || context.slots.length === 0 || context.totals.left(context.rules) !== null) return;
        const next = await more();
        if (!next) more = null;
        else line.push(readingOf(next));
        continue;
      }
      const slot = context.isOrdered && flights.length > 0 ? undefined : context.slots.pop();
      if (!slot) return;
      reading.groups.shift();
      reading.flights += 1;
      const result = launch(reading, group, 0, slot, false);
      result.catch(() => {}); // seen where it is awaited
      flights.push({ reading, group, base, slot, result });
    }
  };
  const mayStop = (result: RunsResult): boolean =>
    context.totals.left(context.rules) !== null &&
    (result.status === STATUS.mixedLinkTypes || result.status === STATUS.timeRange || context.totals.reaches(context.rules, result.report));

  /** Takes the result at the head of the line and goes on to the end of its ranges. */
  async function* settle(flight: (typeof flights)[number]): AsyncGenerator<Piece, 'on' | 'over' | Place> {
    const { group, reading } = flight;
    let { slot } = flight;
    let result = await flight.result;
    if (flight.base !== base || mayStop(result)) result = await launch(reading, group, 0, slot, true);
    let done = 0;
    let place: Place = { offset: group.ranges[0]!, state: group.state, base };
    for (;;) {
      if (isBeyond(result, untilNs)) return place;
      if (context.mixesLinkTypes(result)) throw mixed(reading.source, Number(result.report[REPORT.linkTypeOut]));
      context.totals.add(result.report);
      reading.packets += Number(result.report[REPORT.packetsRead]);
      const end = Number(result.report[REPORT.end]);
      context.addBytesIn(end - reading.told);
      reading.told = end;
      context.onResult(result, base);
      interfaceCount = Number(result.report[REPORT.interfaceCount]);
      base = Number(result.report[REPORT.sectionBase]);
      state = result.state;
      place = { offset: end, state, base };
      for (const bad of result.badBlocks ?? []) reading.packets += context.noteBadBlock(bad, reading.source.name, group.sums);
      if (result.outLength > 0) yield context.piece(result, slot, false);
      if (untilNs !== null && holdsPacket(result)) return place;
      if (concludes(result, reading.source, context.totals)) {
        if (result.status !== STATUS.done) return 'over';
        done += result.ranges;
        if (2 * done >= group.ranges.length) return 'on';
        place = { offset: group.ranges[2 * done]!, state: group.laterState, base };
        result = await launch(reading, group, done, slot, true);
        continue;
      }
      if (result.status === STATUS.needProgram) await context.addPrograms(Number(result.report[REPORT.detail]));
      if (result.status === STATUS.outputFull && result.outLength === 0) slot = newSlot(result.needed);
      done += result.ranges;
      result = await launch(reading, group, done, slot, true, { offset: Number(result.report[REPORT.end]), state: result.state });
    }
  }

  /** Lets go of those at the head of the line of which nothing more comes; what comes goes on behind the last. */
  const leave = async (least: number): Promise<void> => {
    while (line.length > least && line[0]!.flights === 0 && line[0]!.groups.length === 0) {
      const reading = line.shift()!;
      await reading.release?.();
      if (reading.isOver) continue;
      context.totals.skip(reading.answer);
      context.addBytesIn(reading.answer.end - reading.told);
      checkCount(reading);
    }
  };

  let current: (typeof flights)[number] | undefined;
  try {
    for (;;) {
      await fill();
      current = flights.shift();
      if (!current) break;
      const { reading } = current;
      if (reading.isOver) await current.result.catch(() => {});
      else {
        const outcome = yield* settle(current);
        if (outcome === 'over' && (context.totals.stoppedBy || !ahead)) return { place: null, interfaceCount };
        if (outcome === 'over') Object.assign(reading, { isOver: true, groups: [] });
        else if (outcome !== 'on') return { place: outcome, interfaceCount };
      }
      context.slots.push(current.slot);
      current = undefined;
      reading.flights -= 1;
      await leave(1);
    }
    await leave(0);
  } finally {
    for (const flight of [current, ...flights]) {
      if (!flight) continue;
      await flight.result.catch(() => {});
      context.slots.push(flight.slot);
    }
    for (const reading of line) await reading.release?.();
  }
  if (ahead || answer.end >= source.sizeBytes) return { place: null, interfaceCount };
  const tail = { offset: Math.max(answer.end, from?.offset ?? 0), state: state ?? from?.state ?? source.beginning?.state ?? null, base };
  const { place, interfaceCount: count } = yield* scanFile(source, tail, untilNs, context);
  return { place, interfaceCount: Math.max(interfaceCount, count) };
}

/** What was read and what was left out must be what the index counted, which capture wrote when the packets came. */
function checkCount({ source, answer, from, packets }: Reading): void {
  // What could not be read at its beginning, or was read before, is not met here.
  const firstEnd = answer.sums?.bounds[1] ?? Infinity;
  if (from && (from.offset > (source.beginning?.offset ?? 0) || from.offset >= firstEnd)) return;
  const seen = packets + answer.skippedPackets;
  if (seen !== answer.packets)
    throw new SpillwayError('RECEIPT_MISMATCH', `${source.name}: ${seen} packets were met where ${answer.packets} were counted`);
}

/** Leaves out what stands before `from`. */
function beginAt(groups: Group[], { offset, state }: Place): void {
  while (groups[0] && groups[0].ranges.at(-1)! <= offset) groups.shift();
  const first = groups[0];
  if (!first || first.ranges[0]! >= offset) return;
  let behind = 0;
  while (first.ranges[2 * behind + 1]! <= offset) behind++;
  first.ranges = first.ranges.slice(2 * behind);
  if (first.ranges[0]! >= offset) {
    if (behind > 0) first.state = first.laterState;
    return;
  }
  first.ranges[0] = offset;
  first.state = state;
}

/** Neighbouring ranges with the same state, as many as one worker's task should hold. */
function groupsOf(answer: IndexAnswer, isChecked: boolean, groupBytes: number): Group[] {
  const { states, sums } = answer;
  const { ranges, stateOf } = cutLong(answer, groupBytes);
  const groups: Group[] = [];
  const stateAt = (i: number): Uint8Array | null => {
    const bytes = states[stateOf[i]!]!;
    return bytes.length === 0 ? null : bytes;
  };
  for (let first = 0; first < stateOf.length;) {
    const state = stateAt(first);
    let next = first;
    let bytes = 0;
    let later = state;
    while (next < stateOf.length && next - first < MAX_RANGES && bytes < groupBytes) {
      // What follows the start of the file has another state than that, as all that follow it.
      if (next > first) {
        later ??= stateAt(next);
        if (stateOf[next] !== stateOf[first] && (state !== null || stateAt(next) !== later)) break;
      }
      bytes += ranges[2 * next + 1]! - ranges[2 * next]!;
      next++;
    }
    const own = ranges.slice(2 * first, 2 * next);
    groups.push({ ranges: own, state, laterState: later ?? new Uint8Array(0), sums: isChecked && sums ? sumsOf(sums, own[0]!, own.at(-1)!) : null });
    first = next;
  }
  return groups;
}

/** The same in ranges that are hardly longer than `mostBytes`, each of whole blocks. */
function cutLong({ ranges, stateOf, sums }: IndexAnswer, mostBytes: number): { ranges: Float64Array; stateOf: number[] } {
  const cut: number[] = [];
  const states: number[] = [];
  for (const [i, state] of stateOf.entries()) {
    const end = ranges[2 * i + 1]!;
    for (let start = ranges[2 * i]!; start < end;) {
      const block = sums ? firstAt(sums.bounds, start + mostBytes) : Infinity;
      const next = Math.min(end, sums?.bounds[2 * block] ?? end);
      cut.push(start, next);
      states.push(state);
      start = next;
    }
  }
  return { ranges: Float64Array.from(cut), stateOf: states };
}

/** The reader's state at the start of a range of the answer; null: that at the start of the file. */
export function stateAt({ states, stateOf }: IndexAnswer, range: number): Uint8Array | null {
  const bytes = states[stateOf[range]!]!;
  return bytes.length === 0 ? null : bytes;
}

/** The sums of the blocks between two places, at block boundaries both. */
export function sumsOf({ bounds, crcs, packets, describes, stateBehindFirst }: BlockSums, start: number, end: number): BlockSums {
  const first = firstAt(bounds, start);
  const next = firstAt(bounds, end);
  return {
    bounds: bounds.slice(2 * first, 2 * next),
    crcs: crcs.slice(first, next),
    packets: packets.slice(first, next),
    describes: describes.slice(first, next),
    stateBehindFirst,
  };
}

/** The first block that begins at `offset` or behind it. */
function firstAt(bounds: Float64Array, offset: number): number {
  let low = 0;
  let high = bounds.length / 2;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (bounds[2 * middle]! < offset) low = middle + 1;
    else high = middle;
  }
  return low;
}
