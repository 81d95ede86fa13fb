/**
 * Display filters against real captures: where a filter is translated and every packet of a file is certain, the packets that the program lets
 * through are those that tshark finds. The other rows are for tshark itself.
 */
import { describe, expect, it } from 'vitest';
import { SpillwayError } from '../../src/errors.js';
import { translateWireshark, type TranslatedFilter } from '../../src/filter/wireshark/wireshark.js';
import { hasCorpora, requireOrSkip } from '../setup/require.js';
import { Agreement } from '../support/agreement.js';
import { cell, corpus, groupBy, table } from '../support/corpora.js';
import { FilteredFile, sha16 } from '../support/matches.js';

type Row = Record<string, string>;

const BASIC_TAGS = ['frame', 'eth', 'ip', 'ipv6', 'tcp', 'udp', 'icmp-arp', 'bool'];

const known = new Map<string, TranslatedFilter | null>();

/** Null where tshark must answer or refuse. */
function translated(text: string, linkType: number): TranslatedFilter | null {
  const key = `${linkType} ${text}`;
  let found = known.get(key);
  if (found === undefined) {
    try {
      found = translateWireshark(text, linkType);
    } catch (error) {
      if (!(error instanceof SpillwayError)) throw error;
      found = null;
    }
    known.set(key, found);
  }
  return found;
}

/** The numbers of the packets that the filter lets through; null where the row is for tshark. */
function native(text: string, file: FilteredFile): number[] | null {
  const programs = file.linkTypes.map((linkType) => ({ linkType, found: translated(text, linkType) }));
  const of = (which: keyof TranslatedFilter): { linkType: number; code: Uint8Array }[] =>
    programs.flatMap(({ linkType, found }) => (found ? [{ linkType, code: found[which] }] : []));
  if (of('answer').length < programs.length || file.matchesOf(of('certain')).length < file.packets) return null;
  return file.matchesOf(of('answer'));
}

/** Whether a row of a file was answered natively: for each row in its turn. */
function judge(rows: Row[], folder: string[], done: (row: Row, numbers: number[] | null) => void): void {
  for (const [name, rowsOfFile] of groupBy(rows, (row) => cell(row, 'file'))) {
    // Compressed ones are not for the scan alone.
    const file = name.endsWith('.gz') ? null : new FilteredFile(corpus(...folder, name));
    for (const row of rowsOfFile) done(row, file && native(cell(row, 'filter'), file));
    file?.close();
  }
}

describe.runIf(requireOrSkip('the corpora', hasCorpora()))('display filters on the captures of the corpora', () => {
  it('lets through what tshark lets through', () => {
    const agreement = new Agreement('dfilter-golden');
    const nativeOn = new Map<string, { matching: number; files: number; of: number }>();
    let rows = 0;
    const golden = table('dfilter', 'golden.tsv');
    judge(golden, ['captures'], (row, numbers) => {
      const [filter, matches] = [cell(row, 'filter'), cell(row, 'matches')];
      const count = nativeOn.get(filter) ?? { matching: 0, files: 0, of: 0 };
      nativeOn.set(filter, count);
      count.of += 1;
      if (matches === 'ERR') expect(translated(filter, 1), filter).toBe(null);
      if (!numbers) return;
      rows += 1;
      count.files += 1;
      count.matching += Number(matches !== '0');
      const isRight = String(numbers.length) === matches && (numbers.length === 0 || sha16(numbers) === cell(row, 'matched_sha16'));
      agreement.row(`${cell(row, 'file')} ${cell(row, 'filter_id')}`, isRight ? null : `${filter}: ${numbers.length} packets, not ${matches}`);
    });
    const basic = table('dfilter', 'filters.tsv').filter((row) => BASIC_TAGS.includes(cell(row, 'tag')));
    const translatable = basic.filter((row) => translated(cell(row, 'filter'), 1));
    const natively = translatable.filter((row) => {
      const { matching, files, of } = nativeOn.get(cell(row, 'filter')) ?? { matching: 0, files: 0, of: 0 };
      return matching > 0 || 2 * files > of;
    });
    const basicRows = golden.filter((row) => basic.some((filter) => cell(filter, 'id') === cell(row, 'filter_id')));
    const basicNative = basic.reduce((sum, row) => sum + (nativeOn.get(cell(row, 'filter'))?.files ?? 0), 0);
    console.log(
      `dfilter-golden: ${rows} of ${golden.length} rows natively, ${golden.length - rows} for tshark; of ${basic.length} basic filters ${translatable.length} are translated, ` +
        `${natively.length} answered natively, on ${basicNative} of ${basicRows.length} rows`,
    );
    expect(natively.length / basic.length).toBeGreaterThan(0.6);
    agreement.conclude(1200);
  }, 300_000);

  it('answers Wireshark’s own tests as it does', () => {
    const agreement = new Agreement('dfilter-wireshark-suite');
    judge(table('dfilter', 'wireshark_suite.tsv'), ['dfilter', 'wireshark_suite_captures'], (row, numbers) => {
      const [kind, expected, filter] = [cell(row, 'kind'), cell(row, 'expected'), cell(row, 'filter')];
      if (kind === 'fail') expect(translated(filter, 1), filter).toBe(null);
      if (!numbers) return;
      const isRight = kind === 'succeed' || (kind === 'count' && String(numbers.length) === expected);
      agreement.row(`${cell(row, 'file')} ${filter}`, isRight ? null : `${numbers.length} packets, not ${kind} ${expected}`);
    });
    agreement.conclude(25);
  }, 300_000);
});
