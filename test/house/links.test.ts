/** The pages' links to files of this repository lead somewhere. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { read, root } from './tree.js';

it('relative links in the pages name files that exist', () => {
  const pages = read(['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'ARCHITECTURE.md', 'docs'], ['.md']);
  const links = pages.flatMap(({ path, text }) =>
    [...text.matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)].map((match) => ({ path, target: join(dirname(path), match[1] ?? '') })),
  );
  expect(links.length).toBeGreaterThan(0);
  expect(links.filter(({ target }) => !existsSync(join(root, target)))).toEqual([]);
});
