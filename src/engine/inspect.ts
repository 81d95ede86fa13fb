/** What a walk over a whole capture file tells. */
import { SpillwayError } from '../errors.js';
import type { InterfaceInfo, SourceInfo } from '../native.js';
import { ScanContext } from './context.js';
import { Filters } from './filters.js';
import { borrowPool, threadsFor, type Pool } from './pool.js';
import { scan } from './scan.js';
import { slotCount } from './slots.js';
import type { OpenSource } from './open-source.js';
import { notACapture, openSource } from './source.js';
import type { ScanResult } from './tasks.js';
import { Totals } from './totals.js';
import type { Damage, FileSource, Progress } from './types.js';

/** Times are null without any timed packet. */
export interface SourceReport {
  name: string;
  sizeBytes: number | null;
  compression: 'gzip' | 'zstd' | null;
  container: 'pcap' | 'pcapng';
  byteOrder: 'little' | 'big';
  version: [number, number];
  timeUnit: 'us' | 'ns' | null;
  sections: number;
  interfaces: InterfaceInfo[];
  packets: bigint;
  capturedBytes: bigint;
  wireBytes: bigint;
  /** Smallest and largest time, and times of the first and last packet in file order. */
  minTimeNs: bigint | null;
  maxTimeNs: bigint | null;
  firstTimeNs: bigint | null;
  lastTimeNs: bigint | null;
  packetsWithoutTime: bigint;
  timesClamped: bigint;
  blocksSkipped: bigint;
  damage: Damage | null;
}

export interface InspectOptions {
  /** Threads that the caller keeps; default: the scan's own. */
  pool?: Pool;
  workers?: number;
  signal?: AbortSignal;
  onProgress?: (progress: Progress) => void;
}

export async function inspect(source: FileSource, options: InspectOptions = {}): Promise<SourceReport> {
  const opened = await openSource(source);
  try {
    return await inspectOpen(opened, options);
  } finally {
    await opened.close();
  }
}

export async function inspectOpen(source: OpenSource, options: InspectOptions = {}): Promise<SourceReport> {
  const threads = threadsFor(source.sizeBytes, options.workers);
  const pool = borrowPool(threads, options.pool);
  const totals = new Totals();
  const interfaces = new InterfaceTable();
  // Nothing is written to them.
  const slots = Array.from({ length: slotCount(threads) }, () => new Uint8Array(1));
  const rules = { packets: 0n, capturedBytes: 0n, durationNs: 0n };
  const context = new ScanContext(
    pool,
    new Filters([], () => Promise.reject(new Error('no filters'))),
    'none',
    0,
    new BigInt64Array(0),
    rules,
    totals,
    slots,
    (result, base) => {
      interfaces.add(result, base);
      options.onProgress?.({
        bytesDone: context.bytesIn(),
        bytesTotal: source.sizeBytes,
        packetsRead: totals.packetsRead,
        packetsInWindows: totals.packetsRead,
        packetsOut: 0n,
        outBytes: 0,
      });
    },
  );
  const cancel = (): void => context.cancel();
  options.signal?.addEventListener('abort', cancel);
  if (options.signal?.aborted) cancel();
  try {
    for await (const piece of scan([{ name: source.name, rank: 0, source, lane: null, beginning: source.beginning }], context)) void piece;
  } finally {
    options.signal?.removeEventListener('abort', cancel);
    await pool.close();
  }
  return report(source, totals, interfaces);
}

/** The interfaces of all results, by their number in the whole source. */
class InterfaceTable {
  readonly interfaces: InterfaceInfo[] = [];
  info: SourceInfo | null = null;
  private sections = 0;
  private first = true;

  /** A result lists the interfaces of the section it began in, and those it met. */
  add(result: ScanResult, base: number): void {
    if (!result.info) return;
    // All results but the first begin inside a section that was counted before.
    this.sections += this.first ? result.info.sections : Math.max(0, result.info.sections - 1);
    if (this.first) this.info = result.info;
    this.first = false;
    for (const [i, seen] of result.info.interfaces.entries()) {
      const known = this.interfaces[base + i];
      if (known) known.packets += seen.packets;
      else this.interfaces[base + i] = { ...seen };
    }
  }

  sectionCount(): number {
    return this.sections;
  }
}

function report(source: OpenSource, totals: Totals, table: InterfaceTable): SourceReport {
  const info = table.info;
  if (!info?.container || !info.byteOrder || !info.version) throw notACapture(source.name, totals.damage[0]?.reason ?? 'nothing could be read');
  if (totals.stoppedBy) throw new SpillwayError('INTERNAL', 'a walk without stop rules was stopped by one');
  const timed = totals.minTime <= totals.maxTime;
  return {
    name: source.name,
    sizeBytes: source.beginning ? source.sizeBytes : null,
    compression: source.compression === 'detect' ? null : source.compression,
    container: info.container,
    byteOrder: info.byteOrder,
    version: info.version,
    timeUnit: info.timeUnit,
    sections: table.sectionCount(),
    interfaces: table.interfaces,
    packets: totals.packetsRead,
    capturedBytes: totals.capturedBytesRead,
    wireBytes: totals.wireBytesRead,
    minTimeNs: timed ? totals.minTime : null,
    maxTimeNs: timed ? totals.maxTime : null,
    firstTimeNs: totals.firstTime,
    lastTimeNs: totals.lastTime,
    packetsWithoutTime: totals.packetsWithoutTime,
    timesClamped: totals.timesClamped,
    blocksSkipped: totals.blocksSkipped,
    damage: totals.damage[0] ?? null,
  };
}
