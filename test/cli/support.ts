/** The command line from a test: in this process with streams of its own, or as the program that users start. */
import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterEach, expect } from 'vitest';
import type { Io } from '../../src/cli/io.js';
import { main } from '../../src/cli/main.js';
import { payload, pcapFile, type PcapShape } from '../support/build.js';

export const SPILLWAY = fileURLToPath(new URL('../../bin/spillway', import.meta.url));

/** Ethernet packets of 60 bytes, one each second from 1,700,000,000 on. */
export function seconds(count: number, shape: PcapShape = {}): Buffer {
  return pcapFile(
    Array.from({ length: count }, (_, i) => ({ seconds: 1_700_000_000 + i, fraction: 0, data: payload(60, i) })),
    shape,
  );
}

export interface Terminals {
  stdinIsTerminal?: boolean;
  stdoutIsTerminal?: boolean;
  stderrIsTerminal?: boolean;
  signal?: AbortSignal;
  cwd?: string;
}

export interface Outcome {
  exit: number;
  stdout: string;
  stderr: string;
}

/** Runs one command line in this process. */
export async function run(args: readonly string[], given: Terminals = {}): Promise<Outcome> {
  const out = { stdout: '', stderr: '' };
  const terminal = (name: 'stdout' | 'stderr', isTerminal = false): Io['stdout'] => ({
    write: (text) => void (out[name] += text),
    isTerminal,
    columns: 80,
  });
  const exit = await main(args, {
    stdout: terminal('stdout', given.stdoutIsTerminal),
    stderr: terminal('stderr', given.stderrIsTerminal),
    stdinIsTerminal: given.stdinIsTerminal ?? false,
    cwd: given.cwd ?? process.cwd(),
    interrupt: () => given.signal ?? new AbortController().signal,
  });
  return { exit, ...out };
}

export interface Ended {
  exit: number | null;
  signal: NodeJS.Signals | null;
  stdout: Buffer;
  stderr: string;
  tookMs: number;
}

const children = new Set<ChildProcess>();
afterEach(() => {
  for (const child of children) child.kill('SIGKILL');
});

/** Starts the program; it does not outlive its test. */
export function start(args: readonly string[], stdio: StdioOptions = ['ignore', 'pipe', 'pipe']): ChildProcess {
  const child = spawn(SPILLWAY, args, { stdio });
  children.add(child);
  child.once('exit', () => children.delete(child));
  return child;
}

/** Waits for the end of a program, with what it wrote to the pipes it was given. */
export async function ended(child: ChildProcess): Promise<Ended> {
  const begun = performance.now();
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout?.on('data', (bytes: Buffer) => stdout.push(bytes));
  child.stderr?.on('data', (bytes: Buffer) => stderr.push(bytes));
  const [exit, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (...how) => resolve(how));
  });
  return { exit, signal, stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr).toString(), tookMs: performance.now() - begun };
}

/** Runs the program to its end, with `input` on standard input. */
export async function spillway(args: readonly string[], input?: Uint8Array): Promise<Ended> {
  const child = start(args, [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe']);
  // A program that has read enough closes its end.
  child.stdin?.on('error', () => {});
  child.stdin?.end(input);
  return ended(child);
}

/** Exactly one line on stderr, `spillway: SENTENCE [CODE]`. */
export function expectSentence(stderr: string, code: string): void {
  expect(stderr).toMatch(/^spillway: [^\n]+ \[[A-Z_]+\]\n$/);
  expect(stderr).toContain(` [${code}]`);
}
