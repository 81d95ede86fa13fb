/** What capture lost of an interface, when and why: the file `losses` of its folder (native/capture/losses.h). */
import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Loss } from '../engine/lane.js';
import type { TimeWindow } from '../engine/types.js';
import { crc32c } from '../native.js';

const MAGIC = 'SPILLOSS';
const VERSION = 1;
const HEADER_BYTES = 16;
const RECORD_BYTES = 48;
/** Decoded at once, in about a millisecond. */
const PART_RECORDS = 1024;
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

/** The same in parts of a thousand: a file that grew for months takes a while. Its beginning comes first. */
export async function* lossesInParts(folder: string, source: string): AsyncGenerator<Loss[]> {
  const file = await open(join(folder, 'losses')).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  });
  if (!file) return;
  try {
    const { bytesRead, buffer: header } = await file.read(Buffer.alloc(HEADER_BYTES), 0, HEADER_BYTES, 0);
    if (!isHeader(header.subarray(0, bytesRead))) return;
    const buffer = Buffer.allocUnsafe(PART_RECORDS * RECORD_BYTES);
    for (let at = HEADER_BYTES; ;) {
      const part = await file.read(buffer, 0, buffer.length, at);
      const whole = part.bytesRead - (part.bytesRead % RECORD_BYTES);
      const { losses, isDamaged } = decodeRecords(buffer.subarray(0, whole), source);
      if (losses.length > 0) yield losses;
      if (isDamaged || whole === 0) return;
      at += whole;
    }
  } finally {
    await file.close();
  }
}

/** Every whole record; ends at the first that is not. */
export function decodeLosses(file: Buffer, source: string): Loss[] {
  return isHeader(file) ? decodeRecords(file.subarray(HEADER_BYTES), source).losses : [];
}

function isHeader(file: Buffer): boolean {
  return file.length >= HEADER_BYTES && file.toString('latin1', 0, 8) === MAGIC && file.readUInt32LE(8) === VERSION;
}

function decodeRecords(records: Buffer, source: string): { losses: Loss[]; isDamaged: boolean } {
  const losses: Loss[] = [];
  for (let at = 0; at + RECORD_BYTES <= records.length; at += RECORD_BYTES) {
    const record = records.subarray(at, at + RECORD_BYTES);
    if (crc32c(record.subarray(4), 0) !== record.readUInt32LE(0)) return { losses, isDamaged: true };
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
  return { losses, isDamaged: false };
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
