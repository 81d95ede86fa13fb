/** Comparisons of one field that are or-ed become one, so that a thousand hosts cost little more than one. */
import type { Predicate } from './predicate.js';
import { unionOf } from './sets.js';

/** A predicate that means the same. */
export function mergeComparisons(predicate: Predicate): Predicate {
  switch (predicate.kind) {
    case 'or':
      return joined('or', unite(partsOf('or', predicate.of)));
    case 'and':
      return joined('and', refuseTogether(partsOf('and', predicate.of)));
    case 'not':
      return { kind: 'not', of: mergeComparisons(predicate.of) };
    default:
      return predicate;
  }
}

function partsOf(kind: 'and' | 'or', of: readonly Predicate[]): Predicate[] {
  return of.flatMap((each) => {
    const part = mergeComparisons(each);
    return part.kind === kind ? part.of : [part];
  });
}

function joined(kind: 'and' | 'or', of: readonly Predicate[]): Predicate {
  return of.length === 1 ? of[0]! : { kind, of };
}

/** `not a and not b` is `not (a or b)`. */
function refuseTogether(parts: readonly Predicate[]): Predicate[] {
  const refused = parts.flatMap((part) => (part.kind === 'not' ? [part.of] : []));
  if (refused.length < 2) return [...parts];
  return [...parts.filter(({ kind }) => kind !== 'not'), { kind: 'not', of: joined('or', unite(partsOf('or', refused))) }];
}

function unite(parts: readonly Predicate[]): Predicate[] {
  const groups = new Map<string | Predicate, Predicate[]>();
  for (const part of parts) {
    const key = fieldOf(part) ?? part;
    const group = groups.get(key);
    if (group) group.push(part);
    else groups.set(key, [part]);
  }
  return [...groups.values()].map(united);
}

/** What the comparison is of; undefined for what is none. */
function fieldOf(part: Predicate): string | undefined {
  switch (part.kind) {
    case 'ip':
      return `ip ${part.side} ${part.tcp}`;
    case 'mac':
      return `mac ${part.side}`;
    case 'port':
      return `port ${part.transport} ${part.side}`;
    case 'protocol':
    case 'vlan':
      return part.kind;
    default:
      return undefined;
  }
}

function united(group: readonly Predicate[]): Predicate {
  const [first] = group;
  if (group.length === 1) return first!;
  if ('values' in first!) return { ...first, values: unionOf(group.flatMap((each) => ('values' in each ? [each.values] : []))) };
  return { ...first!, addresses: group.flatMap((each) => ('addresses' in each ? each.addresses : [])) } as Predicate;
}
