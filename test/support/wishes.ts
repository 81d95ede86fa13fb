/** What may be asked of an export, at random, for captures of arbitrary.ts. */
import fc from 'fast-check';
import { EXPORT_FORMATS } from '../../src/engine/types.js';
import { NO_LIMITS } from './engine.js';
import { FILTERS } from './model.js';

const at = fc.option(fc.bigInt({ min: 1_699_999_999_000_000_000n, max: 1_700_000_031_000_000_000n }), { nil: null, freq: 5 });
const windows = fc.array(
  fc.tuple(at, at).map(([a, b]) => (a !== null && b !== null && a > b ? { startNs: b, endNs: a } : { startNs: a, endNs: b })),
  { maxLength: 3 },
);
const none = { weight: 3, arbitrary: fc.constant(0n) };
const particular = fc.record({
  format: fc.constantFrom(...EXPORT_FORMATS),
  filters: fc.subarray(Object.keys(FILTERS), { maxLength: 2 }),
  windows,
  snapLengthBytes: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 150 })),
  limits: fc.record({
    packets: fc.oneof(none, { weight: 1, arbitrary: fc.bigInt({ min: 1n, max: 40n }) }),
    capturedBytes: fc.oneof(none, { weight: 1, arbitrary: fc.bigInt({ min: 1n, max: 5000n }) }),
    durationNs: fc.oneof(none, { weight: 1, arbitrary: fc.bigInt({ min: 1n, max: 20_000_000_000n }) }),
  }),
});

/** Everything as it is goes by ways of its own: every third wish is that. */
const everything = fc.constantFrom(...EXPORT_FORMATS).map((format) => ({ format, filters: [], windows: [], snapLengthBytes: 0, limits: NO_LIMITS }));
export const wishes = fc.oneof({ weight: 2, arbitrary: particular }, { weight: 1, arbitrary: everything });
