/** A receipt in the words that clients read. */
import type { Receipt } from '../engine/types.js';
import { formatEpoch } from '../units.js';

export function receiptFields(receipt: Receipt): Record<string, unknown> {
  const damage = receipt.damage.map(({ file, offsetBytes, reason, packets }) => ({
    file,
    offset_bytes: offsetBytes,
    reason,
    ...(packets !== undefined && { packets }),
  }));
  const lost = receipt.lost.map(({ kind, source, startNs, endNs, packets }) => {
    return { kind, source, start: formatEpoch(startNs), end: formatEpoch(endNs), packets };
  });
  return { ...receipt, damage, lost };
}
