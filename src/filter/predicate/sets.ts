/** Sets of unsigned 32-bit numbers as sorted, disjoint ranges that do not touch: `[low, high, low, high, …]`, ends included. */
export type NumberSet = readonly number[];

export const NO_NUMBER: NumberSet = [];

export function rangeSet(low: number, high: number): NumberSet {
  return low > high ? NO_NUMBER : [low, high];
}

export function setOf(values: readonly number[]): NumberSet {
  return unionOf(values.map((value) => [value, value]));
}

export function unionOf(sets: readonly NumberSet[]): NumberSet {
  const ranges: [number, number][] = [];
  for (const set of sets) for (let i = 0; i < set.length; i += 2) ranges.push([set[i]!, set[i + 1]!]);
  ranges.sort((a, b) => a[0] - b[0]);
  const out: number[] = [];
  for (const [low, high] of ranges) {
    const last = out.length - 1;
    if (last >= 0 && low <= out[last]! + 1) out[last] = Math.max(out[last]!, high);
    else out.push(low, high);
  }
  return out;
}

export function complementOf(set: NumberSet, max: number): NumberSet {
  const out: number[] = [];
  let from = 0;
  for (let i = 0; i < set.length; i += 2) {
    if (set[i]! > from) out.push(from, set[i]! - 1);
    from = set[i + 1]! + 1;
  }
  if (from <= max) out.push(from, max);
  return out;
}

export function intersectionOf(sets: readonly NumberSet[], max: number): NumberSet {
  return complementOf(unionOf(sets.map((set) => complementOf(set, max))), max);
}

export function isFull(set: NumberSet, max: number): boolean {
  return set.length === 2 && set[0] === 0 && set[1] === max;
}

export function contains(set: NumberSet, value: number): boolean {
  let low = 0;
  let high = set.length / 2;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (set[2 * middle + 1]! < value) low = middle + 1;
    else high = middle;
  }
  return 2 * low < set.length && set[2 * low]! <= value;
}
