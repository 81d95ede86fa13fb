/** Predicates to classic-BPF programs: condition, decisions, instructions. */
import { conditionOf } from './condition.js';
import { Decider } from './decisions.js';
import { FieldTable } from './fields.js';
import { Formulas } from './formula.js';
import { mergeComparisons } from './merge.js';
import type { Predicate } from './predicate.js';
import { shapesOf } from './shapes.js';
import { Writer } from './writer.js';

export interface PredicateProgram {
  /** 8 bytes an instruction, little-endian `u16 code, u8 jt, u8 jf, u32 k`. */
  code: Uint8Array;
  /** No packet can match. */
  rejectsAll: boolean;
}

/** Throws FILTER_LINK_TYPE where packets of the link type are not known, and FILTER_TOO_COMPLEX. */
export function compilePredicate(predicate: Predicate, linkType: number): PredicateProgram {
  const formulas = new Formulas();
  const fields = new FieldTable();
  const shapes = shapesOf(linkType, formulas, fields);
  const decision = new Decider(formulas, fields).decide(conditionOf(mergeComparisons(predicate), shapes, formulas));
  return { code: new Writer().write(decision), rejectsAll: decision.kind === 'false' };
}
