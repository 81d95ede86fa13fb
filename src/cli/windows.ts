/** `--from`, `--to` and `--interval`: from their texts to the time windows of a request. */
import type { TimeWindow } from '../engine/types.js';
import { SpillwayError } from '../errors.js';
import { parseTime, type Time } from '../units.js';
import { naming } from './fail.js';

/** A range as it was given; null: open on that side. `name` is what sentences call it. */
export interface TimeRange {
  name: string;
  start: Time | null;
  end: Time | null;
}

/** Nothing lies in it; where no window at all would mean every time. */
const EMPTY: TimeWindow = { startNs: 0n, endNs: 0n };

/** `T..T`, where one of the two may be missing. */
export function parseInterval(text: string): TimeRange {
  const at = text.indexOf('..');
  if (at < 0) throw new SpillwayError('TIME_INVALID', `${JSON.stringify(text)} is no range: write START..END`);
  const [start, end] = [text.slice(0, at), text.slice(at + 2)];
  if (start === '' && end === '') throw new SpillwayError('TIME_INVALID', `${JSON.stringify(text)} has neither a start nor an end`);
  return { name: `--interval ${text}`, start: start === '' ? null : parseTime(start), end: end === '' ? null : parseTime(end) };
}

export function parseOuterRange(from: string | undefined, to: string | undefined): TimeRange {
  return {
    name: `--from ${from} --to ${to}`,
    start: from === undefined ? null : naming('--from', () => parseTime(from)),
    end: to === undefined ? null : naming('--to', () => parseTime(to)),
  };
}

/** Whether the ranges can be told only once the time of the last packet is known. */
export function hasRelativeTime(ranges: readonly TimeRange[]): boolean {
  return ranges.some(({ start, end }) => [start, end].some((time) => time !== null && 'relativeNs' in time));
}

/**
 * The union of the intervals inside the outer range; none: every time. `lastNs`: the time that relative ones count
 * from. Refuses a range that ends before it begins.
 */
export function timeWindows(outer: TimeRange, intervals: readonly TimeRange[], lastNs: bigint): TimeWindow[] {
  const whole = windowOf(outer, lastNs);
  const unbounded = whole.startNs === null && whole.endNs === null;
  if (intervals.length === 0) return unbounded ? [] : [whole];
  const inside = intervals
    .map((interval) => intersect(whole, windowOf(interval, lastNs)))
    .filter(({ startNs, endNs }) => startNs === null || endNs === null || startNs < endNs);
  return inside.length > 0 ? inside : [EMPTY];
}

/** A range by itself. Refuses one that ends before it begins. */
export function windowOf({ name, start, end }: TimeRange, lastNs: bigint): TimeWindow {
  const [startNs, endNs] = [start, end].map((time) => (time === null ? null : 'ns' in time ? time.ns : lastNs + time.relativeNs)) as [
    bigint | null,
    bigint | null,
  ];
  if (startNs !== null && endNs !== null && endNs < startNs) throw new SpillwayError('TIME_INVALID', `${name}: the range ends before it begins`);
  return { startNs, endNs };
}

function intersect(a: TimeWindow, b: TimeWindow): TimeWindow {
  const startNs = a.startNs === null || (b.startNs !== null && b.startNs > a.startNs) ? b.startNs : a.startNs;
  const endNs = a.endNs === null || (b.endNs !== null && b.endNs < a.endNs) ? b.endNs : a.endNs;
  return { startNs, endNs };
}
