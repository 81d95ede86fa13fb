/** C++ includes point one way; the addon alone knows Node, and the filter compiler stands alone on base. */
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { violations, type Graph, type Rules } from './direction.js';
import { read } from './tree.js';

const RULES: Rules = {
  layers: [['base'], ['format', 'filter', 'index'], ['scan', 'capture'], ['addon'], ['compile']],
  roomOf: (file) => file.split('/')[1] ?? '',
  exceptions: {},
  only: { compile: ['base'] },
};

const files = read(['native'], ['.h', '.cc']);
const includes = (text: string, form: RegExp): string[] => [...text.matchAll(form)].map((match) => match[1] ?? '');

it('includes in native/ point one way, without cycles', () => {
  const known = new Set(files.map(({ path }) => path));
  const graph: Graph = new Map(
    files.map(({ path, text }) => {
      const targets = includes(text, /^\s*#\s*include\s+"([^"]+)"/gm);
      // As the compiler looks: beside the file first, then from native/.
      return [path, targets.map((name) => [join(dirname(path), name), join('native', name)].find((file) => known.has(file)) ?? name)];
    }),
  );
  expect([...graph.values()].flat().length).toBeGreaterThan(0);
  const missing = [...graph.values()].flat().filter((target) => !known.has(target));
  expect(missing, 'includes that name no file under native/').toEqual([]);
  expect(violations(graph, RULES)).toEqual([]);
});

it('only native/addon includes the headers of Node', () => {
  const guilty = files.filter(
    ({ path, text }) => !path.startsWith('native/addon/') && includes(text, /#\s*include\s+<(napi\.h|node_api\.h|node\.h|uv\.h|v8\.h)>/g).length > 0,
  );
  expect(guilty.map(({ path }) => path)).toEqual([]);
});
