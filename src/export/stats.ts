/** The statistics of an export, from what the engine tells while it runs and when it has ended. */
import type { Progress, Receipt, StopRules } from '../engine/types.js';
import type { Stats } from './schema.js';

/** Before anything has run: estimates of 0 mean "not known". */
export function firstStats(bytesTotal: number): Stats {
  return {
    dropped_packets: 0,
    estimated_bytes: 0,
    estimated_packets: 0,
    exported_bytes: 0,
    exported_packets: 0,
    processed_packets: 0,
    total_bytes: bytesTotal,
    truncated: false,
  };
}

/** While it runs: what is out so far stands for the rest of the source. */
export function runningStats(progress: Progress, limits: StopRules, before: Stats): Stats {
  const { packets, bytes } = estimate(progress, limits);
  return {
    ...before,
    estimated_bytes: bytes,
    estimated_packets: packets,
    exported_bytes: progress.outBytes,
    exported_packets: progress.packetsOut,
    processed_packets: progress.packetsInWindows,
    total_bytes: Math.max(Number(before.total_bytes), progress.bytesTotal),
  };
}

export function finalStats(receipt: Receipt, before: Stats): Stats {
  return {
    dropped_packets: receipt.packets_dropped_at_capture,
    estimated_bytes: receipt.bytes_exported,
    estimated_packets: receipt.packets_exported,
    exported_bytes: receipt.bytes_exported,
    exported_packets: receipt.packets_exported,
    processed_packets: receipt.packets_processed,
    total_bytes: before.total_bytes,
    truncated: receipt.truncated,
  };
}

function estimate({ bytesDone, bytesTotal, packetsOut, outBytes }: Progress, limits: StopRules): { packets: bigint; bytes: bigint } {
  const written = BigInt(outBytes);
  if (bytesDone <= 0 || bytesTotal < bytesDone || packetsOut === 0n) return { packets: packetsOut, bytes: written };
  const expected = (packetsOut * BigInt(bytesTotal)) / BigInt(bytesDone);
  const packets = limits.packets > 0n && expected > limits.packets ? limits.packets : expected;
  return { packets, bytes: (written * packets) / packetsOut };
}

/** Percent, for an export that has not ended: never 100, and never less than `before`. */
export function percentOf({ bytesDone, bytesTotal }: Progress, before: number): number {
  const percent = bytesTotal > 0 ? Math.floor((bytesDone / bytesTotal) * 10_000) / 100 : 0;
  return Math.max(before, Math.min(percent, 99.99));
}
