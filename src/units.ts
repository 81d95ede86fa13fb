/**
 * Times, durations, sizes and counts as people write them. Parsers are strict and exact: what they do not understand
 * wholly they refuse, naming the text; nothing is rounded. Times and durations are `bigint` nanoseconds, sizes bytes.
 */
import { SpillwayError, type ErrorCode } from './errors.js';

export const NS_PER_MS = 1_000_000n;
export const NS_PER_SECOND = 1_000_000_000n;
const UINT64_MAX = (1n << 64n) - 1n;
const INT64_MIN = -(1n << 63n);
const INT64_MAX = (1n << 63n) - 1n;

/** A moment, or one relative to an end that the caller knows (negative: before it). */
export type Time = { ns: bigint } | { relativeNs: bigint };

const DURATION_UNITS: readonly (readonly [unit: string, ns: bigint])[] = [
  ['d', 86_400n * NS_PER_SECOND],
  ['h', 3_600n * NS_PER_SECOND],
  ['m', 60n * NS_PER_SECOND],
  ['s', NS_PER_SECOND],
  ['ms', NS_PER_MS],
  ['us', 1_000n],
  ['ns', 1n],
];

const SIZE_UNITS: Readonly<Record<string, bigint>> = {
  B: 1n,
  kB: 1000n,
  KB: 1000n,
  MB: 1000n ** 2n,
  GB: 1000n ** 3n,
  TB: 1000n ** 4n,
  PB: 1000n ** 5n,
  EB: 1000n ** 6n,
  KiB: 1n << 10n,
  MiB: 1n << 20n,
  GiB: 1n << 30n,
  TiB: 1n << 40n,
  PiB: 1n << 50n,
  EiB: 1n << 60n,
};

function refuse(code: ErrorCode, text: string, why: string): never {
  const shown = text.length > 60 ? `${text.slice(0, 57)}...` : text;
  throw new SpillwayError(code, `${JSON.stringify(shown)} ${why}`);
}

function inInt64(ns: bigint, text: string): bigint {
  if (ns < INT64_MIN || ns > INT64_MAX) refuse('TIME_INVALID', text, 'is further from 1970 than a time can be (1677-09-21 to 2262-04-11)');
  return ns;
}

/** Up to nine decimals of a second as nanoseconds. */
function fractionNs(digits: string | undefined, text: string): bigint {
  if (digits === undefined) return 0n;
  if (digits.length > 9) refuse('TIME_INVALID', text, 'has more than nine decimals');
  return BigInt(digits.padEnd(9, '0'));
}

/** Seconds since the epoch with at most nine decimals: `1613657410` or `1613657410.054126`. */
export function parseEpoch(text: string): bigint {
  const match = /^(\d+)(?:\.(\d+))?$/.exec(text);
  if (match === null) refuse('TIME_INVALID', text, 'is no number of seconds since 1970');
  // More than 20 digits are out of range whatever they are; BigInt need not see them.
  const seconds = match[1]!.length > 20 ? INT64_MAX : BigInt(match[1]!);
  return inInt64(seconds * NS_PER_SECOND + fractionNs(match[2], text), text);
}

/** A date and time of RFC 3339, with its offset from UTC: `2026-05-01T12:00:00.5+02:00`. */
export function parseRfc3339(text: string): bigint {
  const match = /^(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d+))?([Zz]|([+-])(\d\d):(\d\d))?$/.exec(text);
  if (match === null) refuse('TIME_INVALID', text, 'is no date and time as in 2026-05-01T12:00:00Z');
  if (match[8] === undefined) refuse('TIME_INVALID', text, 'has no offset from UTC: add Z or, for example, +02:00');
  const field = (index: number): number => Number(match[index] ?? 0);
  const [year, month, day, hour, minute, second] = [field(1), field(2), field(3), field(4), field(5), field(6)];
  if (month < 1 || month > 12 || day < 1 || day > daysInMonth(year, month)) refuse('TIME_INVALID', text, 'names a day that no calendar has');
  if (hour > 23 || minute > 59 || second > 59) refuse('TIME_INVALID', text, 'names a time that no clock shows');
  if (field(10) > 23 || field(11) > 59) refuse('TIME_INVALID', text, 'has an offset beyond 23:59');
  const offsetSeconds = (field(10) * 3600 + field(11) * 60) * (match[9] === '-' ? -1 : 1);
  // Date.UTC takes years below 100 for 19xx; they are far outside int64 in any case.
  const seconds = year < 1000 ? INT64_MIN : BigInt(Date.UTC(year, month - 1, day, hour, minute, second) / 1000 - offsetSeconds);
  return inInt64(seconds * NS_PER_SECOND + fractionNs(match[7], text), text);
}

function daysInMonth(year: number, month: number): number {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

/** A time in any of the three forms; a relative one is a duration behind a sign: `-10m`, `+10m`. */
export function parseTime(text: string): Time {
  if (text.startsWith('-')) {
    if (/^-[\d.]+$/.test(text)) refuse('TIME_INVALID', text, 'has no unit: write -10s or -5m for a time before the end');
    return { relativeNs: -parseDuration(text.slice(1)) };
  }
  if (text.startsWith('+')) {
    if (/^\+[\d.]+$/.test(text)) refuse('TIME_INVALID', text, 'has no unit: write +10s or +5m for a time after now');
    return { relativeNs: parseDuration(text.slice(1)) };
  }
  if (/^\d+(\.\d+)?$/.test(text)) return { ns: parseEpoch(text) };
  if (/^\d{4}-/.test(text)) return { ns: parseRfc3339(text) };
  return refuse('TIME_INVALID', text, 'is no time: give seconds since 1970, a date like 2026-05-01T12:00:00Z, -10m or +10m');
}

/** Whole numbers with units, the larger ones first: `250ms`, `10s`, `1h30m`. */
export function parseDuration(text: string): bigint {
  const pattern = /(\d+)(ms|us|ns|[dhms])/y;
  let total = 0n;
  let before = -1;
  while (pattern.lastIndex < text.length) {
    const match = pattern.exec(text);
    if (match === null || match[1]!.length > 20) refuse('TIME_INVALID', text, 'is no duration: write 250ms, 10s, 5m, 2h, 1d or 1h30m');
    const rank = DURATION_UNITS.findIndex(([unit]) => unit === match[2]);
    if (rank <= before) refuse('TIME_INVALID', text, 'is no duration: each unit once, the larger ones first');
    before = rank;
    total += BigInt(match[1]!) * DURATION_UNITS[rank]![1];
  }
  if (before < 0) refuse('TIME_INVALID', text, 'is no duration: write 250ms, 10s, 5m, 2h, 1d or 1h30m');
  return inInt64(total, text);
}

/** Bytes: a plain number, powers of ten (`10MB`) or of two (`10MiB`). */
export function parseSize(text: string): bigint {
  const match = /^(\d{1,20})([A-Za-z]*)$/.exec(text);
  const unit = match === null ? undefined : match[2] === '' ? 1n : Object.hasOwn(SIZE_UNITS, match[2]!) ? SIZE_UNITS[match[2]!] : undefined;
  if (match === null || unit === undefined)
    refuse('REQUEST_INVALID', text, 'is no size: write bytes, or 10kB, 10MB, 10GB (powers of ten), 10KiB, 10MiB, 10GiB (powers of two)');
  const bytes = BigInt(match[1]!) * unit;
  if (bytes > UINT64_MAX) refuse('REQUEST_INVALID', text, 'is more than 2^64-1 bytes');
  return bytes;
}

/** A whole number from 0 to `max` (2^64-1), in decimal digits alone. */
export function parseCount(text: string, max: bigint = UINT64_MAX): bigint {
  if (!/^\d+$/.test(text)) refuse('REQUEST_INVALID', text, 'is no whole number');
  const digits = text.replace(/^0+(?=\d)/, '');
  const count = digits.length > 20 ? UINT64_MAX + 1n : BigInt(digits);
  if (count > max) refuse('REQUEST_INVALID', text, `is more than ${max}`);
  return count;
}

/** Seconds with exactly nine decimals: `1613657410.054126000`. */
export function formatEpoch(ns: bigint): string {
  const magnitude = ns < 0n ? -ns : ns;
  return `${ns < 0n ? '-' : ''}${magnitude / NS_PER_SECOND}.${String(magnitude % NS_PER_SECOND).padStart(9, '0')}`;
}

/** RFC 3339 in UTC with exactly nine decimals: `2021-02-18T14:10:10.054126000Z`. */
export function formatRfc3339(ns: bigint): string {
  const fraction = ((ns % NS_PER_SECOND) + NS_PER_SECOND) % NS_PER_SECOND;
  const date = new Date(Number((ns - fraction) / NS_PER_MS)).toISOString();
  return `${date.slice(0, 19)}.${String(fraction).padStart(9, '0')}Z`;
}

/** The shortest text that `parseDuration` reads back as the same: `1h30m`, `0s`. */
export function formatDuration(ns: bigint): string {
  let rest = ns < 0n ? -ns : ns;
  let text = '';
  for (const [unit, size] of DURATION_UNITS) {
    if (rest >= size) text += `${rest / size}${unit}`;
    rest %= size;
  }
  return `${ns < 0n ? '-' : ''}${text === '' ? '0s' : text}`;
}

/** Bytes to three figures in powers of ten, for people: `999 B`, `1.40 GB`. */
export function formatSize(bytes: number): string {
  const units = ['kB', 'MB', 'GB', 'TB', 'PB', 'EB'];
  if (bytes < 999.5) return `${Math.round(bytes)} B`;
  let value = bytes / 1000;
  let rank = 0;
  while (value >= 999.5 && rank < units.length - 1) {
    value /= 1000;
    rank += 1;
  }
  return `${value.toFixed(value < 9.995 ? 2 : value < 99.95 ? 1 : 0)} ${units[rank]}`;
}

export function formatRate(bytes: number, seconds: number): string {
  return `${formatSize(seconds > 0 ? bytes / seconds : 0)}/s`;
}

/** Whole seconds as a clock shows them: `0:07`, `12:34`, `1:02:03`. */
export function formatClock(seconds: number): string {
  const whole = Math.max(0, Math.ceil(seconds));
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (part: number): string => String(part).padStart(2, '0');
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}
