/** The time windows of an export: start_time..end_time, narrowed to the union of the intervals. */
import { SpillwayError } from '../errors.js';
import type { TimeWindow } from '../engine/types.js';
import type { Config } from './schema.js';
import { parseTime } from './times.js';

/** Packet times are int64: nothing lies beyond. */
const LAST_NS = 2n ** 63n - 1n;

/**
 * Windows for the engine; none: every time. A range that can hold no packet becomes one empty window,
 * because no window at all would mean everything.
 */
export function timeWindows(config: Config): TimeWindow[] {
  const whole = outerWindow(config);
  const intervals = config.time_intervals ?? [];
  if (intervals.length === 0) return isUnbounded(whole) ? [] : [bounded(whole)];
  const parts = intervals
    .map((interval, i) => {
      const name = `config.time_intervals[${i}]`;
      return windowOf(interval.start_time, interval.end_time, `${name}.start_time`, `${name}.end_time`);
    })
    .map((interval) => intersect(whole, interval))
    .filter((window) => !isEmpty(window));
  if (parts.some(isUnbounded)) return [];
  return parts.length > 0 ? parts.map(bounded) : [{ startNs: LAST_NS, endNs: LAST_NS }];
}

/** start_time..end_time, whatever the intervals are. */
export function outerWindow(config: Config): TimeWindow {
  return windowOf(config.start_time, config.end_time, 'config.start_time', 'config.end_time');
}

function windowOf(start: string | undefined, end: string | undefined, startName: string, endName: string): TimeWindow {
  const window = { startNs: parseTime(start, startName), endNs: parseTime(end, endName) };
  if (window.startNs !== null && window.endNs !== null && window.endNs < window.startNs) {
    throw new SpillwayError('TIME_INVALID', `${endName} ${end} lies before ${startName} ${start}`);
  }
  return window;
}

function intersect(a: TimeWindow, b: TimeWindow): TimeWindow {
  const startNs = a.startNs === null || (b.startNs !== null && b.startNs > a.startNs) ? b.startNs : a.startNs;
  const endNs = a.endNs === null || (b.endNs !== null && b.endNs < a.endNs) ? b.endNs : a.endNs;
  return { startNs, endNs };
}

const isUnbounded = (window: TimeWindow): boolean => window.startNs === null && (window.endNs === null || window.endNs > LAST_NS);
const isEmpty = (window: TimeWindow): boolean => window.startNs !== null && window.endNs !== null && window.endNs <= window.startNs;

/** The same packets with bounds that fit int64. */
function bounded({ startNs, endNs }: TimeWindow): TimeWindow {
  if (startNs !== null && startNs > LAST_NS) return { startNs: LAST_NS, endNs: LAST_NS };
  return { startNs, endNs: endNs !== null && endNs > LAST_NS ? null : endNs };
}
