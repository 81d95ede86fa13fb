/** Being asked to end while work is under way. */
import { SpillwayError } from '../errors.js';

/** Exit codes of a process that a signal ends, as shells tell them. */
const SIGNAL_EXITS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

/** How long work that was told to stop may take to put away what it has begun. */
const PATIENCE_MS = 1000;

/** The reason of the signal that `Io.interrupt` gives. */
export interface Interruption {
  readonly signal: keyof typeof SIGNAL_EXITS;
  readonly exitCode: number;
  /** Work was given up that may hang in the system; `process.exit` would wait for it. */
  workLeft: boolean;
}

export function interruption(signal: Interruption['signal']): Interruption {
  return { signal, exitCode: SIGNAL_EXITS[signal], workLeft: false };
}

export function interruptionOf(signal: AbortSignal | undefined): Interruption | null {
  return signal?.aborted === true ? (signal.reason as Interruption) : null;
}

/** Takes over the signals that ask a process to end. Asked twice, it ends at once. */
export function watchSignals(): AbortSignal {
  const controller = new AbortController();
  for (const name of Object.keys(SIGNAL_EXITS) as Interruption['signal'][]) {
    process.on(name, () => {
      if (controller.signal.aborted) endBySignal(name);
      else controller.abort(interruption(name));
    });
  }
  return controller.signal;
}

/** Ends the process as if it had never listened; nothing that hangs can hold it. */
export function endBySignal(name: Interruption['signal']): void {
  process.removeAllListeners(name);
  process.kill(process.pid, name);
}

/**
 * What `work` gives, or CANCELLED when the signal comes first. Work that tidies up knows of the signal itself: it is
 * waited for, but not for ever (a write to a pipe that nobody reads does not end).
 */
export async function unlessInterrupted<T>(signal: AbortSignal, work: Promise<T>, { tidies = false } = {}): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  let stop!: () => void;
  const givenUp = new Promise<never>((_, reject) => {
    stop = () => {
      timer = setTimeout(
        () => {
          interruptionOf(signal)!.workLeft = true;
          reject(new SpillwayError('CANCELLED', 'the work was cancelled'));
        },
        tidies ? PATIENCE_MS : 0,
      );
    };
  });
  if (signal.aborted) stop();
  signal.addEventListener('abort', stop);
  try {
    return await Promise.race([work, givenUp]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', stop);
  }
}
