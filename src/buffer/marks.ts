/** How far a segment under construction can be read: the page `marks` that a capture publishes (native/capture/marks.h). */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32c } from '../native.js';

export interface Marks {
  segmentId: bigint;
  visibleBytes: number;
  durableBytes: number;
  /** Within the visible bytes, and their times; smallest > largest, or both 0, while there are none. */
  packets: bigint;
  smallestNs: bigint;
  largestNs: bigint;
  packetsStored: bigint;
  lostRing: bigint;
  lostQueue: bigint;
  lostDisk: bigint;
  /** Every packet that came more than half a second before this is visible or lost. */
  committedAtNs: bigint;
  state: CaptureState;
}

const STATES = ['stopped', 'capturing', 'link_down', 'link_gone', 'disk_full', 'disk_error'] as const;
export type CaptureState = (typeof STATES)[number];

const MAGIC = 'SPILMARK';
const VERSION = 1;
const SLOTS = [64, 192];
const SLOT_BYTES = 128;
/** A slot is written in a moment; a page without a whole one was read in that moment. */
const TRIES = 5;

/** The marks of an interface's folder; null where there are none. */
export async function readMarks(folder: string): Promise<Marks | null> {
  for (let left = TRIES; left > 0; left--) {
    const page = await readFile(join(folder, 'marks')).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
      throw error;
    });
    if (page === null) return null;
    const marks = decodeMarks(page);
    if (marks) return marks;
  }
  return null;
}

export function decodeMarks(page: Buffer): Marks | null {
  if (page.length < SLOTS[1]! + SLOT_BYTES || page.toString('latin1', 0, 8) !== MAGIC || page.readUInt32LE(8) !== VERSION) return null;
  const whole = SLOTS.map((at) => page.subarray(at, at + SLOT_BYTES)).filter((slot) => crc32c(slot.subarray(0, 124), 0) === slot.readUInt32LE(124));
  // An empty slot sums up, too; its sequence is 0.
  const [latest] = whole.filter((slot) => slot.readBigUInt64LE(0) > 0n).sort((a, b) => (a.readBigUInt64LE(0) < b.readBigUInt64LE(0) ? 1 : -1));
  if (!latest) return null;
  return {
    segmentId: latest.readBigUInt64LE(8),
    visibleBytes: Number(latest.readBigUInt64LE(16)),
    durableBytes: Number(latest.readBigUInt64LE(24)),
    packets: latest.readBigUInt64LE(32),
    smallestNs: latest.readBigInt64LE(40),
    largestNs: latest.readBigInt64LE(48),
    packetsStored: latest.readBigUInt64LE(56),
    lostRing: latest.readBigUInt64LE(64),
    lostQueue: latest.readBigUInt64LE(72),
    lostDisk: latest.readBigUInt64LE(80),
    committedAtNs: latest.readBigInt64LE(88),
    state: STATES[latest.readUInt32LE(112)] ?? 'stopped',
  };
}
