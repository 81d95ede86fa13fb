/** Medians and spread of a few repeats. */

export interface Spread {
  median: number;
  min: number;
  max: number;
  /** First and third quartile. */
  q1: number;
  q3: number;
  n: number;
}

export function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  if (sorted.length === 0) throw new RangeError('a spread of no values');
  return {
    median: quantile(sorted, 0.5),
    min: sorted[0]!,
    max: sorted.at(-1)!,
    q1: quantile(sorted, 0.25),
    q3: quantile(sorted, 0.75),
    n: sorted.length,
  };
}

/** The quantile of sorted values, between neighbours by linear interpolation. */
function quantile(sorted: readonly number[], share: number): number {
  const at = share * (sorted.length - 1);
  const below = sorted[Math.floor(at)]!;
  const above = sorted[Math.ceil(at)]!;
  return below + (above - below) * (at - Math.floor(at));
}

export function scaled(values: Spread, factor: number): Spread {
  const { median, min, max, q1, q3, n } = values;
  return { median: median * factor, min: min * factor, max: max * factor, q1: q1 * factor, q3: q3 * factor, n };
}

export function geometricMean(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError('a mean of no values');
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
}
