/** Time windows: from what was asked to sorted, disjoint ranges. */
import { SpillwayError } from '../errors.js';
import { MAX_TIME_NS, MAX_WINDOWS, MIN_TIME_NS } from './limits.js';
import type { TimeWindow } from './types.js';

function clamp(ns: bigint): bigint {
  return ns < MIN_TIME_NS ? MIN_TIME_NS : ns > MAX_TIME_NS ? MAX_TIME_NS : ns;
}

/**
 * The union of the windows as flattened `[start, end)` pairs, sorted and disjoint; empty when every time is in.
 * A window that ends before it begins is refused; one that ends where it begins holds nothing.
 */
export function flattenWindows(windows: readonly TimeWindow[]): BigInt64Array<SharedArrayBuffer> {
  if (windows.length > MAX_WINDOWS) throw new SpillwayError('TIME_INVALID', `there may be ${MAX_WINDOWS} time intervals at most`);
  const ranges: [bigint, bigint][] = [];
  for (const { startNs, endNs } of windows) {
    if (startNs === null && endNs === null) return flat([]);
    if (startNs !== null && endNs !== null && endNs < startNs) throw new SpillwayError('TIME_INVALID', 'a time range ends before it begins');
    ranges.push([clamp(startNs ?? MIN_TIME_NS), clamp(endNs ?? MAX_TIME_NS)]);
  }
  ranges.sort((a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0));
  const union: [bigint, bigint][] = [];
  for (const [start, end] of ranges) {
    const last = union.at(-1);
    if (last && start <= last[1]) last[1] = last[1] > end ? last[1] : end;
    else union.push([start, end]);
  }
  return flat(union);
}

/** What filters see that look back: `whole`, and so much before it. */
export function withContext({ startNs, endNs }: TimeWindow, contextNs: bigint): TimeWindow {
  return { startNs: startNs === null ? null : startNs - contextNs, endNs };
}

function flat(ranges: [bigint, bigint][]): BigInt64Array<SharedArrayBuffer> {
  const out = new BigInt64Array(new SharedArrayBuffer(ranges.length * 16));
  ranges.forEach(([start, end], i) => {
    out[2 * i] = start;
    out[2 * i + 1] = end;
  });
  return out;
}
