/**
 * Filters against real captures: which packets pass, for every expression and capture of the corpora, is what tcpdump
 * answers. Compiled by the real helper, run by the real scan loop.
 */
import { afterAll, beforeAll, describe, it } from 'vitest';
import { FilterCompiler } from '../../src/filter/compile.js';
import { hasCorpora, requireOrSkip } from '../setup/require.js';
import { Agreement } from '../support/agreement.js';
import { cell, corpus, groupBy, table } from '../support/corpora.js';
import { compiled, FilteredFile, sha16, type Compiled } from '../support/matches.js';

type Row = Record<string, string>;

/** What is wrong with the answer, or null. */
type Judge = (row: Row, program: Compiled, file: FilteredFile) => string | null;

/** `ERR`: any refusal counts. `0*`: libpcap says that the expression rejects all packets: a refusal or no packet. */
const judgeCount: Judge = (row, program, file) => {
  const wanted = cell(row, 'matches');
  if (typeof program === 'string') return wanted === 'ERR' || wanted === '0*' ? null : `${program}, not ${wanted} packets`;
  if (wanted === 'ERR') return 'accepted, not refused';
  const numbers = file.matches(program);
  const count = wanted === '0*' ? 0 : Number(wanted);
  if (numbers.length !== count) return `${numbers.length} packets, not ${wanted}`;
  return wanted === '0*' || sha16(numbers) === cell(row, 'matched_sha16') ? null : `${count} packets, but others`;
};

const judgeBits: Judge = (row, program, file) => {
  const wanted = cell(row, 'match_bit_per_packet');
  if (typeof program === 'string') return `${program}, not ${wanted}`;
  const passing = new Set(file.matches(program));
  const bits = Array.from({ length: file.packets }, (_, i) => (passing.has(i + 1) ? '1' : '0')).join('');
  return bits === wanted ? null : `${bits}, not ${wanted}`;
};

describe.runIf(requireOrSkip('the corpora', hasCorpora()))('filters on the captures of the corpora', () => {
  const compiler = new FilterCompiler();
  beforeAll(() => compiler.compile('ip', 1));
  afterAll(() => compiler.close());

  async function check(name: string, rows: Row[], folder: string[], idOf: (row: Row) => string, judge: Judge): Promise<void> {
    const agreement = new Agreement(name);
    // Programs of the link types met so far, by text.
    const programs = new Map<number, Map<string, Promise<Compiled>>>();
    for (const [fileName, rowsOfFile] of groupBy(rows, (row) => cell(row, 'file'))) {
      const file = new FilteredFile(corpus(...folder, fileName));
      const known = programs.get(file.linkType) ?? new Map<string, Promise<Compiled>>();
      programs.set(file.linkType, known);
      for (const row of rowsOfFile) {
        const text = cell(row, 'expression');
        if (!known.has(text)) known.set(text, compiled(compiler, text, file.linkType));
      }
      for (const row of rowsOfFile) agreement.row(idOf(row), judge(row, (await known.get(cell(row, 'expression')))!, file));
      file.close();
    }
    agreement.conclude(rows.length);
  }
  const byText = (row: Row): string => `${cell(row, 'file')} ${cell(row, 'expression')}`;

  it(
    'lets through what tcpdump lets through',
    () => check('bpf-golden', table('bpf', 'golden.tsv'), ['captures'], (row) => `${cell(row, 'file')} ${cell(row, 'expr_id')}`, judgeCount),
    300_000,
  );

  it(
    'lets through what libpcap lets through, for random expressions',
    () => check('bpf-random', table('bpf', 'random.tsv'), ['captures'], byText, judgeCount),
    300_000,
  );

  it('decides on each packet as libpcap’s own tests want it', () =>
    check('bpf-apply', table('bpf', 'apply_per_packet.tsv'), ['bpf', 'apply_captures'], byText, judgeBits));
});
