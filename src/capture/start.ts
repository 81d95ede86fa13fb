/** Starts the capture of a job: the executable beside the addon, which goes on by itself. */
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Job, JobSettings } from '../buffer/jobs.js';
import { ERRORS, SpillwayError, type ErrorCode } from '../errors.js';
import { compileFilter } from '../filter/compile.js';
import { fromRoot } from '../root.js';

/** Captured frames are Ethernet, or look so (`lo`). */
const EN10MB = 1;

export interface Capture {
  readonly child: ChildProcess;
  /** Resolves with the exit code when it has ended. */
  readonly ended: Promise<number>;
}

/** Resolves when it captures, in the foreground: it ends with the terminal's SIGINT. Rejects with what it refuses. */
export async function startCapture(job: Job): Promise<Capture> {
  const child = spawn(executable(), [...(await argumentsOf(job)), '--foreground'], { stdio: ['ignore', 'pipe', 'pipe'] });
  let told = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (told += text));
  const ended = new Promise<number>((resolve, reject) => {
    child.once('error', (error) => reject(new SpillwayError('SETUP_INCOMPLETE', `the capture does not start: ${error.message}`)));
    child.once('close', (code) => resolve(code ?? 2));
  });
  const ready = new Promise<void>((resolve) => child.stdout.once('data', () => resolve()));
  const early = await Promise.race([ready.then(() => null), ended]);
  if (early !== null) throw refusal(told, early);
  child.stderr.on('data', (text: string) => process.stderr.write(text));
  return { child, ended };
}

function executable(): string {
  const places = [fromRoot('build', 'Release', 'spillway-capture'), fromRoot('prebuilds', `${process.platform}-${process.arch}`, 'spillway-capture')];
  const found = places.find((place) => existsSync(place));
  if (found === undefined) throw new SpillwayError('SETUP_INCOMPLETE', 'the capture executable is not built: run `npm start` or `npm run build`');
  return found;
}

async function argumentsOf({ folder, settings }: Job): Promise<string[]> {
  const { interfaces, snapLengthBytes, segmentBytes, retainBytes, retainAgeSeconds, fsync } = settings;
  const number = (flag: string, value: number): string[] => (value === 0 ? [] : [flag, String(value)]);
  return [
    ...['--folder', folder],
    ...interfaces.flatMap((name) => ['--interface', name]),
    ...(await programOf(folder, settings)),
    ...number('--snap', snapLengthBytes),
    ...number('--segment-bytes', segmentBytes),
    ...number('--retain-bytes', retainBytes),
    ...number('--retain-age-s', retainAgeSeconds),
    ...['--fsync', fsync],
  ];
}

async function programOf(folder: string, { filter }: JobSettings): Promise<string[]> {
  if (filter === null) return [];
  const { code } = await compileFilter(filter, EN10MB);
  const path = join(folder, 'program');
  await writeFile(path, code);
  return ['--program', path];
}

/** Its one sentence, `spillway-capture: … [CODE]`, as an error of ours. */
function refusal(told: string, exitCode: number): SpillwayError {
  const match = /^spillway-capture: (.*) \[([A-Z_]+)\]$/m.exec(told);
  const sentence = match?.[1] ?? `the capture ended with exit code ${exitCode}: ${told.trim()}`;
  const code = match?.[2] ?? '';
  return new SpillwayError(code in ERRORS ? (code as ErrorCode) : 'CAPTURE_FAILED', sentence);
}
