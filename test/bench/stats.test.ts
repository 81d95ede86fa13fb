import { describe, expect, it } from 'vitest';
import { geometricMean, scaled, spread } from '../../bench/stats.js';

describe('spread', () => {
  it('takes the middle, the quartiles and the ends', () => {
    expect(spread([5, 1, 3, 2, 4])).toEqual({ median: 3, min: 1, max: 5, q1: 2, q3: 4, n: 5 });
    expect(spread([4, 1])).toEqual({ median: 2.5, min: 1, max: 4, q1: 1.75, q3: 3.25, n: 2 });
    expect(spread([7])).toEqual({ median: 7, min: 7, max: 7, q1: 7, q3: 7, n: 1 });
  });

  it('leaves its input as it was and sorts by value', () => {
    const values = [10, 9, 100];
    expect(spread(values).median).toBe(10);
    expect(values).toEqual([10, 9, 100]);
  });

  it('scales all but the count', () => {
    expect(scaled(spread([1, 2, 3]), 2)).toEqual({ median: 4, min: 2, max: 6, q1: 3, q3: 5, n: 3 });
  });

  it('refuses to be of nothing', () => {
    expect(() => spread([])).toThrow(RangeError);
    expect(() => geometricMean([])).toThrow(RangeError);
  });
});

it('geometricMean weighs halves and doubles alike', () => {
  expect(geometricMean([2, 0.5])).toBeCloseTo(1, 12);
  expect(geometricMean([1, 2, 4])).toBeCloseTo(2, 12);
});
