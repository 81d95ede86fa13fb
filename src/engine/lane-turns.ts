/** Asks a lane what follows, and says in the output what is missing. */
import { statisticsBlock, type IndexAnswer } from '../native.js';
import type { Piece, ScanContext } from './context.js';
import { withStretch, type InLine, type LaneInLine } from './in-line.js';
import type { FileIndex } from './indexes.js';
import type { Loss, Missed, Skip, Turn } from './lane.js';
import type { OpenSource } from './open-source.js';
import { askIndex, type Ahead } from './scan-indexed.js';

/**
 * The lane with what can be read of it next; without, where nothing can at the moment, and null where nothing follows. Whole files
 * may be left out by their indexes where `onLeftOut` is there, which is told the largest time in each.
 */
export async function* nextOf(
  one: InLine,
  onLeftOut: ((maxTimeNs: bigint) => void) | null,
  context: ScanContext,
): AsyncGenerator<Piece, InLine | null> {
  for (;;) {
    const turn = await takeTurn(one.lane!, onLeftOut && new Sifting(onLeftOut, context));
    if (turn === null) return null;
    if ('source' in turn) return withStretch(one, turn);
    if ('idleUntilNs' in turn) return { ...one, source: null, place: null, isBegun: false, headNs: turn.idleUntilNs };
    if ('damage' in turn) context.totals.damage.push(turn.damage);
    else yield* tellMissed(one, turn, context);
  }
}

async function takeTurn(lane: LaneInLine, sifting: Sifting | null): Promise<Turn> {
  const { waiting } = lane;
  lane.waiting = null;
  return waiting ? waiting.turn : lane.lane.next(sifting && sifting.skip);
}

/**
 * The next file of a lane of which no other source is left, while those before it are still read: one with an index of all of it, and
 * with the interfaces of those before. null where something else follows, which waits for its turn then.
 */
export async function aheadOf(lane: LaneInLine, context: ScanContext): Promise<Ahead | null> {
  if (lane.waiting || lane.base === null) return null;
  const sifting = new Sifting(() => undefined, context);
  const turn = await lane.lane.next(sifting.skip);
  lane.waiting = { turn };
  if (turn === null || !('source' in turn) || !turn.goesOn || !turn.keep) return null;
  const { source, goesOn } = turn;
  if (goesOn.offset > (source.beginning?.offset ?? 0)) return null;
  const answer = sifting.answerOf(source, goesOn.state) ?? askIndex(source, context);
  if (!answer || answer.end < source.sizeBytes) return null;
  lane.waiting = null;
  return { source, answer, from: { ...goesOn, base: lane.base }, release: turn.keep() };
}

/** Leaves out files by their indexes, and remembers what the last one answered that was not left out. */
class Sifting {
  #last: { index: FileIndex; answer: IndexAnswer } | null = null;

  constructor(
    private readonly onLeftOut: (maxTimeNs: bigint) => void,
    private readonly context: ScanContext,
  ) {}

  /** The index says that nothing of its file is wanted; all of that is then decided on. */
  readonly skip: Skip = (index, sizeBytes) => {
    const answer = askIndex({ index, sizeBytes }, this.context, { descriptions: false });
    this.#last = answer && { index, answer };
    if (!answer || answer.ranges.length > 0 || answer.end < sizeBytes) return false;
    this.context.totals.skip(answer);
    this.context.addBytesIn(sizeBytes);
    if (answer.maxTime !== null) this.onLeftOut(answer.maxTime);
    return true;
  };

  /** The answer for this file, where nothing in it describes interfaces but its header, behind which `state` is. */
  answerOf({ index, sizeBytes }: OpenSource, state: Uint8Array): IndexAnswer | null {
    const last = this.#last;
    if (!last || !index || last.index.id !== index.id || last.answer.end > sizeBytes) return null;
    const { stateOf, states } = last.answer;
    // The first range may begin with the header.
    const isSame = stateOf.every((number) => states[number]!.length === 0 || Buffer.compare(states[number]!, state) === 0);
    return isSame ? last.answer : null;
  }
}

function* tellMissed(one: InLine, { missedPackets, startNs, endNs }: Missed, context: ScanContext): Generator<Piece> {
  const loss: Loss = { kind: 'overwritten', source: one.name, startNs, endNs, packets: missedPackets };
  context.totals.losses.push(loss);
  yield* statistics(one.lane!, [loss], 'packets were let go of before they could be read', context);
}

/** In PCAPNG that tells of itself: of an interface of which nothing was lost, that it was not. */
export function* noLosses({ base }: LaneInLine, context: ScanContext): Generator<Piece> {
  const { format, filters, totals } = context;
  if (base === null || filters.interfaceComment === '' || (format !== 'pcapng_us' && format !== 'pcapng_ns')) return;
  const lastNs = totals.minTime <= totals.maxTime ? totals.maxTime : 0n;
  yield context.ownPiece(statisticsBlock(format, base, lastNs, null, null, null, 0n, 0n, null));
}

/** In PCAPNG, an interface statistics block of what was lost. */
export function* statistics({ base }: LaneInLine, losses: readonly Loss[], comment: string | null, context: ScanContext): Generator<Piece> {
  const { format } = context;
  if (base === null || losses.length === 0 || (format !== 'pcapng_us' && format !== 'pcapng_ns')) return;
  const sum = (of: readonly Loss[]): bigint => of.reduce((all, { packets }) => all + (packets ?? 0n), 0n);
  const start = losses.reduce((least, { startNs }) => (startNs < least ? startNs : least), losses[0]!.startNs);
  const end = losses.reduce((most, { endNs }) => (endNs > most ? endNs : most), losses[0]!.endNs);
  const ofSystem = losses.filter(({ kind }) => kind === 'ring');
  yield context.ownPiece(statisticsBlock(format, base, end, start, end, null, sum(losses), sum(ofSystem), comment));
}
