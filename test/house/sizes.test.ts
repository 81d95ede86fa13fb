/** A file is one idea: what grows past the limit is divided, or listed here with its reason. */
import { expect, it } from 'vitest';
import { read } from './tree.js';

const LINES_MAX = 400;

const LONGER: Record<string, string> = {};

it(`no source file is longer than ${LINES_MAX} lines without a reason`, () => {
  const files = read(['src', 'native', 'test', 'bench', 'scripts', 'bin', 'docs'], ['.ts', '.mjs', '.js', '.h', '.cc', '.md']);
  expect(files.length).toBeGreaterThan(20);
  const long = files.filter(({ text }) => text.split('\n').length - 1 > LINES_MAX).map(({ path }) => path);
  expect(long.sort()).toEqual(Object.keys(LONGER).sort());
});
