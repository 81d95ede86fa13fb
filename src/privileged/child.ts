/** A child that does the work of this process, as another user, and how this process ends like it. */
import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process';
import { constants } from 'node:os';
import { SpillwayError } from '../errors.js';

/**
 * Starts a child that hears of signals through us alone: in a session of its own, without our terminal as its, so that
 * Ctrl-C does not reach it twice, and it can put nothing into the terminal's input.
 */
export function startChild([program, ...args]: readonly string[], stdio: StdioOptions, env: NodeJS.ProcessEnv): ChildProcess {
  const child = spawn(program!, args, { cwd: '/', detached: true, env, stdio });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => child.kill(signal));
  return child;
}

/** Resolves to the child's exit code; where a signal ended it, this process ends by the same. */
export function endOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', (error) => reject(new SpillwayError('SETUP_INCOMPLETE', `the program does not start: ${error.message}`)));
    child.once('exit', (code, signal) => {
      if (signal === null) return resolve(code!);
      process.removeAllListeners(signal);
      process.kill(process.pid, signal);
      // A signal that does not end this process.
      resolve(128 + constants.signals[signal]);
    });
  });
}
