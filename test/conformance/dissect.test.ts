/**
 * Display filters against real captures: which packets pass is what tshark answers for the file itself. A seeded sample of the
 * rows goes through the whole engine, tshark included; `npm run conformance` takes them all.
 */
import { readFileSync, statSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { theTshark } from '../../src/dissect/tshark.js';
import { LEAST_EXTENT_BYTES } from '../../src/engine/limits.js';
import { SpillwayError } from '../../src/errors.js';
import { hasCorpora, hasProgram, requireOrSkip } from '../setup/require.js';
import { Agreement } from '../support/agreement.js';
import { chance } from '../support/chance.js';
import { cell, corpus, table } from '../support/corpora.js';
import { request, runExport } from '../support/engine.js';
import { sha16 } from '../support/matches.js';
import { records } from '../support/records.js';

type Row = Record<string, string>;

/** One in eight is answered by a program. */
const SAMPLE = 160;
/** Each of them takes a third of a second of a core, most of it while tshark starts. */
const AT_ONCE = 2;
const isWhole = process.env['SPILLWAY_CONFORMANCE'] === 'all';

const idOf = (row: Row): string => `${cell(row, 'file')} ${cell(row, 'filter_id')}`;

/** Numbers of the packets that pass, from 1; or the code of the refusal, or what went wrong. */
async function answerTo(row: Row): Promise<number[] | string> {
  try {
    const path = corpus('captures', cell(row, 'file'));
    const asked = request(path, { format: 'records', filters: [{ language: 'wireshark', text: cell(row, 'filter') }] });
    const { bytes } = await runExport(asked, { workers: 0 });
    // A record has its packet's number in its range; a small file is one range.
    if (statSync(path).size <= LEAST_EXTENT_BYTES) return [...records(bytes)].map(({ number }) => number);
    return numbersIn(await packetsOf(path), packetsIn(bytes));
  } catch (error) {
    if (error instanceof SpillwayError && error.code.startsWith('FILTER_')) return error.code;
    return String(error);
  }
}

/** What tells packets apart: time, lengths and bytes, as one text. */
function packetsIn(bytes: Uint8Array): string[] {
  return [...records(bytes)].map(({ seconds, nanos, wirelen, data }) => `${seconds} ${nanos} ${wirelen} ${data.toString('base64')}`);
}

let held: { path: string; packets: Promise<string[]> } | null = null;

/** Of the file that was asked for last. */
function packetsOf(path: string): Promise<string[]> {
  if (held?.path !== path)
    held = { path, packets: runExport(request(path, { format: 'records' }), { workers: 0 }).then(({ bytes }) => packetsIn(bytes)) };
  return held.packets;
}

/** Where `some` stand in `all`, counted from 1; of packets that are the same in everything, the first ones. */
function numbersIn(all: readonly string[], some: readonly string[]): number[] {
  let at = 0;
  return some.map((packet) => {
    at = all.indexOf(packet, at) + 1;
    if (at === 0) throw new Error('a packet went out that the source does not have, or not there');
    return at;
  });
}

function judge(row: Row, answer: number[] | string): string | null {
  const wanted = cell(row, 'matches');
  if (typeof answer === 'string') return wanted === 'ERR' && answer.startsWith('FILTER_') ? null : `${answer}, not ${wanted} packets`;
  if (wanted === 'ERR') return 'accepted, not refused';
  if (answer.length !== Number(wanted)) return `${answer.length} packets, not ${wanted}`;
  return sha16(answer) === cell(row, 'matched_sha16') ? null : `${wanted} packets, but others`;
}

/** The same ones for the same seed. */
function sample(rows: readonly Row[], count: number, seed: number): Row[] {
  const random = chance(seed);
  const left = [...rows];
  return Array.from({ length: Math.min(count, left.length) }, () => left.splice(Math.floor(random() * left.length), 1)[0]!);
}

async function check(name: string, rows: readonly Row[]): Promise<void> {
  const agreement = new Agreement(name);
  // By file, which is read once for all of its rows then.
  const queue = [...rows].sort((a, b) => (idOf(a) < idOf(b) ? -1 : 1));
  const worker = async (): Promise<void> => {
    for (let row = queue.shift(); row; row = queue.shift()) agreement.row(idOf(row), judge(row, await answerTo(row)));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  agreement.conclude(rows.length);
}

const isThere = requireOrSkip('the corpora', hasCorpora()) && requireOrSkip('tshark', hasProgram('tshark'));

describe.runIf(isThere)('display filters on the captures of the corpora, through tshark', () => {
  const listed = JSON.parse(readFileSync(new URL('known/dfilter.json', import.meta.url), 'utf8')) as { rows: Record<string, string[]> };
  const known = new Set(Object.values(listed.rows).flat());

  it(
    `let through what tshark lets through, ${isWhole ? 'all of them' : 'a sample'}`,
    async () => {
      if (isWhole) return check('dfilter', table('dfilter', 'golden.tsv'));
      const rows = table('dfilter', 'golden.tsv').filter((row) => !known.has(idOf(row)));
      const chosen = sample(rows, SAMPLE, 5);
      // Those that are accepted need not be looked at one by one before they run: that would be another start of tshark for each.
      const tshark = await theTshark();
      for (const row of chosen) if (cell(row, 'matches') !== 'ERR') tshark.known.add(cell(row, 'filter'));
      expect(new Set(chosen.map((row) => cell(row, 'filter_id'))).size).toBeGreaterThan(100);
      await check('dfilter-sample', chosen);
    },
    isWhole ? 7_200_000 : 300_000,
  );
});
