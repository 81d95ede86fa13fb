import { expect, it } from 'vitest';
import { nodeIsSupported, SUPPORTED_NODE } from '../../scripts/lib/node-version.mjs';
import { read } from '../house/tree.js';

it.each(['v20.19.0', 'v20.20.2', 'v22.15.0', 'v22.99.1', 'v24.0.0', 'v26.1.0'])('%s runs', (version) => {
  expect(nodeIsSupported(version)).toBe(true);
});

it.each(['v18.20.4', 'v20.18.9', 'v21.7.0', 'v22.14.9', 'v23.11.0', 'v8.1.0'])('%s is refused', (version) => {
  expect(nodeIsSupported(version)).toBe(false);
});

it('is the range of package.json', () => {
  const [manifest] = read(['package.json'], ['.json']);
  const { engines } = JSON.parse(manifest?.text ?? '{}') as { engines: { node: string } };
  expect(SUPPORTED_NODE).toBe(engines.node);
});
