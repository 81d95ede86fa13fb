/** `--dry-run`: what an export would give, and nothing of it. */
import type { Bounds, Estimate } from '../engine/estimate.js';
import type { PreparedExport } from '../engine/export.js';
import { formatSize } from '../units.js';
import type { Io } from './io.js';

export async function dryRun(prepared: PreparedExport, asJson: boolean, io: Io): Promise<number> {
  try {
    const estimate = await prepared.estimate();
    io.stdout.write(asJson ? `${estimateJson(estimate)}\n` : `${estimateText(estimate)}\n`);
    return 0;
  } finally {
    await prepared.close();
  }
}

export function estimateText({ packets, bytes, bytesToRead, bytesSkipped, seconds }: Estimate): string {
  const skipped = bytesSkipped > 0 ? `, ${formatSize(bytesSkipped)} skipped by index` : '';
  return [
    `packets  ${range(packets, String)}`,
    `bytes    ${range(bytes, (n) => formatSize(Number(n)))}`,
    `reads    ${formatSize(bytesToRead)}${skipped}; about ${seconds < 0.01 ? 'no time' : `${seconds.toFixed(2)} s`}`,
  ].join('\n');
}

function range({ low, likely, high }: Bounds, show: (n: bigint) => string): string {
  if (low === high) return show(low);
  return `about ${show(likely)}; at least ${show(low)}${high === null ? '' : `, at most ${show(high)}`}`;
}

function estimateJson({ packets, bytes, bytesToRead, bytesSkipped, blocks, blocksToRead, seconds }: Estimate): string {
  const told = { packets, bytes, bytes_to_read: bytesToRead, bytes_skipped: bytesSkipped, blocks, blocks_to_read: blocksToRead, seconds };
  return JSON.stringify(told, (_, value: unknown) => (typeof value === 'bigint' ? Number(value) : value));
}
