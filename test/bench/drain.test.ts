/** The helper that runs and measures commands: what it reports is true. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Drain } from '../../bench/drain.js';
import { BenchRefusal } from '../../bench/refusal.js';
import { hasProgram, requireOrSkip } from '../setup/require.js';

const node = (script: string): string[] => [process.execPath, '-e', script];

describe.runIf(requireOrSkip('g++', hasProgram('g++') || hasProgram('clang++')))('drain', () => {
  const dir = mkdtempSync(join(tmpdir(), 'spillway-drain-'));
  let drain: Drain;
  beforeAll(() => void (drain = Drain.build(dir)));
  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  it('counts what a command writes, and takes all of it', async () => {
    const run = await drain.run(['head', '-c', '5000000', '/dev/zero']);
    expect(run.bytes).toBe(5_000_000);
    expect(run.wallSeconds).toBeGreaterThan(0);
  });

  it('hands the output on unchanged', async () => {
    const { pieces, run } = drain.output(node('process.stdout.write(Buffer.alloc(3e6, "spill"))'));
    const parts: Buffer[] = [];
    for await (const piece of pieces) parts.push(piece as Buffer);
    expect(Buffer.concat(parts).equals(Buffer.alloc(3e6, 'spill'))).toBe(true);
    expect((await run).bytes).toBe(3e6);
  });

  it('measures wall time beside CPU time, that of grandchildren too', async () => {
    const idle = await drain.run(node('setTimeout(() => {}, 400)'));
    expect(idle.wallSeconds).toBeGreaterThan(0.4);
    expect(idle.cpuSeconds).toBeLessThan(idle.wallSeconds);
    const busy = 'const end = process.cpuUsage().user + 3e5; while (process.cpuUsage().user < end);';
    const nested = await drain.run(['sh', '-c', '"$0" -e "$1"; true', process.execPath, busy]);
    expect(nested.cpuSeconds).toBeGreaterThan(0.3);
  });

  it('samples the anonymous memory of the whole tree', async () => {
    const holding = 'const b = Buffer.alloc(1e8, 1); setTimeout(() => b, 300)';
    const run = await drain.run(['sh', '-c', '"$0" -e "$1"; true', process.execPath, holding], { sampleMs: 5 });
    expect(run.peakAnonBytes).toBeGreaterThan(1e8);
    expect(run.peakAnonBytes).toBeLessThan(2.5e8);
    expect((await drain.run(['true'])).peakAnonBytes).toBe(0);
  });

  it('refuses a command that fails, with what it said', async () => {
    await expect(drain.run(node('console.error("no such thing"); process.exit(3)'))).rejects.toThrow(/exit code 3: no such thing/);
    await expect(drain.run(['/nonesuch'])).rejects.toThrow(BenchRefusal);
    await expect(drain.run(['sh', '-c', 'kill -9 $$'])).rejects.toThrow(BenchRefusal);
  });

  it('is built once', () => {
    expect(Drain.build(dir)).toEqual(drain);
  });
});
