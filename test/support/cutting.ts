/**
 * Engine limits that a test may change while it runs, so that small files are cut into many extents and steps. Use:
 *
 *   vi.mock('../../src/engine/limits.js', async (original) => (await import('../support/cutting.js')).changeable(await original()));
 *
 * and without worker threads: those load the built code, with the limits as they are.
 */
import fc from 'fast-check';
import type * as limits from '../../src/engine/limits.js';

export interface Cutting {
  EXTENT_BYTES: number;
  STEP_BYTES: number;
  SLOT_BYTES: number;
  COALESCE_BYTES: number;
  LEAST_MERGE_BUFFER_BYTES: number;
  MOST_MERGE_BUFFER_BYTES: number;
  MERGE_NEWS_BYTES: number;
  WORTH_RANGES_BYTES: number;
}

let present: Partial<Cutting> = {};

/** From now on; nothing: as they are. */
export function cutInto(cutting: Partial<Cutting>): void {
  present = cutting;
}

export function changeable(real: typeof limits): typeof limits {
  return new Proxy(real, { get: (target, name) => Reflect.get(present, name) ?? Reflect.get(target, name) });
}

/** Slots hold less than an extent gives, too, but always the description of an interface that a pcap file gets in PCAPNG. */
export const cutting: fc.Arbitrary<Cutting> = fc.record({
  EXTENT_BYTES: fc.integer({ min: 1, max: 5000 }),
  STEP_BYTES: fc.integer({ min: 1, max: 5000 }),
  SLOT_BYTES: fc.integer({ min: 64, max: 8000 }),
  COALESCE_BYTES: fc.integer({ min: 1, max: 5000 }),
  LEAST_MERGE_BUFFER_BYTES: fc.constant(1),
  MOST_MERGE_BUFFER_BYTES: fc.integer({ min: 1, max: 5000 }),
  MERGE_NEWS_BYTES: fc.integer({ min: 1, max: 5000 }),
  WORTH_RANGES_BYTES: fc.integer({ min: 0, max: 3000 }),
});
