/** The two planes and the page name the same limits. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { MAX_ANSWER_BYTES, MAX_FILTER_BYTES } from '../../src/filter/limits.js';

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

/** The value of a constant like `64u << 10`, `800` or `65536`. */
function constant(header: string, name: string): number {
  const match = new RegExp(`\\b${name} = (\\d+)u?(?: << (\\d+))?;`).exec(header);
  if (!match) throw new Error(`${name} is not there`);
  return Number(match[1]) * 2 ** Number(match[2] ?? 0);
}

const compiling = read('native/compile/limits.h');
const instructions = constant(read('native/base/limits.h'), 'kMaxProgramInsns');

it('TypeScript and C++ draw the same lines', () => {
  expect(MAX_FILTER_BYTES).toBe(constant(compiling, 'kMaxTextBytes'));
  expect(MAX_ANSWER_BYTES).toBe(constant(read('native/compile/protocol.h'), 'kAnswerHeaderBytes') + instructions * 8);
});

it('docs/filters.md tells them', () => {
  const page = read('docs/filters.md').replace(/ +/g, ' '); // tables are padded
  expect(page).toContain(`| text | ${constant(compiling, 'kMaxTextBytes') / 1024} KiB |`);
  expect(page).toContain(`| processor time of a compile | ${constant(compiling, 'kMaxCpuMs')} ms |`);
  expect(page).toContain(`| time on the clock | ${constant(compiling, 'kMaxWallMs') / 1000} s |`);
  expect(page).toContain(`| memory of a compile | ${constant(compiling, 'kMaxAddressBytes') / 2 ** 20} MiB |`);
  expect(page).toContain(`| stack of a compile | ${constant(compiling, 'kMaxStackBytes') / 2 ** 20} MiB |`);
  expect(page).toContain(`| program | ${instructions.toLocaleString('en')} instructions |`);
});
