/**
 * Every filter text of the corpora that libpcap's maintainers say must compile, or must not. Where libpcap 1.10.3
 * itself answers otherwise, the row is listed in known/filter-text.json with the reason; the list must be exact.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SpillwayError } from '../../src/errors.js';
import { FilterCompiler } from '../../src/filter/compile.js';
import { linkTypeNumber } from '../../src/filter/linktypes.js';
import { corporaDir, hasCorpora, requireOrSkip } from '../setup/require.js';

interface Known {
  reasons: Record<string, string>;
  /** `file:line dlt expression`, under the key of its reason. */
  rows: Record<string, string[]>;
}

const known = JSON.parse(readFileSync(new URL('known/filter-text.json', import.meta.url), 'utf8')) as Known;

interface Row {
  id: string;
  dlt: string;
  expression: string;
  /** What libpcap's maintainers expect in the error; of must_reject only. */
  error: string | undefined;
}

function rowsOf(file: string): Row[] {
  const lines = readFileSync(join(corporaDir, 'bpf', file), 'utf8')
    .trimEnd()
    .split('\n');
  return lines.slice(1).map((line, i) => {
    const [dlt = '', expression = '', error] = line.split('\t');
    return { id: `${file}:${i + 2} ${dlt} ${expression}`, dlt, expression, error };
  });
}

/** `accepted`, or the code of the error. */
async function answer(compiler: FilterCompiler, row: Row): Promise<string> {
  const linkType = linkTypeNumber(row.dlt);
  if (linkType === undefined) return `unknown link type ${row.dlt}`;
  try {
    const { code, instructions } = await compiler.compile(row.expression, linkType);
    return code.length === instructions * 8 && instructions > 0 ? 'accepted' : 'an empty program';
  } catch (error) {
    return error instanceof SpillwayError ? error.code : String(error);
  }
}

const REFUSALS = ['FILTER_INVALID', 'FILTER_LINK_TYPE'];

describe.runIf(requireOrSkip('the corpora', hasCorpora()))('filter texts of the corpora', () => {
  const compiler = new FilterCompiler();
  // Fails with the one sentence that says what is missing, instead of differing in every row.
  beforeAll(() => compiler.compile('ip', 1));
  afterAll(() => compiler.close());

  async function check(file: string, agrees: (row: Row, answer: string) => boolean): Promise<void> {
    const rows = rowsOf(file);
    const answers = await Promise.all(rows.map((row) => answer(compiler, row)));
    const differing = rows.filter((row, i) => !agrees(row, answers[i] ?? '')).map(({ id }) => id);
    const listed = Object.values(known.rows)
      .flat()
      .filter((id) => id.startsWith(`${file}:`));
    console.log(`${file}: ${rows.length} rows, ${rows.length - differing.length} agree, ${differing.length} differ, ${listed.length} of them known`);
    expect(rows.length).toBeGreaterThan(0);
    expect(differing.filter((id) => !listed.includes(id))).toEqual([]);
    expect(listed.filter((id) => !differing.includes(id))).toEqual([]);
  }

  it('accepts what must be accepted', () => check('must_accept.tsv', (_row, got) => got === 'accepted'));

  it('refuses what must be refused', () =>
    check(
      'must_reject.tsv',
      // An expression that rejects all packets is accepted with a warning, and may as well be refused.
      ({ error }, got) => REFUSALS.includes(got) || (error === 'expression rejects all packets' && got === 'accepted'),
    ));

  it('accepts every expression for just the link types that it is accepted for', async () => {
    const lines = readFileSync(join(corporaDir, 'bpf', 'expressions.tsv'), 'utf8')
      .trimEnd()
      .split('\n')
      .slice(1);
    const expressions = lines.map((line) => {
      const [id = '', , , dlts = '', expression = ''] = line.split('\t');
      return { id, expression, dlts: new Set(dlts === '-' ? [] : dlts.split(',')) };
    });
    const every = [...new Set(expressions.flatMap(({ dlts }) => [...dlts]))];
    const rows = expressions.flatMap(({ id, expression, dlts }) =>
      every.map((dlt) => ({ row: { id: `${id} ${dlt} ${expression}`, dlt, expression, error: undefined }, accepted: dlts.has(dlt) })),
    );
    const answers = await Promise.all(rows.map(({ row }) => answer(compiler, row)));
    const agrees = (accepted: boolean, got: string) => (accepted ? got === 'accepted' : REFUSALS.includes(got));
    const differing = rows.filter(({ accepted }, i) => !agrees(accepted, answers[i] ?? '')).map(({ row }) => row.id);
    console.log(`expressions.tsv: ${rows.length} expressions by link types, ${rows.length - differing.length} agree`);
    expect(every.length).toBeGreaterThan(1);
    expect(differing).toEqual([]);
  }, 120_000);

  it('lists every known row once, with a reason', () => {
    const rows = Object.values(known.rows).flat();
    expect(new Set(rows).size).toBe(rows.length);
    expect(Object.keys(known.rows).sort()).toEqual(Object.keys(known.reasons).sort());
    for (const reason of Object.values(known.reasons)) expect(reason.length).toBeGreaterThan(20);
  });
});
