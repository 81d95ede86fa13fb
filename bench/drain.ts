/** Runs one command with its output on a 1 MiB pipe that is read and thrown away; see native/drain.cc for what is measured. */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { BenchRefusal } from './refusal.js';

export interface Run {
  /** From the fork to the end of the command and of its output. */
  wallSeconds: number;
  /** User and system time of the command and its descendants. */
  cpuSeconds: number;
  /** What it wrote to standard output. */
  bytes: number;
  /** Largest RssAnon + RssShmem of the process tree; 0 when it was not sampled. */
  peakAnonBytes: number;
}

/** Standard output as it comes, and what the run took once that has been read to its end. */
export interface Output {
  pieces: Readable;
  run: Promise<Run>;
}

interface Report {
  wall_ns: number;
  user_us: number;
  system_us: number;
  bytes: number;
  exit: number;
  signal: number;
  pipe_bytes: number;
  peak_anon_bytes: number;
}

export const PIPE_BYTES = 1 << 20;
const REPORT_FD = 3;
const STDERR_KEPT_CHARACTERS = 2000;
/** A command that takes longer hangs. */
const RUN_MS = 15 * 60_000;
const SOURCE = new URL('native/drain.cc', import.meta.url);

export class Drain {
  private constructor(private readonly path: string) {}

  /** Compiles the helper into `dir` unless it is there already. */
  static build(dir: string): Drain {
    const source = SOURCE.pathname;
    const path = join(dir, `drain-${createHash('sha256').update(readFileSync(source)).digest('hex').slice(0, 12)}`);
    if (existsSync(path)) return new Drain(path);
    mkdirSync(dir, { recursive: true });
    for (const compiler of ['g++', 'clang++']) {
      const { error, status, stderr } = spawnSync(compiler, ['-std=c++20', '-O2', '-pthread', '-o', `${path}.part`, source], { encoding: 'utf8' });
      if (error !== undefined) continue;
      if (status !== 0) throw new BenchRefusal(`${compiler} does not compile ${source}: ${stderr.trim()}`);
      renameSync(`${path}.part`, path);
      return new Drain(path);
    }
    throw new BenchRefusal('The bench needs a C++ compiler: apt-get install g++');
  }

  /** Runs `command` and drops its output. */
  run(command: string[], { sampleMs = 0 } = {}): Promise<Run> {
    return this.start(command, ['--sample-ms', String(sampleMs)], 'ignore').run;
  }

  /** Runs `command` on the same kind of pipe and hands its output on. */
  output(command: string[]): Output {
    return this.start(command, ['--forward'], 'pipe');
  }

  private start(command: string[], flags: string[], stdout: 'ignore' | 'pipe'): Output {
    const words = [...flags, '--pipe-bytes', String(PIPE_BYTES), '--report-fd', String(REPORT_FD), '--', ...command];
    const child = spawn(this.path, words, { stdio: ['ignore', stdout, 'pipe', 'pipe'], timeout: RUN_MS, killSignal: 'SIGKILL' });
    let told = '';
    let report = '';
    child.stderr!.setEncoding('utf8').on('data', (text: string) => (told = (told + text).slice(-STDERR_KEPT_CHARACTERS)));
    (child.stdio[REPORT_FD] as Readable).setEncoding('utf8').on('data', (text: string) => (report += text));
    const run = new Promise<Run>((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (_, signal) => {
        const { exit = -1, ...figures }: Partial<Report> = report === '' ? {} : (JSON.parse(report) as Report);
        if (exit === 0) resolve(inUnits(figures as Report));
        else if (signal !== null) reject(new BenchRefusal(`${command.join(' ')} was ended by ${signal}; ${RUN_MS / 60_000} minutes are allowed.`));
        else reject(new BenchRefusal(`${command.join(' ')} ended with exit code ${exit}: ${told.trim() || 'it said nothing'}`));
      });
    });
    // A reader of `pieces` may fail first; whoever awaits `run` still hears of it.
    run.catch(() => undefined);
    return { pieces: child.stdout as unknown as Readable, run };
  }
}

function inUnits(report: Report): Run {
  if (report.pipe_bytes < PIPE_BYTES)
    throw new BenchRefusal(`The pipe has ${report.pipe_bytes} bytes and not ${PIPE_BYTES}: raise /proc/sys/fs/pipe-max-size.`);
  return {
    wallSeconds: report.wall_ns / 1e9,
    cpuSeconds: (report.user_us + report.system_us) / 1e6,
    bytes: report.bytes,
    peakAnonBytes: report.peak_anon_bytes,
  };
}
