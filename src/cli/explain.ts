/** `filter --explain SOURCE`: who answers a filter over a source, by what program, and what the indexes let it leave out. */
import type { Engine, FilterExplained } from '../engine/explain.js';
import type { FilterText } from '../filter/languages.js';
import { linkTypeName } from '../filter/linktypes.js';
import { Captured } from './captured.js';
import { estimateText } from './dry-run.js';
import { exportArguments } from './export-arguments.js';
import { namedBy, requestOf } from './export.js';
import { fail } from './fail.js';
import type { Parsed } from './flags.js';
import type { Io } from './io.js';

type Language = Exclude<FilterText, string>['language'];

/** The flag of `export` by which a filter of the language is given. */
const FLAG: Record<Language, string> = { bpf: 'filter', steelfilter: 'steel', wireshark: 'display-filter' };

const ANSWERS: Record<Engine, string> = {
  program: 'a program',
  tshark: 'tshark, which sees every packet',
  'program or tshark': 'a program, where a first reading finds every packet certain; else tshark, which sees every packet',
};

export async function explain(language: Language, text: string, parsed: Parsed, io: Io): Promise<number> {
  const values = new Map(parsed.values).set(FLAG[language], [text]);
  // Of `filter` it says of which language the text is.
  for (const flag of ['steel', 'display-filter']) if (flag !== FLAG[language]) values.delete(flag);
  const given = exportArguments({ ...parsed, operands: parsed.values.get('explain') ?? [], values });
  const named = await namedBy(given.sources, io);
  const captured = new Captured(parsed, given, named, io);
  const signal = captured.interruptedBy(io.interrupt());
  try {
    const { prepareExport } = await import('../engine/export.js');
    const prepared = await prepareExport(await requestOf(given, named, captured, signal, null, undefined));
    try {
      for (const each of await prepared.explain()) io.stdout.write(`${explainText(each)}\n`);
    } finally {
      await prepared.close();
    }
    return 0;
  } catch (error) {
    return fail(error, io, signal);
  } finally {
    await captured.close();
  }
}

function explainText({ engine, programs, estimate }: FilterExplained): string {
  const { blocks, blocksToRead } = estimate;
  const lines = [`answer   by ${ANSWERS[engine]}`, estimateText(estimate)];
  if (blocks > 0) lines.push(`blocks   ${blocksToRead} to read, ${blocks - blocksToRead} skipped`);
  for (const { linkType, program, needs } of programs) {
    lines.push(
      `needs    ${needs.length === 0 ? 'nothing that an index knows' : needs.join('; ')}`,
      `program  for ${linkTypeName(linkType)}`,
      ...program,
    );
  }
  return lines.join('\n');
}
