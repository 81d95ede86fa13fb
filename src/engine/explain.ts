/** What becomes of each filter of an export, by itself: who answers it, by what program, and what the indexes let it leave out. */
import { disassemble } from '../filter/disassemble.js';
import { compileText, textOf, type FilterText } from '../filter/languages.js';
import { needsText } from '../filter/needs.js';
import { estimate, type Estimate } from './estimate.js';
import { estimateDissected } from './estimate-dissected.js';
import { Filters } from './filters.js';
import type { Plan } from './plan.js';
import type { Pool } from './pool.js';
import { translated } from './translated.js';

/** For the packets of one link type (its number in capture files). */
export interface ProgramExplained {
  linkType: number;
  /** One instruction each. */
  program: string[];
  /** What an index is asked for: a block must hold all of these; none: everything is read. */
  needs: string[];
}

/**
 * `program`: the scan answers. `tshark`: tshark does, of every packet. `program or tshark`: the scan, where a reading before finds every packet
 * to be one of which the program's answer is surely tshark's; else tshark.
 */
export type Engine = 'program' | 'tshark' | 'program or tshark';

export interface FilterExplained {
  language: Exclude<FilterText, string>['language'];
  text: string;
  engine: Engine;
  programs: ProgramExplained[];
  /** Of an export with this filter alone. */
  estimate: Estimate;
}

export async function explain(plan: Plan, kept: Pool | undefined): Promise<FilterExplained[]> {
  const all: FilterExplained[] = [];
  for (const filter of plan.request.filters) all.push(await explainOne(filter, plan, kept));
  return all;
}

async function explainOne(filter: FilterText, plan: Plan, kept: Pool | undefined): Promise<FilterExplained> {
  const language = typeof filter === 'string' ? 'bpf' : filter.language;
  const text = textOf(filter);
  if (language !== 'wireshark') {
    const filters = await compiled([filter], plan);
    const figures = await estimate({ ...plan, filters, dissected: [], translated: null }, kept);
    return { language, text, engine: 'program', programs: programsOf(filters), estimate: figures };
  }
  const programs = await translated([], [text], plan.linkTypes, undefined);
  const alone = { ...plan, filters: await compiled([], plan), dissected: [text], translated: programs };
  const figures = await estimateDissected(alone, kept);
  return { language, text, engine: programs ? 'program or tshark' : 'tshark', programs: programs ? programsOf(programs) : [], estimate: figures };
}

async function compiled(filters: FilterText[], { linkTypes }: Plan): Promise<Filters> {
  const all = new Filters(filters, compileText);
  for (const linkType of linkTypes) await all.compileFor(linkType);
  return all;
}

function programsOf(filters: Filters): ProgramExplained[] {
  return filters.programsOf(0).map(({ linkType, code }) => ({ linkType, program: disassemble(code), needs: needsText(code, linkType) }));
}
