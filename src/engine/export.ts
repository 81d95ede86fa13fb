/** The engine's face: an export from request to receipt. */
import { estimate, type Estimate } from './estimate.js';
import { explain, type FilterExplained } from './explain.js';
import { closeAll, makePlan, type Plan, type PrepareOptions } from './plan.js';
import { borrowPool, threadsFor } from './pool.js';
import { receiptOf } from './receipt.js';
import { giveBackSlots, slotCount, takeSlots } from './slots.js';
import { streamOut, type Passage } from './stream-out.js';
import type { Totals } from './totals.js';
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
    estimate: async () => {
      if (plan.dissected.length === 0) return estimate(plan, options.pool);
      const { estimateDissected } = await import('./estimate-dissected.js');
      return estimateDissected(plan, options.pool);
    },
    explain: () => explain(plan, options.pool),
    run: (sink, runOptions = {}) => runPlan(plan, sink, runOptions, options),
    close: () => closeAll(plan.sources),
  };
}

async function runPlan(plan: Plan, sink: Sink, options: RunOptions, prepared: PrepareOptions): Promise<Receipt> {
  const threads = threadsFor(plan.bytesTotal, options.workers);
  const pool = borrowPool(threads, prepared.pool);
  const slots = takeSlots(slotCount(threads));
  const meter = new ProgressMeter(plan, options.onProgress);
  const passage: Passage = {
    pool,
    slots,
    signal: options.signal,
    chosen: null,
    onMoved: (bytesIn, bytesOut, totals) => meter.tell(bytesIn, bytesOut, totals),
    check: () => undefined,
  };
  try {
    const answered = plan.dissected.length === 0 ? plan : await answeredBy(plan, sink, passage, meter, prepared);
    return receiptOf(await streamOut(answered, sink, passage), plan.filters.warnings);
  } finally {
    await pool.close();
    giveBackSlots(slots);
    await closeAll(plan.sources);
  }
}

/** How display filters are answered, which is found out before there is any output: by programs, or by what tshark chooses. */
async function answeredBy(plan: Plan, sink: Sink, passage: Passage, meter: ProgressMeter, { dissect }: PrepareOptions): Promise<Plan> {
  const { pool, slots, signal } = passage;
  const reading = { pool, slots, signal, onMoved: (bytesIn: number) => meter.tellLooked(bytesIn) };
  try {
    const [{ isCertain }, { withTwins }] = await Promise.all([import('./proof.js'), import('./twins.js')]);
    if (plan.translated && (await withTwins(plan, (twin) => isCertain(twin, reading)))) return { ...plan, filters: plan.translated };
    const { choose, checkNumbered } = await import('./choose.js');
    const chosen = await withTwins(plan, (twin) => choose(twin, { ...reading, limits: dissect }));
    Object.assign(passage, { chosen, check: (totals: Totals) => checkNumbered(totals, chosen) });
    return plan;
  } catch (error) {
    await sink.abort();
    throw error;
  }
}

/** Tells how far the export is. Where sources are read twice, either time is half of it. */
class ProgressMeter {
  private lookedBytes = 0;

  constructor(
    private readonly plan: Plan,
    private readonly report: ((progress: Progress) => void) | undefined,
  ) {}

  /** The first of two times. */
  tellLooked(bytesIn: number): void {
    // What was looked at in vain is looked at once more.
    this.lookedBytes = Math.max(this.lookedBytes, bytesIn);
    this.tell(0, 0, NOTHING);
  }

  tell(bytesIn: number, outBytes: number, { packetsRead, packetsInWindows, packetsOut }: Counted): void {
    const bytesDone = this.plan.dissected.length > 0 ? Math.floor((this.lookedBytes + bytesIn) / 2) : bytesIn;
    this.report?.({ bytesDone, bytesTotal: this.plan.bytesTotal, packetsRead, packetsInWindows, packetsOut, outBytes });
  }
}

type Counted = Pick<Progress, 'packetsRead' | 'packetsInWindows' | 'packetsOut'>;
const NOTHING: Counted = { packetsRead: 0n, packetsInWindows: 0n, packetsOut: 0n };
