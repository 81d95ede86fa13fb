/** How a failure ends a command: one sentence on stderr and the exit code of the error table. */
import { coded, ERRORS, SpillwayError } from '../errors.js';
import { interruptionOf } from './interrupt.js';
import type { Io } from './io.js';

/** Exit code of a run whose input was damaged; all before the damage was used. */
export const EXIT_DAMAGED = 3;

/** Text on one line, with nothing in it that steers a terminal: file names and filters are not ours. */
export function oneLine(text: string): string {
  return text
    .trim()
    .replace(/\s*\n\s*/g, '; ')
    .replace(/[\u0000-\u001f\u007f-\u009f]/g, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`);
}

/** A line on stderr. */
export function note(io: Io, sentence: string): void {
  io.stderr.write(`spillway: ${oneLine(sentence)}\n`);
}

/** Says what went wrong and gives the exit code. `signal`: the run was interrupted when it is aborted. */
export function fail(error: unknown, io: Io, signal?: AbortSignal): number {
  const interrupted = interruptionOf(signal);
  if (interrupted !== null) {
    note(io, 'interrupted; no output file is left [CANCELLED]');
    return interrupted.exitCode;
  }
  const { code, message } = coded(error);
  // As in `spillway ... | head`: the reader has what it wanted.
  if (code !== 'CLIENT_LEFT') note(io, `${message} [${code}]`);
  return ERRORS[code].exit;
}

/** Runs `work` with the name of a flag or property in front of what it refuses. */
export function naming<T>(name: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof SpillwayError) throw new SpillwayError(error.code, `${name}: ${error.message}`, error.metrics);
    throw error;
  }
}
