/** Comparisons of one field that are or-ed become one, so that a thousand hosts cost little more than one. */
import { FIELDS } from './fields.js';
import type { Expression, Test } from './parser.js';

/** An expression that means the same. */
export function mergeTests(expression: Expression): Expression {
  switch (expression.kind) {
    case 'or':
      return joined('or', unite(partsOf('or', expression.of)));
    case 'and':
      return joined('and', refuseTogether(partsOf('and', expression.of)));
    case 'not':
      return { kind: 'not', of: mergeTests(expression.of) };
    default:
      return expression;
  }
}

function partsOf(kind: 'and' | 'or', of: readonly Expression[]): Expression[] {
  return of.flatMap((each) => {
    const part = mergeTests(each);
    return part.kind === kind ? part.of : [part];
  });
}

function joined(kind: 'and' | 'or', of: Expression[]): Expression {
  return of.length === 1 ? of[0]! : { kind, of };
}

/** `a != 1 and a != 2` is `a and not a in {1, 2}`, and `not a and not b` is `not (a or b)`. */
function refuseTogether(parts: readonly Expression[]): Expression[] {
  const out: Expression[] = [];
  const refused: Expression[] = [];
  for (const part of parts) {
    if (part.kind === 'not') refused.push(part.of);
    else if (part.kind === 'compare' && part.relation === '!=' && part.quantifier === 'all' && isPlain(part)) {
      out.push({ kind: 'exists', operand: part.operand });
      refused.push({ kind: 'in', operand: part.operand, elements: [{ low: part.value, high: null }] });
    } else out.push(part);
  }
  if (refused.length < 2) return [...parts];
  return [...out, { kind: 'not', of: joined('or', unite(partsOf('or', refused))) }];
}

/** Of numbers and addresses that are compared with values. */
function isPlain(test: Test & { kind: 'compare' | 'in' }): boolean {
  const { name, slice, mask } = test.operand;
  const type = FIELDS.get(name)?.type;
  if (slice || mask !== undefined || type === undefined || type === 'truth' || type === 'setting' || type === 'header') return false;
  return test.kind === 'in' || (test.value.kind === 'word' && !FIELDS.has(test.value.text));
}

function unite(parts: readonly Expression[]): Expression[] {
  const out: Expression[] = [];
  const groups = new Map<string, Test & { kind: 'in' }>();
  for (const part of parts) {
    const isOne = part.kind === 'in' || (part.kind === 'compare' && part.relation === '==' && part.quantifier === 'any');
    if (!isOne || !isPlain(part)) {
      out.push(part);
      continue;
    }
    const elements = part.kind === 'in' ? part.elements : [{ low: part.value, high: null }];
    const group = groups.get(part.operand.name);
    if (group) group.elements.push(...elements);
    else {
      const first: Test & { kind: 'in' } = { kind: 'in', operand: part.operand, elements: [...elements] };
      groups.set(part.operand.name, first);
      out.push(first);
    }
  }
  return out;
}
