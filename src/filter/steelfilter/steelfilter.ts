/** STEELFILTER texts to predicates and programs. */
import { SpillwayError } from '../../errors.js';
import { quoted, tooLong } from '../failures.js';
import { compilePredicate, type PredicateProgram } from '../predicate/program.js';
import type { Predicate } from '../predicate/predicate.js';
import { check } from './checker.js';
import { parse } from './parser.js';

/** Throws FILTER_INVALID, with the column, or FILTER_TOO_COMPLEX. */
export function readSteelfilter(text: string): Predicate {
  const long = tooLong(text);
  if (long) throw long;
  return check(text, parse(text));
}

/** The program of a text for a link type of capture files (LINKTYPE_). */
export function compileSteelfilter(text: string, linkType: number): PredicateProgram {
  const predicate = readSteelfilter(text);
  try {
    return compilePredicate(predicate, linkType);
  } catch (error) {
    if (error instanceof SpillwayError && error.code.startsWith('FILTER_'))
      throw new SpillwayError(error.code, `the filter ${quoted(text)} can not be compiled: ${error.message}`, error.metrics);
    throw error;
  }
}
