/** A plan's packets on their way into a sink, with the file header in front, counted where they go out. */
import { SpillwayError } from '../errors.js';
import { crc32c, fileHeader, type Chosen } from '../native.js';
import { ScanContext, type Piece } from './context.js';
import type { Plan } from './plan.js';
import type { Pool } from './pool.js';
import { Coalescer, scan } from './scan.js';
import { withComment } from './section-options.js';
import { Totals } from './totals.js';
import type { Sink } from './types.js';

export interface Passage {
  pool: Pool;
  slots: readonly Uint8Array[];
  signal: AbortSignal | undefined;
  /** Only these packets may go out; null: all. */
  chosen: Chosen | null;
  /** Bytes of input decided on, and of output that the sink has taken. */
  onMoved: (bytesIn: number, bytesOut: number, totals: Totals) => void;
  /** Throws where the output is not to be finished, when all of it is out. */
  check: (totals: Totals) => void;
}

/** Calls sink.finish() or sink.abort(); nothing of the plan is closed. */
export async function streamOut(plan: Plan, sink: Sink, { pool, slots, signal, chosen, onMoved, check }: Passage): Promise<Totals> {
  const { request } = plan;
  const totals = new Totals();
  let sent = 0n;
  const moved = (): void => onMoved(context.bytesIn(), Number(sent), totals);
  const context = new ScanContext(
    pool,
    plan.filters,
    request.format,
    request.snapLengthBytes,
    plan.windowsNs,
    request.limits,
    totals,
    [...slots],
    moved,
    chosen,
  );
  const cancel = (): void => context.cancel();
  signal?.addEventListener('abort', cancel);
  if (signal?.aborted) cancel();
  const out = new Coalescer(async (bytes) => {
    await sink.write(bytes);
    sent += BigInt(bytes.length);
    moved();
  });
  try {
    for await (const piece of withHeader(scan(plan.sources, context), plan, totals)) await out.add(piece.bytes, piece.flush);
    await out.flush();
    checkSent(totals, sent, request.format);
    check(totals);
    onMoved(plan.bytesTotal, Number(sent), totals);
    await sink.finish();
  } catch (error) {
    await sink.abort();
    // What fails because the export was cancelled is the cancellation.
    if (signal?.aborted) throw new SpillwayError('CANCELLED', 'the export was cancelled');
    throw error;
  } finally {
    signal?.removeEventListener('abort', cancel);
    context.cancel();
  }
  return totals;
}

/** What went out is counted where it goes out, and must be what was let through. */
function checkSent({ outBytes, packetsOut, packetsSent }: Totals, sentBytes: bigint, format: string): void {
  if (sentBytes !== outBytes) throw new SpillwayError('RECEIPT_MISMATCH', `${sentBytes} bytes were sent where ${outBytes} were written`);
  // Bare records, which tests ask for, do not say where one begins.
  if (format === 'records' || packetsSent === packetsOut) return;
  throw new SpillwayError('RECEIPT_MISMATCH', `${packetsSent} packets were sent where ${packetsOut} were let through`);
}

/** Puts the file header in front of the first piece: a pcap header needs the link type of the first packet written. */
async function* withHeader(pieces: AsyncIterable<Piece>, plan: Plan, totals: Totals): AsyncGenerator<Piece> {
  let pending = true;
  const header = (linkType: number, snapLengthBytes: number): Piece => {
    pending = false;
    const bytes = headerBytes(plan, linkType, snapLengthBytes);
    // It stands before the bytes counted so far.
    const crc = totals.crc32c;
    const counted = totals.outBytes;
    totals.crc32c = crc32c(bytes, 0);
    totals.outBytes = BigInt(bytes.length);
    totals.addBytes(crc, counted);
    return { bytes, linkType, snapLengthBytes, flush: false };
  };
  /** Before there is a packet: what the sources say of themselves. */
  const early = (): Piece => {
    const first = plan.sources.find(({ beginning }) => typeof beginning?.linkType === 'number')?.beginning;
    return header(first?.linkType ?? 1, first?.info.interfaces[0]?.snapLengthBytes ?? 0);
  };
  for await (const piece of pieces) {
    // While nothing comes, the header tells a reader that it is connected; not where it may turn out another one.
    if (pending && piece.linkType < 0 && (piece.bytes.length > 0 || isCertain(plan))) yield early();
    else if (pending && piece.bytes.length > 0) yield header(piece.linkType, piece.snapLengthBytes);
    yield piece;
  }
  if (pending) yield early();
}

/** The header is known without a packet. */
function isCertain({ request, sources, linkTypes }: Plan): boolean {
  return request.format.startsWith('pcapng_') || (linkTypes.length === 1 && sources.every(({ beginning }) => beginning));
}

/** The largest packet that PCAPNG gives: a pcap reader refuses packets that are much larger than the header says. */
const LARGEST_PACKET_BYTES = 16 << 20;

/** The largest of all sources, for readers hold packets to it; 0: not limited. `first`: that of the first packet written. */
function snapLengthOf({ sources }: Plan, first: number): number {
  const given = [
    first,
    ...(sources.length > 1 ? sources.flatMap(({ beginning }) => beginning?.info.interfaces ?? []).map((one) => one.snapLengthBytes) : []),
  ];
  const largest = given.includes(0) ? 0 : Math.max(...given);
  // PCAPNG does not hold packets to an interface's snap length, least of all where there is none.
  const pcapng = sources.some(({ beginning }) => beginning?.info.container !== 'pcap');
  return pcapng && largest === 0 ? LARGEST_PACKET_BYTES : largest;
}

function headerBytes(plan: Plan, linkType: number, givenSnapBytes: number): Uint8Array {
  const { format, snapLengthBytes, comments } = plan.request;
  const sourceSnapBytes = snapLengthOf(plan, givenSnapBytes);
  const cut = snapLengthBytes > 0 && (sourceSnapBytes === 0 || snapLengthBytes < sourceSnapBytes);
  const options = plan.sources[0]?.beginning?.sectionOptions ?? null;
  const told = comments ? withComment(comments.section, options) : options;
  return fileHeader(format, Math.max(linkType, 0), cut ? snapLengthBytes : sourceSnapBytes, told);
}
