/** Runs the capture executable in the background, where it outlives whoever started it. */
import { spawn } from 'node:child_process';
import { doesNotStart, refusal } from './executable.js';

/** What is kept of its words: it ends with one sentence. */
const TOLD_MAX = 16_384;

/** Resolves when it captures: it goes to the background by itself. Rejects with what it refuses. */
export function runInBackground([program, ...args]: readonly string[]): Promise<void> {
  // It runs for months: of our environment it gets what finds a program.
  const child = spawn(program!, args, { cwd: '/', env: { PATH: process.env['PATH'] }, stdio: ['ignore', 'ignore', 'pipe'] });
  let told = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (told = (told + text).slice(-TOLD_MAX)));
  return new Promise((resolve, reject) => {
    child.once('error', (error) => reject(doesNotStart(error)));
    child.once('close', (code) => (code === 0 ? resolve() : reject(refusal(told, code ?? 2))));
  });
}
