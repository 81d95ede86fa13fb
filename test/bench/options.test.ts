import { describe, expect, it } from 'vitest';
import { readOptions } from '../../bench/options.js';
import { BenchRefusal } from '../../bench/refusal.js';

describe('readOptions', () => {
  it('measures 4 GiB five times, and 256 MiB three times when quick', () => {
    expect(readOptions([])).toMatchObject({
      quick: false,
      bytes: 4 * 2 ** 30,
      repeats: 5,
      seed: 1,
      memoryBytes: [2 ** 30, 8 * 2 ** 30],
      restBytes: 2 ** 30,
      gate: false,
    });
    expect(readOptions(['--quick'])).toMatchObject({ quick: true, bytes: 2 ** 28, repeats: 3, memoryBytes: [2 ** 30] });
  });

  it('takes what it is told', () => {
    const words = [
      '--case',
      'tcp',
      '--case',
      'rest',
      '--mib',
      '64',
      '--repeats',
      '2',
      '--seed',
      '9',
      '--json',
      '/x/y.json',
      '--dir',
      '/x',
      '--spillway',
      '/bin/s',
      '--gate',
    ];
    expect(readOptions(words)).toMatchObject({
      cases: ['tcp', 'rest'],
      bytes: 2 ** 26,
      repeats: 2,
      seed: 9,
      json: '/x/y.json',
      dir: '/x',
      spillway: '/bin/s',
      gate: true,
    });
  });

  it.each([['--mib', '0'], ['--mib', '1.5'], ['--repeats', '-1'], ['--repeats', 'x'], ['--nonesuch'], ['stray'], ['--json']])(
    'refuses %s %s',
    (...words) => {
      expect(() => readOptions(words)).toThrow(BenchRefusal);
    },
  );
});
