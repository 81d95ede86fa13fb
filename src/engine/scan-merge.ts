/** Sources that overlap in time, in one stream in time order: one worker merges them; filled slots come by a port. */
import { SpillwayError } from '../errors.js';
import { REPORT, STATUS } from '../native.js';
import { concludes, type Piece, type ScanContext } from './context.js';
import { continues, firstPlace, inOrder, type InLine } from './in-line.js';
import { WORTH_RANGES_BYTES } from './limits.js';
import { exchangeSlots } from './slot-exchange.js';
import type { OpenSource } from './source.js';
import type { MergePart, Place, ScanResult } from './tasks.js';

export interface Merged {
  /** What is left to scan, in the order in which turns come; of those only the first may have begun. */
  line: InLine[];
  interfaceCount: number;
}

/** A source of a merge, and the one whose end it waits for. */
interface Linked {
  source: OpenSource;
  place: Place | null;
  isBegun: boolean;
  after: OpenSource | null;
}

/** `line` as in `Merged`. Ends when all are over, when a stop rule ends the scan, or when one is left that is better scanned in ranges. */
export async function* scanMerge(line: readonly InLine[], interfaceCount: number, context: ScanContext): AsyncGenerator<Piece, Merged> {
  const linked = line.flatMap(chainOf).sort((a, b) => a.source.rank - b.source.rank);
  const sources = linked.map(({ source }) => source);
  const { linkTypeOut } = context.totals;
  const task = {
    selection: context.selection,
    control: context.control,
    parts: linked.map((one) => partOf(one, sources)),
    interfaceCount,
    linkTypeOut: linkTypeOut < 0 ? null : linkTypeOut,
    limits: context.totals.left(context.rules),
  };
  for await (const { result, slot, last } of exchangeSlots(context, (port) => context.pool.merge({ ...task, port }))) {
    context.totals.add(result.report);
    context.onResult(result, 0);
    if (slot && result.outLength > 0) yield context.piece(result, slot, false);
    concludes(result, sources[result.merge?.about ?? 0]!, context.totals);
    const count = Number(result.report[REPORT.interfaceCount]);
    if (last) return { line: [], interfaceCount: count };
    const rest = result.status === STATUS.alone ? restOf(result, line, sources) : null;
    if (rest && isWorthRanges(rest[0])) return { line: rest, interfaceCount: count };
  }
  throw new SpillwayError('INTERNAL', 'the worker that merges ended without a word');
}

function chainOf({ source, place, isBegun, then }: InLine): Linked[] {
  const chain: Linked[] = [{ source, place, isBegun, after: null }];
  let after = source;
  for (const next of then) {
    // The numbers of its interfaces are those of the one before it.
    chain.push({ source: next, place: continues(after, next) ? firstPlace(next, 0) : null, isBegun: false, after });
    after = next;
  }
  return chain;
}

function partOf({ source, place, isBegun, after }: Linked, sources: readonly OpenSource[]): MergePart {
  return {
    fd: source.fd,
    sizeBytes: source.sizeBytes,
    compression: source.compression === 'detect' ? null : source.compression,
    place,
    // What was begun comes first; its worker reads how far its next packet is from that.
    firstTimeNs: isBegun ? null : (source.beginning?.firstTimeNs ?? null),
    after: after && sources.indexOf(after),
  };
}

/** Those that are not over; null where what has begun can not be scanned by itself. */
function restOf(result: ScanResult, line: readonly InLine[], sources: readonly OpenSource[]): InLine[] | null {
  const { about, over, place } = result.merge!;
  const begun = about === null ? null : sources[about]!;
  if (begun && !place) return null;
  const isOver = new Set(over.map((part) => sources[part]));
  const rest: InLine[] = [];
  for (const one of line) {
    const [source, ...then] = [one.source, ...one.then].filter((each) => !isOver.has(each));
    if (!source) continue;
    if (source === begun) rest.push({ source, place, isBegun: true, then });
    else if (source === one.source) rest.push(one);
    // What it goes on from is known to the worker alone.
    else return null;
  }
  return inOrder(rest);
}

function isWorthRanges(first: InLine | undefined): boolean {
  return first?.source.kind === 'file' && first.source.sizeBytes - (first.place?.offset ?? 0) > WORTH_RANGES_BYTES;
}
