/** What a command sees of the process around it; tests put their own in its place. */
import { writeSync } from 'node:fs';
import { isatty } from 'node:tty';
import { SpillwayError } from '../errors.js';
import { endBySignal, interruptionOf, watchSignals } from './interrupt.js';

export interface Terminal {
  /** Writes all of the text before it returns. On stdout, throws CLIENT_LEFT when the reader has gone; stderr never throws. */
  write(text: string): void;
  readonly isTerminal: boolean;
  /** Width in characters, where it is a terminal. */
  readonly columns: number;
}

export interface Io {
  readonly stdout: Terminal;
  readonly stderr: Terminal;
  readonly stdinIsTerminal: boolean;
  readonly cwd: string;
  /** Aborts when the process is asked to end, with an `Interruption`. The first call takes over the signals. */
  interrupt(): AbortSignal;
}

/** For terminals that do not tell their width. */
const DEFAULT_COLUMNS = 80;

/** Writes to a descriptor without process.stdout, whose set-up costs more than a whole `--version`. */
function writeAll(fd: number, text: string): void {
  let rest: Uint8Array = Buffer.from(text);
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(fd, rest));
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      if (code === 'EPIPE') throw new SpillwayError('CLIENT_LEFT', 'the reader of the output left');
      if (code !== 'EAGAIN') throw new SpillwayError('OUTPUT_FAILED', `standard output can not be written: ${code ?? String(error)}`);
      // Another process made the pipe non-blocking and its reader is slow.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
    }
  }
}

function terminal(fd: number, write: (text: string) => void, columns: () => number): Terminal {
  return {
    write,
    get isTerminal() {
      return isatty(fd);
    },
    get columns() {
      return columns();
    },
  };
}

function complain(text: string): void {
  try {
    writeAll(2, text);
  } catch {
    // There is nobody left to tell.
  }
}

/** The process's own, and how it ends: at once, whatever threads still run. All output is written by then. */
export function processIo(): Io & { end(exitCode: number): void } {
  let signal: AbortSignal | undefined;
  return {
    stdout: terminal(
      1,
      (text) => writeAll(1, text),
      () => process.stdout.columns,
    ),
    stderr: terminal(2, complain, () => process.stderr.columns || DEFAULT_COLUMNS),
    get stdinIsTerminal() {
      return isatty(0);
    },
    get cwd() {
      return process.cwd();
    },
    interrupt: () => (signal ??= watchSignals()),
    end(exitCode) {
      const interrupted = interruptionOf(signal);
      if (interrupted?.workLeft === true) endBySignal(interrupted.signal);
      else process.exit(exitCode);
    },
  };
}
