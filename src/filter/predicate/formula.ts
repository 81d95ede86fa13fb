/**
 * Formulas over fields: and, or, and `field in set`. Equal formulas are one object, so that what has been worked out for one
 * is known for all. Negation is pushed down to the sets.
 */
import { SpillwayError } from '../../errors.js';
import { MAX_FORMULA_WORK } from '../limits.js';
import type { Field } from './fields.js';
import { complementOf, contains, intersectionOf, isFull, unionOf, type NumberSet } from './sets.js';

interface Node {
  readonly id: number;
  /** The order of the first field in it; those before are decided. */
  readonly first: number;
}
export type Formula =
  | (Node & { readonly kind: 'true'; readonly parts?: undefined })
  | (Node & { readonly kind: 'false'; readonly parts?: undefined })
  | (Node & { readonly kind: 'in'; readonly field: Field; readonly set: NumberSet; readonly parts?: undefined })
  /**
   * Parts whose first fields differ, in their order; or parts that all have the same one: a bundle, which can be a part of such a
   * formula. So what does not look at a field is passed on as it is when that field is decided.
   */
  | (Node & { readonly kind: 'and' | 'or'; readonly parts: readonly Formula[]; readonly isBundle: boolean });
type Joined = 'and' | 'or';

export class Formulas {
  readonly true: Formula = { id: 0, kind: 'true', first: Infinity };
  readonly false: Formula = { id: 1, kind: 'false', first: Infinity };
  readonly #known = new Map<string, Formula>();
  readonly #negations = new Map<Formula, Formula>();
  #work = 0;

  in(field: Field, set: NumberSet): Formula {
    if (set.length === 0) return this.false;
    if (isFull(set, field.max)) return this.true;
    return this.#unique(`${field.order}:${set.join()}`, (id) => ({ id, kind: 'in', first: field.order, field, set }));
  }

  and(...parts: readonly Formula[]): Formula {
    return this.join('and', parts);
  }

  or(...parts: readonly Formula[]): Formula {
    return this.join('or', parts);
  }

  not(formula: Formula): Formula {
    const known = this.#negations.get(formula);
    if (known) return known;
    const negation = this.#negated(formula);
    this.#negations.set(formula, negation);
    return negation;
  }

  join(kind: Joined, parts: readonly Formula[]): Formula {
    const [neutral, decisive] = kind === 'and' ? [this.true, this.false] : [this.false, this.true];
    const byFirst = new Map<number, Formula[]>();
    const put = (part: Formula): void => {
      const others = byFirst.get(part.first);
      if (others) others.push(part);
      else byFirst.set(part.first, [part]);
    };
    for (const part of parts) {
      if (part === decisive) return decisive;
      if (part === neutral) continue;
      if (part.kind === kind && !part.isBundle) part.parts.forEach(put);
      else put(part);
    }
    this.#count(byFirst.size);
    const joined: Formula[] = [];
    for (const bundle of byFirst.values()) {
      const one = this.#bundle(kind, bundle, neutral);
      if (one === decisive) return decisive;
      if (one !== neutral) joined.push(one);
    }
    if (joined.length === 0) return neutral;
    if (joined.length === 1) return joined[0]!;
    joined.sort((a, b) => a.first - b.first);
    return this.#joined(kind, joined, false);
  }

  /** The formula where its first field is `value`. */
  where(formula: Formula, field: Field, value: number): Formula {
    if (formula.first !== field.order) return formula;
    this.#count(1);
    if (formula.kind === 'in') return contains(formula.set, value) ? this.true : this.false;
    if (formula.kind === 'true' || formula.kind === 'false') return formula;
    const decisive = formula.kind === 'and' ? this.false : this.true;
    const parts: Formula[] = [];
    for (const part of formula.parts) {
      const left = this.where(part, field, value);
      if (left === decisive) return decisive;
      parts.push(left);
    }
    return this.join(formula.kind, parts);
  }

  /** All of one first field: comparisons become one. */
  #bundle(kind: Joined, parts: readonly Formula[], neutral: Formula): Formula {
    if (parts.length === 1) return parts[0]!;
    const opened = parts.flatMap((part) => (part.parts && part.kind === kind ? part.parts : [part]));
    this.#count(opened.length);
    const sets: NumberSet[] = [];
    const others = new Set<Formula>();
    let field: Field | undefined;
    for (const part of opened) {
      if (part.kind === 'in') {
        sets.push(part.set);
        field = part.field;
      } else others.add(part);
    }
    const items = [...others];
    if (field) {
      const compared = this.in(field, kind === 'and' ? intersectionOf(sets, field.max) : unionOf(sets));
      if (compared.kind !== 'in' && compared !== neutral) return compared;
      if (compared !== neutral) items.push(compared);
    }
    if (items.length === 0) return neutral;
    if (items.length === 1) return items[0]!;
    items.sort((a, b) => a.id - b.id);
    return this.#joined(kind, items, true);
  }

  #joined(kind: Joined, parts: readonly Formula[], isBundle: boolean): Formula {
    const key = `${kind} ${parts.map(({ id }) => id).join()}`;
    return this.#unique(key, (id) => ({ id, kind, first: parts[0]!.first, parts, isBundle }));
  }

  #negated(formula: Formula): Formula {
    switch (formula.kind) {
      case 'true':
        return this.false;
      case 'false':
        return this.true;
      case 'in':
        return this.in(formula.field, complementOf(formula.set, formula.field.max));
      default:
        return this.join(
          formula.kind === 'and' ? 'or' : 'and',
          formula.parts.map((part) => this.not(part)),
        );
    }
  }

  #unique(key: string, make: (id: number) => Formula): Formula {
    const known = this.#known.get(key);
    if (known) return known;
    const formula = make(this.#known.size + 2);
    this.#known.set(key, formula);
    return formula;
  }

  #count(work: number): void {
    this.#work += work;
    if (this.#work > MAX_FORMULA_WORK) throw new SpillwayError('FILTER_TOO_COMPLEX', 'the filter compares too many fields with one another');
  }
}
