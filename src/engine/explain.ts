/** What becomes of each filter of an export, by itself: who answers it, by what program, and what the indexes let it leave out. */
import { disassemble } from '../filter/disassemble.js';
import { textOf, type FilterText } from '../filter/languages.js';
import { needsText } from '../filter/needs.js';
import { estimate, type Estimate } from './estimate.js';
import type { Plan } from './plan.js';
import type { Pool } from './pool.js';

/** For the packets of one link type (its number in capture files). */
export interface ProgramExplained {
  linkType: number;
  /** One instruction each. */
  program: string[];
  /** What an index is asked for: a block must hold all of these; none: everything is read. */
  needs: string[];
}

export interface FilterExplained {
  language: Exclude<FilterText, string>['language'];
  text: string;
  programs: ProgramExplained[];
  /** Of an export with this filter alone. */
  estimate: Estimate;
}

export async function explain(plan: Plan, kept: Pool | undefined): Promise<FilterExplained[]> {
  const all: FilterExplained[] = [];
  for (const [i, filter] of plan.request.filters.entries()) {
    const filters = plan.filters.only(i);
    all.push({
      language: typeof filter === 'string' ? 'bpf' : filter.language,
      text: textOf(filter),
      programs: filters.programsOf(0).map(({ linkType, code }) => ({ linkType, program: disassemble(code), needs: needsText(code, linkType) })),
      estimate: await estimate({ ...plan, filters }, kept),
    });
  }
  return all;
}
