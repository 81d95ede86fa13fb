/** An estimate in the words that clients read. */
import type { Estimate } from '../engine/estimate.js';
import type { FilterExplained } from '../engine/explain.js';
import { linkTypeName } from '../filter/linktypes.js';
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

/** A longer program is not printed: an answer would be megabytes. */
const MOST_INSTRUCTIONS = 500;

/** What becomes of one filter. */
export function explainedFields({ language, text, engine, programs, estimate }: FilterExplained): Record<string, unknown> {
  return {
    type: language.toUpperCase(),
    value: text,
    engine,
    programs: programs.map(({ linkType, program, needs }) => ({
      link_type: linkTypeName(linkType),
      needs,
      instructions: program.length,
      ...(program.length <= MOST_INSTRUCTIONS && { program }),
    })),
    ...estimateFields(estimate),
  };
}

/** What of it stands in the statistics of an export. */
export function estimatedStats({ packets, bytes }: Estimate): Partial<Stats> {
  return { estimated_packets: packets.likely, estimated_bytes: bytes.likely };
}
