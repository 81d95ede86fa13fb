/** An estimate in the words that clients read. */
import type { Estimate } from '../engine/estimate.js';
import type { Stats } from './schema.js';

export function estimateFields(estimate: Estimate): Record<string, unknown> {
  const { packets, bytes, bytesToRead, bytesSkipped, blocks, blocksToRead, seconds } = estimate;
  return {
    packets,
    bytes,
    bytes_to_read: bytesToRead,
    bytes_skipped: bytesSkipped,
    blocks,
    blocks_to_read: blocksToRead,
    seconds: Math.round(seconds * 1000) / 1000,
  };
}

/** What of it stands in the statistics of an export. */
export function estimatedStats({ packets, bytes }: Estimate): Partial<Stats> {
  return { estimated_packets: packets.likely, estimated_bytes: bytes.likely };
}
