import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { timeWindows } from '../../src/export/windows.js';
import { parseTime } from '../../src/export/times.js';
import type { TimeWindow } from '../../src/engine/types.js';
import type { Config } from '../../src/export/schema.js';
import { formatEpoch } from '../../src/units.js';

const S = 1_000_000_000n;
const config = (given: Partial<Config>): Config => ({ path: 'fs/admin/x', ...given });

describe('a time', () => {
  it.each([
    ['1', S],
    ['1613657410', 1613657410n * S],
    ['1613657410.054126', 1613657410054126000n],
    ['1.000000001', S + 1n],
    ['9999999999', 9999999999n * S],
    [undefined, null],
    ['None', null],
    ['0', null],
    ['0.000000000', null],
  ])('%s is %s', (text, ns) => expect(parseTime(text, 'config.start_time')).toBe(ns));

  it.each(['', ' 1', '-1', '1.', '.5', '1.0000000001', '1e9', '0x10', 'now', 'none', 'null', '2026-01-01T00:00:00Z', '1,5', '9'.repeat(21)])(
    '%j is none, and is named',
    (text) => {
      expect(() => parseTime(text, 'config.start_time')).toThrow(
        expect.objectContaining({ code: 'TIME_INVALID', message: expect.stringMatching(/^config\.start_time "/) }),
      );
    },
  );
});

describe('time windows', () => {
  it('are none when nothing is set', () => {
    expect(timeWindows(config({}))).toEqual([]);
    expect(timeWindows(config({ start_time: '0', end_time: 'None', time_intervals: [] }))).toEqual([]);
    expect(
      timeWindows(
        config({
          time_intervals: [
            { start_time: '5', end_time: '6' },
            { start_time: '0', end_time: '0' },
          ],
        }),
      ),
    ).toEqual([]);
  });

  it('are never none when no time can be in', () => {
    const outside = config({ start_time: '10', end_time: '20', time_intervals: [{ start_time: '20', end_time: '30' }] });
    const beyond = config({ start_time: '9999999999' });
    for (const windows of [timeWindows(outside), timeWindows(beyond), timeWindows(config({ start_time: '7', end_time: '7' }))]) {
      expect(windows.length).toBe(1);
      expect(windows[0]!.startNs).toBe(windows[0]!.endNs);
    }
  });

  it('refuse an end before its start by name', () => {
    expect(() => timeWindows(config({ start_time: '10', end_time: '9.999999999' }))).toThrow(
      'config.end_time 9.999999999 lies before config.start_time 10',
    );
    const second = [
      { start_time: '1', end_time: '2' },
      { start_time: '4', end_time: '3' },
    ];
    expect(() => timeWindows(config({ time_intervals: second }))).toThrow('config.time_intervals[1].end_time 3 lies before');
    expect(() => timeWindows(config({ time_intervals: [{ start_time: 'x', end_time: '3' }] }))).toThrow('config.time_intervals[0].start_time "x"');
  });

  it('hold a time exactly when start..end and some interval hold it', () => {
    const bound = fc.option(fc.bigInt(1n, 40n), { nil: null });
    const range = fc.tuple(bound, bound).filter(([start, end]) => start === null || end === null || start <= end);
    const text = (ns: bigint | null): string => (ns === null ? '0' : formatEpoch(ns));
    fc.assert(
      fc.property(range, fc.array(range, { maxLength: 5 }), ([start, end], intervals) => {
        const windows = timeWindows(
          config({
            start_time: text(start),
            end_time: text(end),
            time_intervals: intervals.map(([a, b]) => ({ start_time: text(a), end_time: text(b) })),
          }),
        );
        for (let t = 0n; t <= 41n; t++) {
          const inOne = (a: bigint | null, b: bigint | null): boolean => (a === null || t >= a) && (b === null || t < b);
          const expected = inOne(start, end) && (intervals.length === 0 || intervals.some(([a, b]) => inOne(a, b)));
          expect(windows.length === 0 || windows.some((w: TimeWindow) => inOne(w.startNs, w.endNs))).toBe(expected);
        }
      }),
      { numRuns: 500 },
    );
  });
});
