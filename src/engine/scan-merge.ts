/** Sources that overlap in time, in one stream in time order: one worker merges them; filled slots come by a port. */
import { SpillwayError } from '../errors.js';
import { REPORT, STATUS, type BlockSums, type IndexAnswer } from '../native.js';
import { concludes, type Piece, type ScanContext } from './context.js';
import { begun, following, inOrder, type InLine } from './in-line.js';
import { nextOf } from './lane-turns.js';
import { MIN_TIME_NS, WORTH_RANGES_BYTES } from './limits.js';
import { rangesOf, worthIt } from './merge-ranges.js';
import { exchangeSlots } from './slot-exchange.js';
import type { OpenSource } from './open-source.js';
import type { LaneRanges, MergePart, ScanResult, ToStream } from './tasks.js';

export interface Merged {
  /** What is left to scan, in the order in which turns come; of those only the first may have begun. */
  line: InLine[];
  interfaceCount: number;
}

/** A source of the merge as it is by now. */
interface Part {
  one: InLine;
  /** Its ranges are asked for, as those of a lane are: it is one, or its index leaves much of it out. */
  isAsked: boolean;
  /** `one.source` was given to the worker. */
  isGiven: boolean;
  sums: BlockSums | null;
  /** By which some of what was given last is left out. */
  answer: IndexAnswer | null;
  /** What was left out since what was given last: what follows has no turn before that. */
  floorNs: bigint;
  /** Of a lane that waits: what it was said to wait for. */
  idleUntilNs: bigint | null;
}

/** `line` as in `Merged`. Ends when all are over, when a stop rule ends the scan, or when one is left that is better scanned in ranges. */
export async function* scanMerge(line: readonly InLine[], interfaceCount: number, context: ScanContext): AsyncGenerator<Piece, Merged> {
  const parts: Part[] = [...line].sort((a, b) => a.rank - b.rank).map((one) => partFor(one, context));
  const { linkTypeOut } = context.totals;
  const task = {
    selection: context.selection,
    control: context.control,
    parts: parts.map((part) => partOf(part)),
    interfaceCount,
    linkTypeOut: linkTypeOut < 0 ? null : linkTypeOut,
    limits: context.totals.left(context.rules),
    numberFrom: context.totals.numbered,
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
    if (last) {
      if (result.status === STATUS.done) for (const each of parts) tellLeftOut(each, context);
      return { line: [], interfaceCount: count };
    }
    const rest = result.status === STATUS.alone ? restOf(result, parts) : null;
    if (rest && isWorthRanges(rest[0])) return { line: rest, interfaceCount: count };
    if (!waits) continue;
    tellLeftOut(part, context);
    if (part.one.lane) part.one.lane.base = result.merge!.base ?? part.one.lane.base;
    if (isLast(result, parts)) return { line: [part.isGiven ? following(part.one) : part.one].filter((one) => one !== null), interfaceCount: count };
    reply = { lane: yield* answerOf(part, context) };
  }
  throw new SpillwayError('INTERNAL', 'the worker that merges ended without a word');
}

const nameOf = ({ one }: Part): string => one.source?.name ?? one.name;

function partFor(one: InLine, context: ScanContext): Part {
  const isAsked = one.lane !== null || (one.source!.kind === 'file' && worthIt(one, context) !== null);
  return { one, isAsked, isGiven: false, sums: null, answer: null, floorNs: MIN_TIME_NS, idleUntilNs: null };
}

/** What was given is read, and what was not given with it is decided on. */
function tellLeftOut(part: Part, context: ScanContext): void {
  if (!part.answer) return;
  context.totals.skip(part.answer);
  context.addBytesIn(part.answer.end - part.answer.bytes);
  part.answer = null;
}

function partOf({ one: { source, place, isBegun, headNs }, isAsked }: Part): MergePart {
  // What was begun comes first; its worker reads how far its next packet is from that.
  const firstTimeNs = isBegun || headNs === MIN_TIME_NS ? null : headNs;
  if (isAsked) return { kind: 'lane', firstTimeNs };
  const { fd, sizeBytes, compression } = source!;
  if (compression === 'gzip' || compression === 'zstd') return { kind: 'stream', fd, compression, firstTimeNs };
  return { kind: 'range', fd, sizeBytes, place, firstTimeNs };
}

/** What a lane that was asked for goes on with; waits for it where it was asked in vain before. */
async function* answerOf(part: Part, context: ScanContext): AsyncGenerator<Piece, LaneRanges | { idleUntilNs: bigint } | null> {
  const hold = (maxTimeNs: bigint): void => {
    if (maxTimeNs > part.floorNs) part.floorNs = maxTimeNs;
  };
  for (;;) {
    if (part.isGiven && !part.one.lane) return null;
    while (part.isGiven || !part.one.source) {
      const next = yield* nextOf(part.one, part.one.lane!.base === null ? null : hold, context);
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
    const { ranges, sums, answer, floorNs } = rangesOf(part.one, part.floorNs, context);
    Object.assign(part, { isGiven: true, sums, answer, floorNs });
    if (ranges.length > 0) return { fd: part.one.source!.fd, ranges };
    tellLeftOut(part, context);
  }
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
  for (const [i, { one, isGiven, answer }] of parts.entries()) {
    if (over.includes(i)) continue;
    // Its index told what is to be read of it, and what is not stays told.
    if (i === about && answer) return null;
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
