/** Placeholder of `inspect` while the engine is built; replaced in a following commit. */
import type { InterfaceInfo } from '../native.js';
import type { Damage, Progress, Source } from './types.js';

/** What a walk over a whole capture file tells; times null without any timed packet. */
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

export async function inspect(
  _source: Source,
  _options?: { workers?: number; signal?: AbortSignal; onProgress?: (progress: Progress) => void },
): Promise<SourceReport> {
  throw new Error('not built yet');
}
