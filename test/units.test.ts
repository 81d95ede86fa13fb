import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SpillwayError } from '../src/errors.js';
import * as units from '../src/units.js';

function refusal(work: () => unknown): { code: string; message: string } {
  try {
    work();
  } catch (error) {
    if (error instanceof SpillwayError) return { code: error.code, message: error.message };
    throw error;
  }
  throw new Error('was accepted');
}

const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const int64FromZero = fc.bigInt({ min: 0n, max: 2n ** 63n - 1n });

describe('times', () => {
  it.each([
    ['0', 0n],
    ['1613657410', 1_613_657_410_000_000_000n],
    ['1613657410.054126', 1_613_657_410_054_126_000n],
    ['1613657410.000000001', 1_613_657_410_000_000_001n],
    ['007.5', 7_500_000_000n],
    ['9223372036.854775807', 2n ** 63n - 1n],
    ['1970-01-01T00:00:00Z', 0n],
    ['1969-12-31T23:59:59.5Z', -500_000_000n],
    ['2024-02-29T00:00:00Z', 1_709_164_800_000_000_000n],
    ['2000-02-29t00:00:00z', 951_782_400_000_000_000n],
    ['2026-05-01T12:00:00.123456789+02:00', 1_777_629_600_123_456_789n],
    ['2026-05-01 10:00:00Z', 1_777_629_600_000_000_000n],
    ['2026-05-01T00:30:00-05:30', 1_777_615_200_000_000_000n],
    ['2262-04-11T23:47:16.854775807Z', 2n ** 63n - 1n],
    ['1677-09-21T00:12:43.145224192Z', -(2n ** 63n)],
  ])('%s', (text, ns) => {
    expect(units.parseTime(text)).toEqual({ ns });
  });

  it.each([
    ['-10m', -600_000_000_000n],
    ['-1h30m', -5_400_000_000_000n],
    ['-250ms', -250_000_000n],
    ['-0s', 0n],
  ])('%s is relative', (text, relativeNs) => {
    expect(units.parseTime(text)).toEqual({ relativeNs });
  });

  it.each([
    ['', 'is no time'],
    [' 1', 'is no time'],
    ['1 ', 'is no time'],
    ['1.', 'is no time'],
    ['.5', 'is no time'],
    ['+5', 'has no unit'],
    ['+', 'is no duration'],
    ['1e9', 'is no time'],
    ['0x10', 'is no time'],
    ['10m', 'is no time'],
    ['now', 'is no time'],
    ['NaN', 'is no time'],
    ['1,5', 'is no time'],
    ['١', 'is no time'],
    ['-5', 'has no unit'],
    ['-5.5', 'has no unit'],
    ['-', 'is no duration'],
    ['--5s', 'is no duration'],
    ['-1m1h', 'the larger ones first'],
    ['1.0000000001', 'nine decimals'],
    ['9223372036.854775808', 'further from 1970'],
    ['9'.repeat(400), 'further from 1970'],
    ['2026-05-01T12:00:00', 'has no offset'],
    ['2026-05-01', 'is no date and time'],
    ['2026-05-01T12:00Z', 'is no date and time'],
    ['2026-05-01T12:00:00+0200', 'is no date and time'],
    ['2026-05-01T12:00:00+02', 'is no date and time'],
    ['2026-5-1T12:00:00Z', 'is no date and time'],
    ['2026-05-01T12:00:00.Z', 'is no date and time'],
    ['2024-02-30T00:00:00Z', 'no calendar'],
    ['2023-02-29T00:00:00Z', 'no calendar'],
    ['2100-02-29T00:00:00Z', 'no calendar'],
    ['2026-04-31T00:00:00Z', 'no calendar'],
    ['2026-13-01T00:00:00Z', 'no calendar'],
    ['2026-00-01T00:00:00Z', 'no calendar'],
    ['2026-01-00T00:00:00Z', 'no calendar'],
    ['2026-01-01T24:00:00Z', 'no clock'],
    ['2026-01-01T23:60:00Z', 'no clock'],
    ['2016-12-31T23:59:60Z', 'no clock'],
    ['2026-01-01T00:00:00+24:00', 'offset beyond'],
    ['2026-01-01T00:00:00-00:60', 'offset beyond'],
    ['2026-01-01T00:00:00.1234567890Z', 'nine decimals'],
    ['0001-01-01T00:00:00Z', 'further from 1970'],
    ['9999-12-31T23:59:59Z', 'further from 1970'],
    ['2262-04-11T23:47:16.854775808Z', 'further from 1970'],
  ])('%j is refused: %s', (text, why) => {
    const { code, message } = refusal(() => units.parseTime(text));
    expect(code).toBe('TIME_INVALID');
    expect(message).toContain(why);
    expect(message.length).toBeLessThan(250);
    expect(message).not.toContain('\n');
  });

  it('survives formatting as seconds', () => {
    fc.assert(fc.property(int64FromZero, (ns) => units.parseEpoch(units.formatEpoch(ns)) === ns));
    expect(units.formatEpoch(-1_500_000_000n)).toBe('-1.500000000');
    expect(units.formatEpoch(1_613_657_410_054_126_000n)).toBe('1613657410.054126000');
  });

  it('survives formatting as RFC 3339', () => {
    fc.assert(fc.property(int64, (ns) => units.parseRfc3339(units.formatRfc3339(ns)) === ns));
    expect(units.formatRfc3339(-1n)).toBe('1969-12-31T23:59:59.999999999Z');
    expect(units.formatRfc3339(-(2n ** 63n))).toBe('1677-09-21T00:12:43.145224192Z');
  });

  it('means the same moment whatever the offset', () => {
    const minutes = fc.integer({ min: -(24 * 60 - 1), max: 24 * 60 - 1 });
    fc.assert(
      fc.property(fc.integer({ min: -5_000_000_000, max: 5_000_000_000 }), minutes, (seconds, offset) => {
        const local = new Date((seconds + offset * 60) * 1000).toISOString().slice(0, 19);
        const two = (n: number): string => String(n).padStart(2, '0');
        const zone = `${offset < 0 ? '-' : '+'}${two(Math.trunc(Math.abs(offset) / 60))}:${two(Math.abs(offset) % 60)}`;
        return units.parseRfc3339(local + zone) === BigInt(seconds) * units.NS_PER_SECOND;
      }),
    );
  });

  it('answers any text with a time or one coded refusal', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[-0-9T:.Zdhms+]{0,30}$/)), (text) => {
        try {
          const time = units.parseTime(text);
          return typeof ('ns' in time ? time.ns : time.relativeNs) === 'bigint';
        } catch (error) {
          return error instanceof SpillwayError && error.code === 'TIME_INVALID';
        }
      }),
    );
  });
});

describe('durations', () => {
  it.each([
    ['10s', 10_000_000_000n],
    ['5m', 300_000_000_000n],
    ['2h', 7_200_000_000_000n],
    ['1d', 86_400_000_000_000n],
    ['1h30m', 5_400_000_000_000n],
    ['250ms', 250_000_000n],
    ['1m1ms1us1ns', 60_001_001_001n],
    ['90m', 5_400_000_000_000n],
  ])('%s', (text, ns) => {
    expect(units.parseDuration(text)).toBe(ns);
  });

  it.each(['', '10', 's', '1.5h', '-1s', '1s1s', '30m1h', '1h 30m', '10S', '10sec', '1e3s', `${'9'.repeat(30)}s`, '300000d', '10s\n'])(
    '%j is refused',
    (text) => {
      expect(refusal(() => units.parseDuration(text)).code).toBe('TIME_INVALID');
    },
  );

  it('survives formatting', () => {
    fc.assert(fc.property(int64FromZero, (ns) => units.parseDuration(units.formatDuration(ns)) === ns));
    expect(units.formatDuration(0n)).toBe('0s');
    expect(units.formatDuration(-90_000_000_000n)).toBe('-1m30s');
  });
});

describe('sizes', () => {
  it.each([
    ['0', 0n],
    ['1500', 1500n],
    ['10B', 10n],
    ['10kB', 10_000n],
    ['10KB', 10_000n],
    ['10MB', 10_000_000n],
    ['10MiB', 10_485_760n],
    ['3GiB', 3_221_225_472n],
    ['2TB', 2_000_000_000_000n],
    ['15EiB', 15n * 2n ** 60n],
    ['18446744073709551615', 2n ** 64n - 1n],
  ])('%s', (text, bytes) => {
    expect(units.parseSize(text)).toBe(bytes);
  });

  it.each([
    '',
    'MB',
    '10M',
    '10K',
    '10mb',
    '10Mb',
    '10kiB',
    '1.5GB',
    '1e3',
    '-1',
    '+1',
    ' 1',
    '10 MB',
    '10MBs',
    '16EiB',
    '18446744073709551616',
    `${'1'.repeat(50)}`,
    '10toString',
    '10constructor',
  ])('%j is refused', (text) => {
    expect(refusal(() => units.parseSize(text)).code).toBe('REQUEST_INVALID');
  });

  it('multiplies exactly', () => {
    const unit = fc.constantFrom(['MB', 10n ** 6n], ['MiB', 2n ** 20n], ['GB', 10n ** 9n], ['GiB', 2n ** 30n], ['', 1n]) as fc.Arbitrary<
      [string, bigint]
    >;
    fc.assert(fc.property(fc.bigInt({ min: 0n, max: 2n ** 34n - 1n }), unit, (n, [name, factor]) => units.parseSize(`${n}${name}`) === n * factor));
  });

  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1.00 kB'],
    [9_999, '10.0 kB'],
    [99_960, '100 kB'],
    [999_400, '999 kB'],
    [999_600, '1.00 MB'],
    [1_400_000_000, '1.40 GB'],
    [2 ** 70, '1181 EB'],
  ])('%d bytes are shown as %s', (bytes, text) => {
    expect(units.formatSize(bytes)).toBe(text);
  });

  it('shows a rate, also before any time has passed', () => {
    expect(units.formatRate(5_000_000, 2)).toBe('2.50 MB/s');
    expect(units.formatRate(5_000_000, 0)).toBe('0 B/s');
  });
});

describe('counts', () => {
  it.each(['1e3', '-1', '1.5', '', ' ', '+1', '0x10', '1_000', '1n', 'Infinity', '18446744073709551616', '9'.repeat(99)])('%j is refused', (text) => {
    expect(refusal(() => units.parseCount(text)).code).toBe('REQUEST_INVALID');
  });

  it('reads every uint64 exactly', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), (n) => units.parseCount(String(n)) === n && units.parseCount(`000${n}`) === n),
    );
  });

  it('keeps to the bound it is given', () => {
    expect(units.parseCount('65535', 65535n)).toBe(65535n);
    expect(refusal(() => units.parseCount('65536', 65535n)).message).toBe('"65536" is more than 65535');
  });
});

it.each([
  [0, '0:00'],
  [0.2, '0:01'],
  [67, '1:07'],
  [3723, '1:02:03'],
  [-4, '0:00'],
])('%d seconds on a clock: %s', (seconds, text) => {
  expect(units.formatClock(seconds)).toBe(text);
});
