/** TypeScript imports point one way, and there are no cycles. */
import { dirname, join } from 'node:path';
import ts from 'typescript';
import { expect, it } from 'vitest';
import { violations, type Graph, type Rules } from './direction.js';
import { read } from './tree.js';

const RULES: Rules = {
  layers: [
    ['units', 'errors', 'root', 'native-contract', 'native-system', 'native-index', 'native', 'config'],
    ['engine', 'dissect', 'filter', 'state', 'access'],
    ['buffer', 'task', 'peer'],
    ['export', 'bundle', 'capture', 'privileged'],
    ['update'],
    ['api', 'cli'],
    ['probe'],
    ['index'],
  ],
  roomOf: (file) => (file.split('/')[1] ?? '').replace(/(\.d)?\.ts$/, ''),
  exceptions: {
    'src/cli/serve.ts -> src/probe.ts': 'the command that starts the probe; loaded only when it runs',
  },
};

/** All imports of a file, static, dynamic and of types alone, that stay inside src/. */
function importsOf(path: string, text: string, known: Set<string>): string[] {
  const relativeOnes = ts.preProcessFile(text, true, true).importedFiles.map(({ fileName }) => fileName);
  return relativeOnes
    .filter((name) => name.startsWith('.'))
    .map((name) => join(dirname(path), name).replace(/\.js$/, ''))
    .map((stem) => [`${stem}.ts`, `${stem}.d.ts`].find((file) => known.has(file)) ?? stem)
    .filter((target) => target.startsWith('src/'));
}

it('imports in src/ point one way, without cycles', () => {
  const files = read(['src'], ['.ts']);
  const known = new Set(files.map(({ path }) => path));
  const graph: Graph = new Map(files.map(({ path, text }) => [path, importsOf(path, text, known)]));
  expect(graph.size).toBeGreaterThan(0);
  expect([...graph.values()].flat().length).toBeGreaterThan(0);
  expect(violations(graph, RULES)).toEqual([]);
});
