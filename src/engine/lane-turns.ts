/** Asks a lane what follows, and says in the output what is missing. */
import { statisticsBlock } from '../native.js';
import type { Piece, ScanContext } from './context.js';
import { withStretch, type InLine, type LaneInLine } from './in-line.js';
import type { FileIndex } from './indexes.js';
import type { Loss, Missed } from './lane.js';
import { askIndex } from './scan-indexed.js';

/**
 * The lane with what can be read of it next; without, where nothing can at the moment, and null where nothing follows. Whole files
 * may be left out by their indexes where `onLeftOut` is there, which is told the largest time in each.
 */
export async function* nextOf(one: InLine, onLeftOut: ((maxTimeNs: bigint) => void) | null, context: ScanContext): AsyncGenerator<Piece, InLine | null> {
  for (;;) {
    const turn = await one.lane!.lane.next(onLeftOut && ((index, sizeBytes) => nothingIn(index, sizeBytes, onLeftOut, context)));
    if (turn === null) return null;
    if ('source' in turn) return withStretch(one, turn);
    if ('idleUntilNs' in turn) return { ...one, source: null, place: null, isBegun: false, headNs: turn.idleUntilNs };
    if ('damage' in turn) context.totals.damage.push(turn.damage);
    else yield* tellMissed(one, turn, context);
  }
}

/** The index says that nothing of its file is wanted; all of that is then decided on. */
function nothingIn(index: FileIndex, sizeBytes: number, onLeftOut: (maxTimeNs: bigint) => void, context: ScanContext): boolean {
  const answer = askIndex({ index, sizeBytes }, context, { descriptions: false });
  if (!answer || answer.ranges.length > 0 || answer.end < sizeBytes) return false;
  context.totals.skip(answer);
  context.addBytesIn(sizeBytes);
  if (answer.maxTime !== null) onLeftOut(answer.maxTime);
  return true;
}

function* tellMissed(one: InLine, { missedPackets, startNs, endNs }: Missed, context: ScanContext): Generator<Piece> {
  const loss: Loss = { kind: 'overwritten', source: one.name, startNs, endNs, packets: missedPackets };
  context.totals.losses.push(loss);
  yield* statistics(one.lane!, [loss], 'packets were let go of before they could be read', context);
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
