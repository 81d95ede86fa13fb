/**
 * Scans what the index of a file leaves over, several ranges at once, and gives the output in order. What the index does
 * not cover (a tail that grew, or damage) is scanned as if there were none.
 *
 * Ranges begin at record boundaries with a known state of the reader, so that nothing is guessed here; blocks that
 * describe interfaces are never left out, so that numbers of interfaces are those of a scan without an index.
 */
import { probeIndex, REPORT, STATUS, type IndexAnswer } from '../native.js';
import { concludes, mixed, type Piece, type ScanContext } from './context.js';
import { extentBytes } from './extents.js';
import { MAX_RANGES } from './limits.js';
import { scanFile, type FileScanned } from './scan-file.js';
import { newSlot } from './slots.js';
import type { OpenSource } from './source.js';
import type { Place, RunsResult } from './tasks.js';

/** Ranges that one worker scans in one go. */
interface Group {
  /** `[start, end)` pairs. */
  ranges: Float64Array;
  /** The reader's state at the first start; null at the start of the file. */
  state: Uint8Array | null;
  /** The state at all others. */
  laterState: Uint8Array;
}

interface Flight {
  group: Group;
  base: number;
  slot: Uint8Array;
  result: Promise<RunsResult>;
}

/** Null where the index can't be used: the source is to be scanned whole. */
export function askIndex(source: OpenSource, context: ScanContext): IndexAnswer | null {
  if (!source.index) return null;
  const answer = probeIndex(source.index.fd, source.index.id, context.selection.filters, context.windowsNs);
  return typeof answer === 'string' || answer.blocks === 0 ? null : answer;
}

/** `from`: where the packets begin, where the output describes their interfaces already; `interfaces`: how many it has. */
export async function* scanIndexed(
  source: OpenSource,
  answer: IndexAnswer,
  from: Place | null,
  interfaces: number,
  context: ScanContext,
): AsyncGenerator<Piece, FileScanned> {
  const groups = groupsOf(answer, extentBytes(answer.bytes, context.format, context.slots.length >> 1));
  if (from) beginAt(groups, from);
  const flights: Flight[] = [];
  let base = from?.base ?? interfaces;
  let interfaceCount = interfaces;
  /** Where the bytes end that are told as decided on: those left out before them are. */
  let told = from?.offset ?? 0;
  let state: Uint8Array | null = null;
  const launch = (
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
      fd: source.fd,
      ranges,
      state: place ? place.state : done === 0 ? group.state : group.laterState,
      laterState: group.laterState,
      interfaceBase: base,
      limits: limited ? context.totals.left(context.rules) : null,
      slot,
    });
  };
  const fill = (): void => {
    while (groups.length > 0) {
      const slot = context.slots.pop();
      if (!slot) return;
      const group = groups.shift()!;
      const result = launch(group, 0, slot, false);
      result.catch(() => {}); // seen where it is awaited
      flights.push({ group, base, slot, result });
    }
  };
  const mayStop = (result: RunsResult): boolean =>
    context.totals.left(context.rules) !== null &&
    (result.status === STATUS.mixedLinkTypes || result.status === STATUS.timeRange || context.totals.reaches(context.rules, result.report));

  /** Takes the result at the head of the line and goes on to the end of its ranges. True when the source is over. */
  async function* settle(flight: Flight): AsyncGenerator<Piece, boolean> {
    const { group } = flight;
    let { slot } = flight;
    let result = await flight.result;
    if (flight.base !== base || mayStop(result)) result = await launch(group, 0, slot, true);
    let done = 0;
    for (;;) {
      if (context.mixesLinkTypes(result)) throw mixed(source, Number(result.report[REPORT.linkTypeOut]));
      context.totals.add(result.report);
      const end = Number(result.report[REPORT.end]);
      context.addBytesIn(end - told);
      told = end;
      context.onResult(result, base);
      interfaceCount = Number(result.report[REPORT.interfaceCount]);
      base = Number(result.report[REPORT.sectionBase]);
      state = result.state;
      if (result.outLength > 0) yield context.piece(result, slot, false);
      if (concludes(result, source, context.totals)) {
        if (result.status !== STATUS.done) return true;
        done += result.ranges;
        if (2 * done >= group.ranges.length) return false;
        result = await launch(group, done, slot, true);
        continue;
      }
      if (result.status === STATUS.needProgram) await context.addPrograms(Number(result.report[REPORT.detail]));
      if (result.status === STATUS.outputFull && result.outLength === 0) slot = newSlot(result.needed);
      done += result.ranges;
      result = await launch(group, done, slot, true, { offset: Number(result.report[REPORT.end]), state: result.state });
    }
  }

  let current: Flight | undefined;
  try {
    for (;;) {
      fill();
      current = flights.shift();
      if (!current) break;
      if (yield* settle(current)) return { place: null, interfaceCount };
      context.slots.push(current.slot);
      current = undefined;
    }
  } finally {
    for (const flight of [current, ...flights]) {
      if (!flight) continue;
      await flight.result.catch(() => {});
      context.slots.push(flight.slot);
    }
  }
  context.totals.skip(answer);
  context.addBytesIn(answer.end - told);
  if (answer.end >= source.sizeBytes) return { place: null, interfaceCount };
  const tail = { offset: answer.end, state: state ?? source.beginning?.state ?? null, base };
  const { interfaceCount: count } = yield* scanFile(source, tail, null, context);
  return { place: null, interfaceCount: Math.max(interfaceCount, count) };
}

/** Leaves out what stands before the first packet. */
function beginAt(groups: Group[], { offset, state }: Place): void {
  const first = groups[0];
  if (!first || first.ranges[0]! >= offset) return;
  first.ranges[0] = Math.min(offset, first.ranges[1]!);
  first.state = state;
}

/** Neighbouring ranges with the same state, as many as one worker's task should hold. */
function groupsOf({ ranges, stateOf, states }: IndexAnswer, groupBytes: number): Group[] {
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
    groups.push({ ranges: ranges.slice(2 * first, 2 * next), state, laterState: later ?? new Uint8Array(0) });
    first = next;
  }
  return groups;
}
