/** What a filter needs of a packet to be answered. */
import { FIELDS } from './fields.js';
import type { Expression, Test } from './parser.js';

/** Down to which headers a filter looks. */
export type Depth = 'frame' | 'link' | 'network' | 'transport';

export interface Needs {
  /** How many comparisons. */
  tests: number;
  depth: Depth;
  /**
   * So many bytes of the frame must have been captured. A program rejects a packet when it looks beyond its end, and tshark takes a slice that is shorter for one that
   * differs: they agree only where the whole filter is false then.
   */
  frameBytes: number;
}

const DEPTHS: readonly Depth[] = ['frame', 'link', 'network', 'transport'];

export function needsOf(expression: Expression): Needs {
  const tests = testsIn(expression);
  const slices = tests.flatMap(({ operand: { name, slice } }) => (name === 'frame' && slice ? [slice.at + (slice.length ?? 0)] : []));
  return {
    tests: tests.length,
    depth: DEPTHS[Math.max(...tests.map(({ operand }) => DEPTHS.indexOf(depthOf(operand.name))))]!,
    frameBytes: isConjunction(expression) ? 0 : Math.max(0, ...slices),
  };
}

function depthOf(name: string): Depth {
  const layer = FIELDS.get(name)?.layer;
  switch (layer) {
    case 'frame':
      return 'frame';
    case 'eth':
    case 'eth.type':
    case 'vlan':
      return 'link';
    case 'ip':
    case 'ip.version':
    case 'ipv6':
      return 'network';
    default:
      return 'transport';
  }
}

function testsIn(expression: Expression): Test[] {
  switch (expression.kind) {
    case 'and':
    case 'or':
      return expression.of.flatMap(testsIn);
    case 'not':
      return testsIn(expression.of);
    default:
      return [expression];
  }
}

/** Tests joined by `and`, false where one of them is, and of slices none that wants others. */
function isConjunction(expression: Expression): boolean {
  if (expression.kind === 'and') return expression.of.every(isConjunction);
  return (
    expression.kind === 'exists' ||
    expression.kind === 'in' ||
    (expression.kind === 'compare' && !(expression.operand.slice && expression.relation === '!='))
  );
}
