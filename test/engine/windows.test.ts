import { describe, expect, it } from 'vitest';
import { MAX_TIME_NS, MAX_WINDOWS, MIN_TIME_NS } from '../../src/engine/limits.js';
import { flattenWindows } from '../../src/engine/windows.js';

const flat = (...pairs: [bigint | null, bigint | null][]): bigint[] => [...flattenWindows(pairs.map(([startNs, endNs]) => ({ startNs, endNs })))];

describe('flattenWindows', () => {
  it('gives nothing for every time', () => {
    expect(flat()).toEqual([]);
    expect(flat([null, null])).toEqual([]);
    expect(flat([1n, 2n], [null, null])).toEqual([]);
  });
  it('sorts, and joins what overlaps or touches', () => {
    expect(flat([30n, 40n], [10n, 20n])).toEqual([10n, 20n, 30n, 40n]);
    expect(flat([10n, 20n], [15n, 25n])).toEqual([10n, 25n]);
    expect(flat([10n, 20n], [20n, 30n])).toEqual([10n, 30n]);
    expect(flat([10n, 50n], [20n, 30n])).toEqual([10n, 50n]);
  });
  it('takes null for the end of time on its side', () => {
    expect(flat([null, 5n])).toEqual([MIN_TIME_NS, 5n]);
    expect(flat([5n, null])).toEqual([5n, MAX_TIME_NS]);
    expect(flat([null, 5n], [3n, null])).toEqual([MIN_TIME_NS, MAX_TIME_NS]);
  });
  it('clamps what int64 can not hold', () => {
    expect(flat([-(1n << 70n), 1n << 70n])).toEqual([MIN_TIME_NS, MAX_TIME_NS]);
  });
  it('takes one that ends where it begins: it holds nothing', () => {
    const [start, end] = flat([7n, 7n]);
    expect(start).toBe(end);
  });
  it('refuses one that ends before it begins', () => {
    expect(() => flat([2n, 1n])).toThrow(expect.objectContaining({ code: 'TIME_INVALID' }));
  });
  it('refuses more than it holds', () => {
    const many = Array.from({ length: MAX_WINDOWS + 1 }, (_, i): [bigint, bigint] => [BigInt(2 * i), BigInt(2 * i + 1)]);
    expect(flat(...many.slice(1))).toHaveLength(2 * MAX_WINDOWS);
    expect(() => flat(...many)).toThrow(expect.objectContaining({ code: 'TIME_INVALID' }));
  });
});
