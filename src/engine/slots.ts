/**
 * Output slots: shared memory that workers fill and sinks empty. They are kept and used again, as many as were ever needed
 * at once: the garbage collector hardly sees memory outside its heap, least of all that which an idle thread has seen, and a
 * probe that makes new slots for each export would grow for ever.
 */
import { adviseLargePages, dropPages } from '../native.js';
import { LARGE_PAGE_BYTES, SLOT_BYTES } from './limits.js';

/** Slots that keep their pages while nobody uses them: those of one scan on two cores. New pages cost more than what is written to them. */
const FILLED_SLOTS = 5;

/** Those with pages are at the end. */
const kept: Uint8Array[] = [];
let filled = 0;

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
  return Array.from({ length: count }, () => {
    if (filled > 0) filled -= 1;
    return kept.pop() ?? newSlot(SLOT_BYTES);
  });
}

/** Only when no worker and no sink uses them any more. */
export function giveBackSlots(slots: readonly Uint8Array[]): void {
  for (const slot of slots) {
    if (filled < FILLED_SLOTS) {
      filled += 1;
      kept.push(slot);
    } else {
      dropPages(slot);
      kept.unshift(slot);
    }
  }
}
