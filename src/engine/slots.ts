/**
 * Output slots: shared memory that workers fill and sinks empty. They are kept and used again: the garbage collector
 * hardly sees memory outside its heap, and a probe that makes new slots for each export would grow for a long time.
 */
import { adviseLargePages } from '../native.js';
import { LARGE_PAGE_BYTES, SLOT_BYTES } from './limits.js';

/** Slots that are kept while nobody uses them: those of one scan on two cores. */
const KEPT_SLOTS = 5;

const kept: Uint8Array[] = [];

/** How many slots a scan works with: two for each thread, and one on its way out. */
export function slotCount(threads: number): number {
  return 2 * Math.max(threads, 1) + 1;
}

/** A slot begins with a large page: a sink may give its pages away, and new small ones are dear. */
export function newSlot(bytes: number): Uint8Array {
  const memory = new SharedArrayBuffer(bytes + LARGE_PAGE_BYTES);
  return new Uint8Array(memory, adviseLargePages(new Uint8Array(memory)), bytes);
}

export function takeSlots(count: number): Uint8Array[] {
  return Array.from({ length: count }, () => kept.pop() ?? newSlot(SLOT_BYTES));
}

/** Only when no worker and no sink uses them any more. */
export function giveBackSlots(slots: readonly Uint8Array[]): void {
  for (const slot of slots) if (kept.length < KEPT_SLOTS && slot.length === SLOT_BYTES) kept.push(slot);
}
