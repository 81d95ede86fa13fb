/** The result: which goals count, what the mean stands on, and what the table says. */
import { describe, expect, it } from 'vitest';
import { meanOf, misses, table, type Result } from '../../bench/report.js';
import { atLeast, extrapolated, figures, ratioOf, type Figures, type Row } from '../../bench/row.js';

const taking = (tool: string, ...wallSeconds: number[]): Figures =>
  figures(
    tool,
    wallSeconds.map((seconds) => ({ wallSeconds: seconds, cpuSeconds: seconds / 2, bytes: 10, peakAnonBytes: 0 })),
  );

function row(change: Partial<Row> = {}): Row {
  const [ours, peer] = [taking('spillway', 1, 2, 3), taking('tcpdump', 4, 5, 6)];
  const ratio = ratioOf(ours, peer);
  return { case: 'tcpdump', what: 'no filter', input: 'imix', ours, peer, ratio, goal: atLeast(ratio, 1.5), inMean: true, note: null, ...change };
}

const result = (change: Partial<Result> = {}): Result => ({
  machine: { cpu: 'a CPU', cores: 2, memoryBytes: 2 ** 34, kernel: '6.1', system: 'Debian' },
  versions: { node: 'v20.0.0' },
  settings: { quick: false, bytes: 2 ** 32, repeats: 5, seed: 1 },
  rows: [row()],
  mean: null,
  skipped: [],
  ...change,
});

describe('rows', () => {
  it('compare medians: how many times as fast as the peer', () => {
    expect(row().ratio).toBe(2.5);
    expect(atLeast(2.5, 2.5)).toEqual({ text: '≥ 2.5×', reached: true });
    expect(atLeast(2.49, 2.5).reached).toBe(false);
  });

  it('extrapolate times and nothing else', () => {
    const double = extrapolated(taking('x', 1, 2, 3), 2);
    expect(double.wallSeconds.median).toBe(4);
    expect(double.cpuSeconds.median).toBe(2);
    expect(double.outputBytes).toBe(10);
  });
});

describe('the mean', () => {
  it('is geometric, over the rows that enter it', () => {
    expect(meanOf([row({ ratio: 2 }), row({ ratio: 8 }), row({ ratio: 1000, inMean: false })])).toMatchObject({ ratio: 4, rows: 2, goal: null });
    expect(meanOf([row({ inMean: false })])).toBeNull();
  });

  it('has a goal only when all eight rows are there', () => {
    const eight = (ratio: number): Row[] => Array.from({ length: 8 }, () => row({ ratio }));
    expect(meanOf(eight(2.3))?.goal).toEqual({ text: '≥ 2.2×', reached: true });
    expect(meanOf(eight(2.1))?.goal?.reached).toBe(false);
    expect(meanOf(eight(3).slice(1))?.goal).toBeNull();
  });
});

describe('the gate', () => {
  it('is shut by a missed goal, a missed mean or a case that did not run', () => {
    expect(misses(result())).toEqual([]);
    expect(misses(result({ rows: [row({ goal: atLeast(1, 1.5) })] }))[0]).toMatch(/tcpdump, no filter, imix: .*MISSED/);
    expect(misses(result({ mean: { ratio: 2, rows: 8, goal: { text: '≥ 2.2×', reached: false } } }))[0]).toMatch(/geometric mean: 2.00×/);
    expect(misses(result({ skipped: ['Not measured: editcap.'] }))).toEqual(['Not measured: editcap.']);
  });
});

describe('the table', () => {
  it('has a line for each row, with medians, spread, ratio and goal', () => {
    const text = table(result({ rows: [row(), row({ what: 'to a file', goal: null, peer: null, ratio: null })] }));
    const lines = text.split('\n');
    expect(lines.filter((line) => line.startsWith('| tcpdump'))).toHaveLength(2);
    expect(lines[2]).toContain('2.00 s (1.00 s – 3.00 s)');
    expect(lines[2]).toContain('5.00 s (4.00 s – 6.00 s)');
    expect(lines[2]).toContain('2.50×, ≥ 1.5× reached');
    expect(lines[3]).not.toContain('×');
    expect(text).toContain('a CPU, 2 cores, 16 GiB');
  });
});
