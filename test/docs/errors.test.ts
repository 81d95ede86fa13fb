/** docs/errors.md and the error table list the same codes, with the same numbers and meanings, in the same order. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ERRORS } from '../../src/errors.js';

const page = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8');

/** Cells of the page's table rows that begin with a code. */
function rows(text: string): string[][] {
  return text
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) =>
      line
        .slice(1, -1)
        .split('|')
        .map((cell) => cell.trim()),
    );
}

const table = Object.entries(ERRORS).map(([code, { http, exit, about }]) => [`\`${code}\``, String(http), String(exit), about]);

describe('docs/errors.md', () => {
  it('is read row by row', () => {
    expect(rows('# x\n| Code | HTTP |\n| --- | --- |\n| `A` | 400 |\ntext\n')).toEqual([['`A`', '400']]);
  });
  it('lists exactly the codes of the table', () => {
    expect(rows(page).map(([code]) => code)).toEqual(table.map(([code]) => code));
  });
  it('gives every code its status, exit code and meaning', () => {
    expect(rows(page)).toEqual(table);
  });
});
