/** The program is asked to end: nothing is left, and it ends soon even where the system holds it. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, it } from 'vitest';
import { temporaryFolder } from '../support/temporary.js';
import { ended, expectSentence, seconds, start } from './support.js';

const folder = temporaryFolder();
const large = folder.write('large.pcap', seconds(100_000));
let to: string;
let count = 0;
beforeEach(() => {
  to = join(folder.path, `to-${++count}`);
  mkdirSync(to);
});

/** As a shell tells it: the exit code, or 128 and the signal. */
const status = (exit: number | null, signal: NodeJS.Signals | null): number =>
  exit ?? 128 + { SIGINT: 2, SIGTERM: 15, SIGHUP: 1 }[signal as 'SIGINT'];

it.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const)('%s while standard input is silent', async (signal, expected) => {
  const child = start(['export', '-', '-o', join(to, 'out')], ['pipe', 'pipe', 'pipe']);
  child.stdin!.on('error', () => {});
  child.stdin!.write(seconds(3));
  const end = ended(child);
  // The output is begun once it has signals in hand.
  await expect.poll(() => readdirSync(to), { timeout: 20_000 }).toHaveLength(1);
  child.kill(signal);
  const result = await end;
  expect(status(result.exit, result.signal)).toBe(expected);
  expectSentence(result.stderr, 'CANCELLED');
  expect(readdirSync(to)).toEqual([]);
});

it('SIGINT while nobody reads its output', async () => {
  const child = start(['export', large]);
  // Two reads give time to start; then its pipe fills.
  await new Promise((resolve) => child.stdout!.once('readable', resolve));
  const end = new Promise<[number | null, NodeJS.Signals | null]>((resolve) => child.once('exit', (...how) => resolve(how)));
  const begun = performance.now();
  child.kill('SIGINT');
  expect(status(...(await end))).toBe(130);
  expect(performance.now() - begun).toBeLessThan(5000);
  child.stdout!.destroy();
});

it('SIGINT while a named pipe has no reader', async () => {
  const fifo = join(to, 'fifo');
  execFileSync('mkfifo', [fifo]);
  const child = start(['export', large, '-o', fifo]);
  const end = ended(child);
  await new Promise((resolve) => setTimeout(resolve, 1500));
  child.kill('SIGINT');
  const { exit, signal } = await end;
  expect(status(exit, signal)).toBe(130);
  expect(readdirSync(to)).toEqual(['fifo']);
});
