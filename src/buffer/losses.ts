/** What capture lost of an interface, when and why: the file `losses` of its folder (native/capture/losses.h). */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Loss } from '../engine/lane.js';
import type { TimeWindow } from '../engine/types.js';
import { crc32c } from '../native.js';

const MAGIC = 'SPILLOSS';
const VERSION = 1;
const HEADER_BYTES = 16;
const RECORD_BYTES = 48;
const UNKNOWN = 2n ** 64n - 1n;
const KINDS = [null, 'ring', 'queue', 'disk', 'link_down', 'link_gone', 'stopped'] as const;

/** A receipt is read by people: what is more is summed up. */
const MOST_LOSSES = 1000;

export async function readLosses(folder: string, source: string): Promise<Loss[]> {
  const file = await readFile(join(folder, 'losses')).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return Buffer.alloc(0);
    throw error;
  });
  return decodeLosses(file, source);
}

/** Every whole record; ends at the first that is not. */
export function decodeLosses(file: Buffer, source: string): Loss[] {
  const losses: Loss[] = [];
  if (file.length < HEADER_BYTES || file.toString('latin1', 0, 8) !== MAGIC || file.readUInt32LE(8) !== VERSION) return losses;
  for (let at = HEADER_BYTES; at + RECORD_BYTES <= file.length; at += RECORD_BYTES) {
    const record = file.subarray(at, at + RECORD_BYTES);
    if (crc32c(record.subarray(4), 0) !== record.readUInt32LE(0)) break;
    const kind = KINDS[record[4]!];
    if (!kind) continue;
    const packets = record.readBigUInt64LE(32);
    losses.push({
      kind,
      source,
      startNs: record.readBigInt64LE(16),
      endNs: record.readBigInt64LE(24),
      packets: packets === UNKNOWN ? null : packets,
    });
  }
  return losses;
}

/** Those that touch a window, in a number that can be told: the last of more are one for each kind. */
export function lossesWithin(losses: readonly Loss[], windows: readonly TimeWindow[]): Loss[] {
  const inside = losses.filter(({ startNs, endNs }) => windows.some((window) => touches(window, startNs, endNs)));
  const told = inside.slice(0, MOST_LOSSES);
  const sums = new Map<Loss['kind'], Loss>();
  for (const loss of inside.slice(MOST_LOSSES)) {
    const sum = sums.get(loss.kind);
    if (!sum) sums.set(loss.kind, { ...loss });
    else
      sums.set(loss.kind, { ...sum, endNs: loss.endNs, packets: sum.packets === null || loss.packets === null ? null : sum.packets + loss.packets });
  }
  return [...told, ...sums.values()];
}

/** A loss of one moment counts where that moment lies. */
function touches({ startNs, endNs }: TimeWindow, lossStart: bigint, lossEnd: bigint): boolean {
  const last = lossEnd > lossStart ? lossEnd - 1n : lossStart;
  return (startNs === null || last >= startNs) && (endNs === null || lossStart < endNs);
}
