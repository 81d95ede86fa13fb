/** The engine's face: an export from request to receipt. */
import { SpillwayError } from '../errors.js';
import { crc32c, fileHeader } from '../native.js';
import { ScanContext, type Piece } from './context.js';
import { estimate, type Estimate } from './estimate.js';
import { explain, type FilterExplained } from './explain.js';
import { closeAll, makePlan, type Plan, type PrepareOptions } from './plan.js';
import { borrowPool, threadsFor, type Pool } from './pool.js';
import { receiptOf } from './receipt.js';
import { Coalescer, scan } from './scan.js';
import { withComment } from './section-options.js';
import { giveBackSlots, slotCount, takeSlots } from './slots.js';
import { Totals } from './totals.js';
import type { ExportRequest, Progress, Receipt, Sink } from './types.js';

export interface RunOptions {
  /** Worker threads that scan; results never depend on it. Default: as many as cores, at most 4; 0 for a small file. */
  workers?: number;
  /** Ends the scan between two steps; the sink is aborted and the promise rejects with CANCELLED. */
  signal?: AbortSignal;
  onProgress?: (progress: Progress) => void;
}

/** A request whose sources were opened, filters compiled and limits checked; nothing is written yet. */
export interface PreparedExport {
  /** Bytes of input planned (0 for a stream). */
  readonly bytesTotal: number;
  /** Every packet goes out: nothing selects. */
  readonly copiesAll: boolean;
  /** Link types known so far. */
  readonly linkTypes: number[];
  /** Such as "expression rejects all packets"; may grow while the export runs. */
  readonly warnings: string[];
  /** What it will give, before it runs. Takes up to some seconds where there are many indexes. */
  estimate(): Promise<Estimate>;
  /** How each filter is answered, and what it gives by itself. Takes as long as an estimate for each. */
  explain(): Promise<FilterExplained[]>;
  /** Streams the export into the sink; call once. Calls sink.finish() or sink.abort() itself. */
  run(sink: Sink, options?: RunOptions): Promise<Receipt>;
  /** Frees descriptors; safe to call at any time but while it runs. */
  close(): Promise<void>;
}

export async function prepareExport(request: ExportRequest, options: PrepareOptions = {}): Promise<PreparedExport> {
  const plan = await makePlan(request, options);
  return {
    bytesTotal: plan.bytesTotal,
    copiesAll: request.filters.length === 0 && plan.windowsNs.length === 0,
    linkTypes: plan.linkTypes,
    warnings: plan.filters.warnings,
    estimate: () => estimate(plan, options.pool),
    explain: () => explain(plan, options.pool),
    run: (sink, runOptions = {}) => runPlan(plan, sink, runOptions, options.pool),
    close: () => closeAll(plan.sources),
  };
}

async function runPlan(plan: Plan, sink: Sink, options: RunOptions, kept: Pool | undefined): Promise<Receipt> {
  const { request } = plan;
  const threads = threadsFor(plan.bytesTotal, options.workers);
  const pool = borrowPool(threads, kept);
  const slots = takeSlots(slotCount(threads));
  const totals = new Totals();
  const progress = new ProgressMeter(plan, totals, options.onProgress);
  const context = new ScanContext(
    pool,
    plan.filters,
    request.format,
    request.snapLengthBytes,
    plan.windowsNs,
    request.limits,
    totals,
    [...slots],
    () => progress.moved(),
  );
  const cancel = (): void => context.cancel();
  options.signal?.addEventListener('abort', cancel);
  if (options.signal?.aborted) cancel();
  let sent = 0n;
  const out = new Coalescer(async (bytes) => {
    await sink.write(bytes);
    sent += BigInt(bytes.length);
    progress.sent(Number(sent));
  });
  try {
    progress.context = context;
    const pieces = scan(plan.sources, context);
    for await (const piece of withHeader(pieces, plan, totals)) await out.add(piece.bytes, piece.flush);
    await out.flush();
    checkSent(totals, sent, request.format);
    progress.finished();
    await sink.finish();
  } catch (error) {
    await sink.abort();
    // What fails because the export was cancelled is the cancellation.
    if (options.signal?.aborted) throw new SpillwayError('CANCELLED', 'the export was cancelled');
    throw error;
  } finally {
    options.signal?.removeEventListener('abort', cancel);
    context.cancel();
    await pool.close();
    giveBackSlots(slots);
    await closeAll(plan.sources);
  }
  return receiptOf(totals, plan.filters.warnings);
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

class ProgressMeter {
  context: ScanContext | null = null;
  private outBytes = 0;

  constructor(
    private readonly plan: Plan,
    private readonly totals: Totals,
    private readonly report: ((progress: Progress) => void) | undefined,
  ) {}

  moved(): void {
    this.tell(this.context?.bytesIn() ?? 0);
  }

  sent(bytes: number): void {
    this.outBytes = bytes;
    this.moved();
  }

  finished(): void {
    this.tell(this.plan.bytesTotal);
  }

  private tell(bytesDone: number): void {
    this.report?.({
      bytesDone,
      bytesTotal: this.plan.bytesTotal,
      packetsRead: this.totals.packetsRead,
      packetsInWindows: this.totals.packetsInWindows,
      packetsOut: this.totals.packetsOut,
      outBytes: this.outBytes,
    });
  }
}
