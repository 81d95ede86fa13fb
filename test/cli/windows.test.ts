import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hasRelativeTime, parseInterval, parseOuterRange, timeWindows, type TimeRange } from '../../src/cli/windows.js';
import type { TimeWindow } from '../../src/engine/types.js';

const S = 1_000_000_000n;
const everything = parseOuterRange(undefined, undefined);

describe('intervals', () => {
  it.each([
    ['1..2', { ns: S }, { ns: 2n * S }],
    ['1.5..2.5', { ns: 1_500_000_000n }, { ns: 2_500_000_000n }],
    ['..2', null, { ns: 2n * S }],
    ['1..', { ns: S }, null],
    ['-20m..-10m', { relativeNs: -1200n * S }, { relativeNs: -600n * S }],
    ['1970-01-01T00:00:01Z..-10m', { ns: S }, { relativeNs: -600n * S }],
  ])('%s', (text, start, end) => {
    expect(parseInterval(text)).toMatchObject({ start, end });
  });

  it.each(['', '1', '..', '1.2', '1..2..3', '1 .. 2', '...', '1...2', 'a..b'])('%j is refused', (text) => {
    expect(() => parseInterval(text)).toThrow(expect.objectContaining({ code: 'TIME_INVALID' }));
  });

  it('tells which need the last packet', () => {
    expect(hasRelativeTime([everything, parseInterval('1..2')])).toBe(false);
    expect(hasRelativeTime([parseOuterRange('-1s', undefined)])).toBe(true);
    expect(hasRelativeTime([everything, parseInterval('1..2'), parseInterval('..-1s')])).toBe(true);
  });
});

describe('windows', () => {
  it('are none where nothing is asked', () => {
    expect(timeWindows(everything, [], 0n)).toEqual([]);
  });

  it('count relative times from the last packet', () => {
    expect(timeWindows(parseOuterRange('-10s', '-5s'), [], 100n * S)).toEqual([{ startNs: 90n * S, endNs: 95n * S }]);
  });

  it.each([
    ['2', '1', []],
    ['-1s', '-2s', []],
    [undefined, undefined, ['2..1']],
    ['1', '2', ['4..5', '7..6']],
  ])('refuse --from %s --to %s --interval %j', (from, to, intervals) => {
    expect(() => timeWindows(parseOuterRange(from, to), intervals.map(parseInterval), 0n)).toThrow(
      expect.objectContaining({ code: 'TIME_INVALID', message: expect.stringContaining('ends before it begins') }),
    );
  });

  it('hold a time exactly when the outer range and one of the intervals do', () => {
    const time = fc.option(fc.bigInt({ min: 0n, max: 20n }), { nil: null });
    const range = fc
      .tuple(time, time)
      .filter(([a, b]) => a === null || b === null || a <= b)
      .map(([a, b]): TimeRange => ({ name: '', start: a === null ? null : { ns: a }, end: b === null ? null : { ns: b } }));
    const holds = (r: TimeWindow, t: bigint): boolean => (r.startNs === null || r.startNs <= t) && (r.endNs === null || t < r.endNs);
    const ns = ({ start, end }: TimeRange): TimeWindow => ({
      startNs: start && (start as { ns: bigint }).ns,
      endNs: end && (end as { ns: bigint }).ns,
    });
    fc.assert(
      fc.property(range, fc.array(range, { maxLength: 4 }), fc.bigInt({ min: -1n, max: 21n }), (outer, intervals, t) => {
        const windows = timeWindows(outer, intervals, 0n);
        const given = windows.length === 0 || windows.some((window) => holds(window, t));
        const asked = holds(ns(outer), t) && (intervals.length === 0 || intervals.some((interval) => holds(ns(interval), t)));
        return given === asked;
      }),
      { numRuns: 2000 },
    );
  });
});
