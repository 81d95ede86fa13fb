/** Starts the capture of a job: the executable beside the addon, which goes on by itself. */
import { spawn, type ChildProcess } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import type { Job } from '../buffer/jobs.js';
import { compileFilter } from '../filter/compile.js';
import { runInBackground } from './background.js';
import { captureArguments, captureExecutable, doesNotStart, refusal } from './executable.js';
import { PROGRAM_FILE, type RootParent } from './parent.js';
import type { Repair } from './repairs.js';

/** Captured frames are Ethernet, or look so (`lo`). */
const EN10MB = 1;

export interface Capture {
  readonly child: ChildProcess;
  /** Resolves with the exit code when it has ended. */
  readonly ended: Promise<number>;
  /** What a capture that ended badly had left, and was put right before this one began. */
  readonly repairs: readonly Repair[];
}

/** Resolves when it captures, in the foreground: it ends with the terminal's SIGINT. Rejects with what it refuses. */
export async function startCapture(job: Job): Promise<Capture> {
  const args = captureArguments(job.folder, await writeProgram(job), job.settings);
  const child = spawn(captureExecutable(), [...args, '--foreground'], { stdio: ['ignore', 'pipe', 'pipe'] });
  let told = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (told += text));
  const ended = new Promise<number>((resolve, reject) => {
    child.once('error', (error) => reject(doesNotStart(error)));
    child.once('close', (code) => resolve(code ?? 2));
  });
  const repairs = await Promise.race([repairsUntilReady(child.stdout), ended]);
  if (typeof repairs === 'number') throw refusal(told, repairs);
  child.stdout.resume();
  child.stderr.on('data', (text: string) => process.stderr.write(text));
  return { child, ended, repairs };
}

/** It tells its repairs, a line of JSON each, and then that it captures. Does not resolve where it ends before. */
function repairsUntilReady(stdout: Readable): Promise<Repair[]> {
  const repairs: Repair[] = [];
  return new Promise((resolve) => {
    const lines = createInterface(stdout);
    lines.on('line', (line) => {
      const said = JSON.parse(line) as Repair | { ready: true };
      if (!('ready' in said)) return void repairs.push(said);
      lines.close();
      resolve(repairs);
    });
  });
}

/**
 * Resolves when it captures, in the background, where it outlives this process. Rejects with what it refuses. `parent`
 * starts it where there is one; else the executable itself needs CAP_NET_RAW.
 */
export async function startInBackground(job: Job, parent: RootParent | null = null): Promise<void> {
  const program = await writeProgram(job);
  if (!parent) return runInBackground([captureExecutable(), ...captureArguments(job.folder, program, job.settings)]);
  const { filter: _, ownerPid: _pid, enabled: _enabled, chosenBy: _choice, ...settings } = job.settings;
  return parent.start({ id: job.id, program: program !== null, ...settings });
}

/** The file with the compiled filter; null: there is none. */
async function writeProgram({ folder, settings: { filter } }: Job): Promise<string | null> {
  if (filter === null) return null;
  const { code } = await compileFilter(filter, EN10MB);
  const path = join(folder, PROGRAM_FILE);
  await writeFile(path, code);
  return path;
}
