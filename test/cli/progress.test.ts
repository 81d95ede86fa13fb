import fc from 'fast-check';
import { expect, it, vi } from 'vitest';
import { createProgressBar, progressLine, RateMeter } from '../../src/cli/progress.js';
import type { Io, Terminal } from '../../src/cli/io.js';
import type { Progress } from '../../src/engine/types.js';

const progress = (bytesDone: number, bytesTotal: number, packetsOut = 0n): Progress => ({
  bytesDone,
  bytesTotal,
  packetsRead: 7n,
  packetsInWindows: 7n,
  packetsOut,
  outBytes: 0,
});

it.each([
  [progress(25e6, 100e6, 42n), 50e6, 80, /^\[#+-+\] {2}25% {2}25\.0 MB of 100 MB {2}50\.0 MB\/s {2}0:02 left {2}42 packets$/],
  [progress(100e6, 100e6), 50e6, 80, /^\[#+\] 100% {2}100 MB of 100 MB {2}50\.0 MB\/s {2}0:00 left {2}7 packets$/],
  [progress(25e6, 100e6), 0, 80, /^\[#+-+\] {2}25% {2}25\.0 MB of 100 MB {2}7 packets$/],
  [progress(25e6, 100e6), 50e6, 40, /^ 25% {2}25\.0 MB of 100 MB {2}50\.0 MB\/s$/],
  [{ ...progress(25e6, 0), packetsRead: 0n }, 50e6, 80, /^25\.0 MB {2}50\.0 MB\/s$/],
  [progress(25e6, 0), 50e6, 80, /^25\.0 MB {2}50\.0 MB\/s {2}7 packets$/],
])('%o at %d B/s in %d columns', (given, rate, columns, line) => {
  expect(progressLine(given, rate, columns)).toMatch(line);
});

it('never fills the line, and never throws', () => {
  const size = fc.integer({ min: 0, max: 2 ** 50 });
  fc.assert(
    fc.property(size, size, size, fc.integer({ min: 0, max: 300 }), (done, total, rate, columns) => {
      return progressLine(progress(done, total), rate, columns).length <= Math.max(0, columns - 1);
    }),
  );
});

it('the rate is that of the last seconds', () => {
  const meter = new RateMeter(0);
  let bytes = 0;
  for (let ms = 100; ms <= 20_000; ms += 100) meter.update(ms, (bytes += 100));
  expect(meter.update(20_100, (bytes += 100))).toBeCloseTo(1000, 0);
  let rate = 0;
  for (let ms = 20_200; ms <= 40_000; ms += 100) rate = meter.update(ms, (bytes += 10));
  expect(rate).toBeGreaterThan(99);
  expect(rate).toBeLessThan(105);
});

function terminal(isTerminal: boolean): { io: Io; written: string[] } {
  const written: string[] = [];
  const stderr: Terminal = { write: (text) => void written.push(text), isTerminal, columns: 80 };
  return { io: { stderr } as Io, written };
}

it('is drawn at most ten times a second, not at once, and taken away', () => {
  const { io, written } = terminal(true);
  vi.stubEnv('TERM', 'xterm');
  let now = 0;
  const bar = createProgressBar(io, () => now)!;
  for (now = 0; now <= 2000; now += 10) bar.show(progress(now, 4000));
  expect(written.length).toBeGreaterThan(10);
  expect(written.length).toBeLessThan(20);
  expect(written.every((text) => text.startsWith('\r\u001b[K') && !text.includes('\n'))).toBe(true);
  bar.clear();
  expect(written.at(-1)).toBe('\r\u001b[K');
  const before = written.length;
  bar.clear();
  expect(written.length).toBe(before);
  vi.unstubAllEnvs();
});

it('is nowhere but on a terminal that can move its cursor', () => {
  expect(createProgressBar(terminal(false).io)).toBeNull();
  vi.stubEnv('TERM', 'dumb');
  expect(createProgressBar(terminal(true).io)).toBeNull();
  vi.unstubAllEnvs();
});
