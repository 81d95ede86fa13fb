/** The project speaks of itself alone: no machine's own paths, no tracker's numbers, no unfinished notes. */
import { describe, expect, it } from 'vitest';
import { read, type SourceFile } from './tree.js';

const PAGES = read(['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'ARCHITECTURE.md', 'docs'], ['.md']);
const SOURCES = read(
  ['src', 'native', 'test', 'bench', 'scripts', 'bin', '.ci', 'package.json', 'binding.gyp'],
  ['.ts', '.mjs', '.js', '.h', '.cc', '.json', '.gyp', 'run', 'spillway'],
);

const FORBIDDEN: [string, RegExp][] = [
  ["a path of somebody's machine", /(?<![\w.~$}])\/(?:work|home|Users)\/\w/],
  ["a tracker's number", /\b(?:issue|ticket) #?\d+\b/i],
  ['an unfinished note', new RegExp(`\\b(?:${['TO', 'DO'].join('')}|${['FIX', 'ME'].join('')}|XXX)\\b`)],
];

function findings(files: SourceFile[]): string[] {
  return files.flatMap(({ path, text }) =>
    text
      .split('\n')
      .flatMap((line, i) => FORBIDDEN.filter(([, form]) => form.test(line)).map(([what]) => `${path}:${i + 1}: ${what}: ${line.trim()}`)),
  );
}

describe('words', () => {
  it('finds what it looks for', () => {
    const text = ['see /home/ann/x', 'Issue 12 asks', 'issue #7', `// ${['TO', 'DO'].join('')}: later`, 'GET /api/home/x', 'a/home/b'].join('\n');
    expect(findings([{ path: 'x', text }]).map((line) => line.split(': ')[1])).toEqual([
      "a path of somebody's machine",
      "a tracker's number",
      "a tracker's number",
      'an unfinished note',
    ]);
  });
  it('are in no page', () => {
    expect(PAGES.length).toBeGreaterThan(0);
    expect(findings(PAGES)).toEqual([]);
  });
  it('are in no source', () => {
    expect(SOURCES.length).toBeGreaterThan(20);
    expect(findings(SOURCES.filter(({ path }) => path !== 'test/house/words.test.ts'))).toEqual([]);
  });
  it('are in no place that the lock file resolves to', () => {
    const [lock] = read(['package-lock.json'], ['.json']);
    expect(lock?.text.match(/"resolved": ".*"/g) ?? []).toEqual([]);
  });
});
