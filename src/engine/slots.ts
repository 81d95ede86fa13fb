/**
 * Output slots: shared memory that workers fill and sinks empty. They are kept and used again: the garbage collector
 * hardly sees memory outside its heap, and a probe that makes new slots for each export would grow for a long time.
 */
import { SLOT_BYTES } from './limits.js';

/** Slots that are kept while nobody uses them: those of two scans on two cores. */
const KEPT_SLOTS = 10;

const kept: SharedArrayBuffer[] = [];

/** How many slots a scan works with: two for each thread, and one on its way out. */
export function slotCount(threads: number): number {
  return 2 * Math.max(threads, 1) + 1;
}

export function takeSlots(count: number): SharedArrayBuffer[] {
  return Array.from({ length: count }, () => kept.pop() ?? new SharedArrayBuffer(SLOT_BYTES));
}

/** Only when no worker and no sink uses them any more. */
export function giveBackSlots(slots: readonly SharedArrayBuffer[]): void {
  for (const slot of slots) if (kept.length < KEPT_SLOTS && slot.byteLength === SLOT_BYTES) kept.push(slot);
}
