/** The result as a table for people and as JSON for programs. */
import type { Machine } from './machine.js';
import type { Options } from './options.js';
import type { Figures, Goal, Row } from './row.js';
import { geometricMean } from './stats.js';

const LEAST_MEAN = 2.2;
/** Rows that the mean must stand on: four filters on two profiles. */
const MEAN_ROWS = 8;

export interface Result {
  machine: Machine;
  versions: Record<string, string>;
  settings: Pick<Options, 'quick' | 'bytes' | 'repeats' | 'seed'>;
  rows: Row[];
  mean: { ratio: number; rows: number; goal: Goal | null } | null;
  /** Cases that were not run, each with the reason. */
  skipped: string[];
}

/** The geometric mean over the rows that enter it; its goal only counts when all of them are there. */
export function meanOf(rows: readonly Row[]): Result['mean'] {
  const ratios = rows.flatMap((row) => (row.inMean && row.ratio !== null ? [row.ratio] : []));
  if (ratios.length === 0) return null;
  const ratio = geometricMean(ratios);
  return { ratio, rows: ratios.length, goal: ratios.length === MEAN_ROWS ? { text: `≥ ${LEAST_MEAN}×`, reached: ratio >= LEAST_MEAN } : null };
}

/** One sentence for every goal that was not reached, and every case that could not run. */
export function misses({ rows, mean, skipped }: Result): string[] {
  const missed = rows
    .filter(({ goal }) => goal?.reached === false)
    .map((row) => `${row.case}, ${row.what}, ${row.input}: ${row.note ?? ''} ${mark(row)}`);
  if (mean?.goal?.reached === false) missed.push(`tcpdump, geometric mean: ${mean.ratio.toFixed(2)}× ${mean.goal.text}`);
  return [...missed, ...skipped];
}

function seconds(value: number): string {
  if (value === 0) return '';
  if (value < 1e-6) return `${(value * 1e9).toFixed(0)} ns`;
  if (value < 1e-4) return `${(value * 1e6).toFixed(2)} µs`;
  return value < 1 ? `${(value * 1000).toFixed(value < 0.1 ? 1 : 0)} ms` : `${value.toFixed(2)} s`;
}

function wall({ wallSeconds: { median, min, max } }: Figures): string {
  return `${seconds(median)} (${seconds(min)} – ${seconds(max)})`;
}

const mark = ({ ratio, goal }: Row): string =>
  [ratio === null ? '' : `${ratio.toFixed(2)}×`, goal === null ? '' : `${goal.text} ${goal.reached ? 'reached' : 'MISSED'}`]
    .filter((text) => text !== '')
    .join(', ');

const HEAD = ['case', 'work', 'input', 'ours: wall (min – max)', 'CPU', 'peer', 'peer: wall (min – max)', 'CPU', 'ratio, goal', 'note'];

/** A Markdown table, aligned, so that it reads on a terminal as well as on a page. */
export function table({ rows, mean, skipped, machine, versions, settings }: Result): string {
  const cells = rows.map((row) => [
    row.case,
    row.what,
    row.input,
    wall(row.ours),
    seconds(row.ours.cpuSeconds.median),
    row.peer?.tool ?? '',
    row.peer === null ? '' : wall(row.peer),
    row.peer === null ? '' : seconds(row.peer.cpuSeconds.median),
    mark(row),
    row.note ?? '',
  ]);
  const widths = HEAD.map((head, i) => Math.max(...[head, ...cells.map((line) => line[i]!)].map((text) => text.length)));
  const line = (texts: string[]): string => `| ${texts.map((text, i) => text.padEnd(widths[i]!)).join(' | ')} |`;
  const lines = [line(HEAD), line(widths.map((width) => '-'.repeat(width))), ...cells.map(line), ''];
  if (mean !== null) {
    const goal = mean.goal === null ? 'no goal without all eight' : `${mean.goal.text} ${mean.goal.reached ? 'reached' : 'MISSED'}`;
    lines.push(`Geometric mean of the ${mean.rows} tcpdump rows to a pipe: ${mean.ratio.toFixed(2)}×, ${goal}.`);
  }
  lines.push(
    ...skipped,
    `${machine.cpu}, ${machine.cores} cores, ${Math.round(machine.memoryBytes / 2 ** 30)} GiB; ${machine.system}, Linux ${machine.kernel}.`,
  );
  lines.push(
    `${Object.entries(versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(', ')}.`,
  );
  lines.push(
    `Median of ${settings.repeats} runs each in turn, fresh processes, input in the page cache, seed ${settings.seed}${settings.quick ? '; quick mode: start-up weighs far more than in a full run' : ''}.`,
  );
  return lines.join('\n');
}
