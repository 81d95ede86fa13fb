/**
 * From a formula to decisions on what a packet is: of which shape, with which protocol, from which end of the connection. Each of these
 * fields is looked at once at most, and only where it still matters; what is left then are tests of what the packet holds.
 */
import { SpillwayError } from '../../errors.js';
import { MAX_PROGRAM_INSTRUCTIONS } from '../limits.js';
import type { Field, FieldTable } from './fields.js';
import type { Formula, Formulas } from './formula.js';
import type { NumberSet } from './sets.js';

/** A formula is a test: its fields are looked at in its order. */
export type Decision = Formula | FieldDecision;

export interface FieldDecision {
  readonly kind: 'field';
  readonly field: Field;
  /** All values of the field in their order; neighbours differ. Equal decisions are one object. */
  readonly cases: readonly Case[];
}

export interface Case {
  readonly low: number;
  readonly high: number;
  readonly to: Decision;
}

export class Decider {
  readonly #formulas: Formulas;
  readonly #fields: FieldTable;
  readonly #byFormula = new Map<Formula, Decision>();
  readonly #known = new Map<string, FieldDecision>();
  readonly #ids = new Map<Decision, number>();

  constructor(formulas: Formulas, fields: FieldTable) {
    this.#formulas = formulas;
    this.#fields = fields;
  }

  decide(formula: Formula): Decision {
    const field = this.#fields.structural(formula.first);
    if (!field) return formula;
    const known = this.#byFormula.get(formula);
    if (known) return known;
    const decision = this.#split(formula, field);
    this.#byFormula.set(formula, decision);
    return decision;
  }

  #split(formula: Formula, field: Field): Decision {
    const cases: Case[] = [];
    let elsewhere: Decision | undefined;
    const decided = (value: number): Decision => this.decide(this.#formulas.where(formula, field, value));
    for (const { low, high, isNamed } of rangesOf(formula, field)) {
      // Where no comparison is true, the same is left everywhere.
      const to = isNamed ? decided(low) : (elsewhere ??= decided(low));
      const last = cases.at(-1);
      if (last?.to === to) cases[cases.length - 1] = { low: last.low, high, to };
      else cases.push({ low, high, to });
    }
    return cases.length === 1 ? cases[0]!.to : this.#unique(field, cases);
  }

  #unique(field: Field, cases: readonly Case[]): FieldDecision {
    const key = `${field.order} ${cases.map(({ high, to }) => `${high}:${this.#idOf(to)}`).join()}`;
    const known = this.#known.get(key);
    if (known) return known;
    // Each costs two instructions at least.
    if (2 * this.#known.size > MAX_PROGRAM_INSTRUCTIONS) throw new SpillwayError('FILTER_TOO_COMPLEX', 'the filter has too many cases');
    const decision: FieldDecision = { kind: 'field', field, cases };
    this.#known.set(key, decision);
    return decision;
  }

  #idOf(decision: Decision): number {
    const known = this.#ids.get(decision);
    if (known !== undefined) return known;
    this.#ids.set(decision, this.#ids.size);
    return this.#ids.size - 1;
  }
}

interface NamedRange {
  low: number;
  high: number;
  /** Some comparison is true there. */
  isNamed: boolean;
}

/** The field's values in ranges within which no comparison of the formula changes. */
function rangesOf(formula: Formula, field: Field): NamedRange[] {
  /** By where they begin: how many comparisons become true less those that become false. */
  const changes = new Map<number, number>([[0, 0]]);
  const change = (at: number, by: number): void => {
    if (at <= field.max) changes.set(at, (changes.get(at) ?? 0) + by);
  };
  for (const set of setsOn(formula, field, [])) {
    for (let i = 0; i < set.length; i += 2) {
      change(set[i]!, 1);
      change(set[i + 1]! + 1, -1);
    }
  }
  const starts = [...changes.keys()].sort((a, b) => a - b);
  let open = 0;
  return starts.map((low, i) => {
    open += changes.get(low)!;
    return { low, high: (starts[i + 1] ?? field.max + 1) - 1, isNamed: open > 0 };
  });
}

function setsOn(formula: Formula, field: Field, sets: NumberSet[]): NumberSet[] {
  if (formula.first !== field.order) return sets;
  if (formula.kind === 'in') sets.push(formula.set);
  for (const part of formula.parts ?? []) setsOn(part, field, sets);
  return sets;
}
