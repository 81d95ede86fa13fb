/** A receipt as the command line tells it: JSON for programs, sentences for people. */
import type { Damage, Receipt } from '../engine/types.js';
import { writeJson } from '../export/json.js';
import { receiptFields } from '../export/receipt-fields.js';
import { formatEpoch, formatRate, formatSize } from '../units.js';

type Range = { first_ns: bigint; last_ns: bigint } | null;

const range = (times: Range): { first: string; last: string } | null =>
  times && { first: formatEpoch(times.first_ns), last: formatEpoch(times.last_ns) };

/** One line; counts are exact integers, times are seconds since 1970 with nine decimals, as text. */
export function receiptJson(receipt: Receipt): string {
  return writeJson({ ...receiptFields(receipt), exported_range: range(receipt.exported_range), source_range: range(receipt.source_range) });
}

export function damageSentence({ file, offsetBytes, reason, packets }: Damage): string {
  return `${file}: damaged at byte ${offsetBytes}: ${reason}; every whole packet ${packets === undefined ? 'before it' : 'outside it'} was used`;
}

/** What a person at a terminal wants to see at the end. */
export function summary(receipt: Receipt, output: string, bytesRead: number, seconds: number): string {
  const { packets_exported: packets, packets_read: read, bytes_exported: bytes, stopped_by: stoppedBy } = receipt;
  const stopped = stoppedBy === null ? '' : `, stopped by the limit on ${stoppedBy}`;
  const rate = bytesRead > 0 ? `, ${formatRate(bytesRead, seconds)}` : '';
  return `${packets} of ${read} packets (${formatSize(Number(bytes))}) to ${output} in ${seconds.toFixed(2)} s${rate}${stopped}`;
}
