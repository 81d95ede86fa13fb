import { expect, it } from 'vitest';
import { FilterCache } from '../../src/filter/cache.js';

it('lets the least recently used entry go', () => {
  const cache = new FilterCache<number>(2);
  cache.set('a', 1);
  cache.set('b', 2);
  expect(cache.get('a')).toBe(1);
  cache.set('c', 3);
  expect([cache.get('a'), cache.get('b'), cache.get('c')]).toEqual([1, undefined, 3]);
  expect(cache.size).toBe(2);
});

it('replaces, and drops only the value that was meant', () => {
  const cache = new FilterCache<object>(2);
  const [first, second] = [{}, {}];
  cache.set('a', first);
  cache.set('a', second);
  cache.drop('a', first);
  expect(cache.get('a')).toBe(second);
  cache.drop('a', second);
  expect(cache.size).toBe(0);
});
