/** Sources that overlap in time, in one stream in time order: one worker merges them; filled slots come by a port. */
import { SpillwayError } from '../errors.js';
import { REPORT, STATUS, type BlockSums } from '../native.js';
import { concludes, type Piece, type ScanContext } from './context.js';
import { begun, following, inOrder, type InLine } from './in-line.js';
import { nextOf } from './lane-turns.js';
import { MIN_TIME_NS, WORTH_RANGES_BYTES } from './limits.js';
import { askForAll } from './scan-indexed.js';
import { exchangeSlots } from './slot-exchange.js';
import type { OpenSource } from './open-source.js';
import type { LaneRange, LaneRanges, MergePart, ScanResult, ToStream } from './tasks.js';

export interface Merged {
  /** What is left to scan, in the order in which turns come; of those only the first may have begun. */
  line: InLine[];
  interfaceCount: number;
}

/** A source of the merge as it is by now. */
interface Part {
  one: InLine;
  /** Of a lane: `one.source` was given to the worker. */
  isGiven: boolean;
  sums: BlockSums | null;
  /** Of a lane that waits: what it was said to wait for. */
  idleUntilNs: bigint | null;
}

/** `line` as in `Merged`. Ends when all are over, when a stop rule ends the scan, or when one is left that is better scanned in ranges. */
export async function* scanMerge(line: readonly InLine[], interfaceCount: number, context: ScanContext): AsyncGenerator<Piece, Merged> {
  const parts: Part[] = [...line].sort((a, b) => a.rank - b.rank).map((one) => ({ one, isGiven: false, sums: null, idleUntilNs: null }));
  const { linkTypeOut } = context.totals;
  const task = {
    selection: context.selection,
    control: context.control,
    parts: parts.map(({ one }) => partOf(one)),
    interfaceCount,
    linkTypeOut: linkTypeOut < 0 ? null : linkTypeOut,
    limits: context.totals.left(context.rules),
  };
  let reply: ToStream | null = null;
  const messages = exchangeSlots(
    context,
    (port) => context.pool.merge({ ...task, port }),
    () => reply,
  );
  for await (const { result, slot, last } of messages) {
    context.totals.add(result.report);
    context.onResult(result, 0);
    const part = parts[result.merge?.about ?? 0]!;
    const waits = result.status === STATUS.needNext;
    if (slot && result.outLength > 0) yield context.piece(result, slot, waits);
    for (const bad of result.badBlocks ?? []) context.noteBadBlock(bad, nameOf(parts[bad.part!]!), parts[bad.part!]!.sums);
    if (!waits) concludes(result, part.one.source ?? part.one, context.totals);
    const count = Number(result.report[REPORT.interfaceCount]);
    if (last) return { line: [], interfaceCount: count };
    const rest = result.status === STATUS.alone ? restOf(result, parts) : null;
    if (rest && isWorthRanges(rest[0])) return { line: rest, interfaceCount: count };
    if (!waits) continue;
    part.one.lane!.base = result.merge!.base ?? part.one.lane!.base;
    if (isLast(result, parts)) return { line: [part.isGiven ? following(part.one)! : part.one], interfaceCount: count };
    reply = { lane: yield* answerOf(part, context) };
  }
  throw new SpillwayError('INTERNAL', 'the worker that merges ended without a word');
}

const nameOf = ({ one }: Part): string => one.source?.name ?? one.name;

function partOf({ source, lane, place, isBegun, headNs }: InLine): MergePart {
  // What was begun comes first; its worker reads how far its next packet is from that.
  const firstTimeNs = isBegun || headNs === MIN_TIME_NS ? null : headNs;
  if (lane) return { kind: 'lane', firstTimeNs };
  const { fd, sizeBytes, compression } = source!;
  if (compression === 'gzip' || compression === 'zstd') return { kind: 'stream', fd, compression, firstTimeNs };
  return { kind: 'range', fd, sizeBytes, place, firstTimeNs };
}

/** What a lane that was asked for goes on with; waits for it where it was asked in vain before. */
async function* answerOf(part: Part, context: ScanContext): AsyncGenerator<Piece, LaneRanges | { idleUntilNs: bigint } | null> {
  while (part.isGiven || !part.one.source) {
    const next = yield* nextOf(part.one, false, context);
    if (!next) return null;
    if (next.source) {
      part.one = next;
      part.isGiven = false;
      break;
    }
    const idleUntilNs = next.headNs;
    if (part.idleUntilNs === null || idleUntilNs > part.idleUntilNs) {
      part.idleUntilNs = idleUntilNs;
      return { idleUntilNs };
    }
    if (context.isCancelled()) return null;
    await part.one.lane!.lane.changed();
  }
  part.isGiven = true;
  return rangesOf(part);
}

/** The blocks that an index vouches for, and what lies behind them. */
function rangesOf(part: Part): LaneRanges {
  const { source, place } = part.one;
  const { fd, sizeBytes, beginning } = source!;
  const answer = askForAll(source!);
  part.sums = answer?.sums ?? null;
  const first = { start: place?.offset ?? 0, state: place?.state ?? null, interfaceBase: place?.base ?? null };
  const checkedEnd = Math.min(answer?.end ?? 0, sizeBytes);
  if (first.start >= checkedEnd) return { fd, ranges: [{ ...first, end: sizeBytes, sums: null }] };
  const ranges: LaneRange[] = [{ ...first, end: checkedEnd, sums: part.sums }];
  if (checkedEnd < sizeBytes) ranges.push({ start: checkedEnd, end: sizeBytes, state: beginning!.state, interfaceBase: null, sums: null });
  return { fd, ranges };
}

/** Nothing but the lane that was asked for is left. */
function isLast({ merge }: ScanResult, parts: readonly Part[]): boolean {
  return merge!.over.length === parts.length - 1;
}

/** Those that are not over; null where what has begun can not be scanned by itself. */
function restOf({ merge }: ScanResult, parts: readonly Part[]): InLine[] | null {
  const { about, over, place } = merge!;
  if (about !== null && !place) return null;
  const rest: InLine[] = [];
  for (const [i, { one, isGiven }] of parts.entries()) {
    if (over.includes(i)) continue;
    if (i === about) rest.push(begun(one, place!));
    // A lane that was read and waits: what it goes on from is known to the worker alone.
    else if (isGiven) return null;
    else rest.push(one);
  }
  return inOrder(rest);
}

function isWorthRanges(first: InLine | undefined): boolean {
  const source: OpenSource | null = first?.source ?? null;
  return source?.kind === 'file' && source.sizeBytes - (first?.place?.offset ?? 0) > WORTH_RANGES_BYTES;
}
