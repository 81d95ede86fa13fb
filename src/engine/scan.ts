/** Runs a plan: all sources, the output in time order. */
import type { IndexAnswer } from '../native.js';
import type { Piece, ScanContext } from './context.js';
import { begun, following, inOrder, isAtBeginning, lastBefore, lineUp, type InLine, type LaneInLine, type Planned } from './in-line.js';
import { aheadOf, nextOf, noLosses, statistics } from './lane-turns.js';
import { COALESCE_BYTES } from './limits.js';
import type { OpenSource } from './open-source.js';
import { worthIt } from './merge-ranges.js';
import { scanFile, type FileScanned } from './scan-file.js';
import { askForAll, askIndex, scanIndexed } from './scan-indexed.js';
import { scanMerge } from './scan-merge.js';
import { scanStreamSource } from './scan-stream.js';

/**
 * What overlaps with nothing is scanned by itself, a file in ranges; from where a packet of the next source comes first,
 * sources are merged. The output is that of a merge of all, always.
 */
export async function* scan(sources: readonly Planned[], context: ScanContext): AsyncGenerator<Piece> {
  let line = lineUp(sources);
  let interfaces = 0;
  const lanes = line.flatMap(({ lane }) => lane ?? []);
  while (line.length > 0 && !context.totals.stoppedBy) {
    const [first, ...others] = line as [InLine, ...InLine[]];
    if (!first.source) {
      const next = yield* nextOf(first, others.length === 0 ? () => undefined : null, context);
      if (next && !next.source && others.length === 0) {
        yield context.ownPiece(NOTHING, true);
        context.refuseCancelled();
        await next.lane!.lane.changed();
      } else if (next && !next.source) {
        ({ line, interfaceCount: interfaces } = yield* scanMerge([next, ...others], interfaces, context));
        continue;
      }
      line = inOrder(next ? [next, ...others] : others);
      continue;
    }
    if (first.source.kind === 'file' && !isBetterMerged(first, others[0], context)) {
      const { place, interfaceCount } = yield* scanStretch(first, first.source, others[0], interfaces, context);
      interfaces = Math.max(interfaces, interfaceCount);
      const left = place ? begun(first, place) : following(first);
      line = inOrder(left ? [left, ...others] : others);
      if (!place || others.length === 0) continue;
    } else if (others.length === 0 && first.source.kind === 'stream') {
      yield* scanStreamSource(first.source, interfaces, context);
      return;
    }
    ({ line, interfaceCount: interfaces } = yield* scanMerge(line, interfaces, context));
  }
  for (const lane of lanes) yield* tellLosses(lane, context);
}

const NOTHING = new Uint8Array(0);

/** An index says that all of a source comes before the next. (Where it does not, sources are merged, and read by their indexes there.) */
function isBefore({ end, maxTime }: IndexAnswer, source: OpenSource, untilNs: bigint | null): boolean {
  return untilNs === null || (end >= source.sizeBytes && (maxTime === null || maxTime <= untilNs));
}

/** Its index leaves much of it out, and what is left reaches into the next. */
function isBetterMerged(first: InLine, next: InLine | undefined, context: ScanContext): boolean {
  const answer = next ? worthIt(first, context) : null;
  return answer !== null && !isBefore(answer, first.source!, lastBefore(first, next!));
}

/** A file, or what can be read of a lane, as far as it comes before the next source. */
async function* scanStretch(
  first: InLine,
  source: OpenSource,
  next: InLine | undefined,
  interfaces: number,
  context: ScanContext,
): AsyncGenerator<Piece, FileScanned> {
  const untilNs = next ? lastBefore(first, next) : null;
  const { lane, place: from } = first;
  if (lane && !from) lane.base = interfaces;
  const answer = isAtBeginning(first) ? askIndex(source, context) : null;
  if (answer && isBefore(answer, source, untilNs)) {
    const release = (!next && answer.end >= source.sizeBytes && lane?.keep?.()) || null;
    return yield* scanIndexed({ source, answer, from, release }, interfaces, null, release && (() => aheadOf(lane!, context)), context);
  }
  const all = askForAll(source);
  if (all) return yield* scanIndexed({ source, answer: all, from, release: null }, interfaces, untilNs, null, context);
  return yield* scanFile(source, first.place ?? { offset: 0, state: null, base: interfaces }, untilNs, context);
}

async function* tellLosses(one: LaneInLine, context: ScanContext): AsyncGenerator<Piece> {
  const losses = await one.lane.losses();
  context.totals.losses.push(...losses);
  if (losses.length > 0) yield* statistics(one, losses, null, context);
  else yield* noLosses(one, context);
}

/** Gathers small pieces, so that a filter that lets little through does not cause many small writes. */
export class Coalescer {
  private readonly held: Uint8Array[] = [];
  private heldBytes = 0;
  private isBegun = false;

  constructor(private readonly write: (bytes: Uint8Array) => Promise<void>) {}

  /** `bytes` may be used again once the promise resolves. */
  async add(bytes: Uint8Array, flush: boolean): Promise<void> {
    if (bytes.length < COALESCE_BYTES) {
      this.held.push(bytes.slice());
      this.heldBytes += bytes.length;
      // The header and the first packets go at once: somebody waits for them.
      if (flush || this.heldBytes >= COALESCE_BYTES || (!this.isBegun && this.held.length > 1)) await this.flush();
      return;
    }
    await this.flush();
    await this.write(bytes);
  }

  async flush(): Promise<void> {
    if (this.heldBytes === 0) return;
    this.isBegun = true;
    const all = Buffer.concat(this.held.splice(0));
    this.heldBytes = 0;
    await this.write(all);
  }
}
