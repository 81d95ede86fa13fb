/** package.json names what the code imports, nothing less and nothing more, and docs/dependencies.md accounts for all of it. */
import ts from 'typescript';
import { expect, it } from 'vitest';
import { read } from './tree.js';

interface Manifest {
  dependencies: Record<string, string>;
  devDependencies: Record<string, string>;
}

const [manifestFile] = read(['package.json'], ['.json']);
const manifest = JSON.parse(manifestFile?.text ?? '{}') as Manifest;

/** Names of the packages that the files import, `@scope/name` in one piece. */
function packagesOf(places: string[]): string[] {
  const specifiers = read(places, ['.ts']).flatMap(({ text }) => ts.preProcessFile(text, true, true).importedFiles);
  const names = specifiers.map(({ fileName }) => fileName).filter((name) => !name.startsWith('.') && !name.startsWith('node:'));
  return [...new Set(names.map((name) => name.split('/', name.startsWith('@') ? 2 : 1).join('/')))].sort();
}

it('the dependencies are the packages that src/ imports', () => {
  expect(packagesOf(['src'])).toEqual(Object.keys(manifest.dependencies).sort());
});

it('what tests and the bench import is declared', () => {
  const declared = { ...manifest.dependencies, ...manifest.devDependencies };
  const inTests = packagesOf(['test', 'bench', 'vitest.config.ts']).filter((name) => name !== 'vitest');
  expect(inTests.filter((name) => !(name in declared))).toEqual([]);
});

it('every version is exact', () => {
  const versions = Object.entries({ ...manifest.dependencies, ...manifest.devDependencies });
  expect(versions.filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([]);
});

it('docs/dependencies.md accounts for every package', () => {
  const [page] = read(['docs/dependencies.md'], ['.md']);
  const silent = Object.keys({ ...manifest.dependencies, ...manifest.devDependencies }).filter((name) => !page?.text.includes(`\`${name}\``));
  expect(silent).toEqual([]);
});
