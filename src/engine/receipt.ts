/** The receipt: what became of every packet read. */
import type { Totals } from './totals.js';
import type { Receipt } from './types.js';

/** By capture, and in blocks of a buffer that are not what they were. */
function lostPackets({ losses, damage }: Totals): bigint {
  const atCapture = losses.reduce((sum, { packets }) => sum + (packets ?? 0n), 0n);
  return damage.reduce((sum, { packets }) => sum + BigInt(packets ?? 0), atCapture);
}

/** Packets of blocks that could not be read, where an index had counted them. */
function damagedPackets({ damage }: Totals): bigint {
  return damage.reduce((sum, { packets }) => sum + BigInt(packets ?? 0), 0n);
}

export function receiptOf(totals: Totals, warnings: readonly string[]): Receipt {
  const damaged = damagedPackets(totals);
  return {
    expected: { packets: totals.packetsRead + damaged, captured_bytes: totals.capturedBytesRead },
    sent: { packets: totals.packetsSent, bytes: totals.outBytes, captured_bytes: totals.capturedBytesOut },
    packets_read: totals.packetsRead,
    packets_processed: totals.packetsInWindows,
    packets_exported: totals.packetsOut,
    bytes_exported: totals.outBytes,
    captured_bytes_exported: totals.capturedBytesOut,
    left_out: {
      time: totals.packetsRead - totals.packetsInWindows,
      filter: totals.packetsInWindows - totals.packetsOut,
      limit: totals.stoppedBy === null ? 0n : null,
      damaged,
      snap_bytes: totals.capturedBytesCut,
    },
    packets_cut: totals.packetsCut,
    packets_dropped_at_capture: totals.droppedPackets + lostPackets(totals),
    lost: [...totals.losses],
    packets_without_time: totals.packetsWithoutTime,
    times_clamped: totals.timesClamped,
    blocks_skipped: totals.blocksSkipped,
    crc32c: totals.crc32c.toString(16).padStart(8, '0'),
    exported_range: totals.outMinTime <= totals.outMaxTime ? { first_ns: totals.outMinTime, last_ns: totals.outMaxTime } : null,
    source_range: totals.minTime <= totals.maxTime ? { first_ns: totals.minTime, last_ns: totals.maxTime } : null,
    truncated: totals.stoppedBy !== null || totals.damage.length > 0,
    stopped_by: totals.stoppedBy,
    damage: [...totals.damage],
    warnings: [...warnings],
  };
}
