/**
 * What runs above a server that can be updated: starts the active release, and the next one when the server asks for it. A
 * release on trial that ends, or is not healthy in time, gives way to the one before. It has no other work, and does none
 * for a server that nobody updates.
 *
 * Between the two there is a channel of JSON messages, which servers of other versions speak as well: up `listening` (its
 * port), `healthy` and `restart`; the channel's end tells each that the other has gone.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { constants } from 'node:os';
import { join } from 'node:path';
import { CAPTURE_VARIABLE, captureExecutable } from '../capture/executable.js';
import { SpillwayError } from '../errors.js';
import { restoreDatabase } from './before.js';
import type { Slots } from './slots.js';

/** In the environment of a server that has a launcher. */
export const LAUNCHED = 'SPILLWAY_LAUNCHED';

export type Told = { listening: number } | { healthy: true } | { restart: true };

export interface LaunchOptions {
  dataFolder: string;
  slots: Slots;
  /** The arguments of the server; `port`: where the one before listened, null: there was none. */
  args: (port: number | null) => string[];
  /** Descriptors that every server gets, beyond the first three. */
  files: readonly number[];
  /** For tests, which have less time. */
  patience?: typeof PATIENCE;
}

export const PATIENCE = {
  /** A release on trial says that it is healthy within that time. A start takes a second. */
  healthyMs: 60_000,
  /** A server that is to end, or to be started again, puts away what it has. */
  endMs: 30_000,
};

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Resolves to the exit code of the last server. */
export async function launch(options: LaunchOptions): Promise<number> {
  const { slots, patience = PATIENCE } = options;
  const asked: { signal: NodeJS.Signals | null } = { signal: null };
  let child: ChildProcess | null = null;
  let port: number | null = null;
  for (const signal of SIGNALS) {
    process.on(signal, () => {
      asked.signal = signal;
      child?.kill(signal);
    });
  }
  for (;;) {
    const place = slots.begin();
    const isTrial = slots.read().trial !== null;
    child = start(join(slots.folderOf(place), 'bin', 'spillway'), options, port);
    const end = await watched(child, isTrial ? patience : { ...patience, healthyMs: Infinity }, (bound) => (port = bound));
    child = null;
    // Whoever asks for the end has it, whatever is on trial: the next start goes on with that.
    if (asked.signal !== null) return end.code;
    if (slots.read().trial && !end.wantsRestart) {
      slots.rollBack(end.why);
      process.stderr.write(`spillway: the release on trial is given up: ${end.why}; the one before runs again\n`);
      restoreDatabase(options.dataFolder, slots.folder);
    } else if (!end.wantsRestart) return end.code;
  }
}

function start(program: string, { args, files }: LaunchOptions, port: number | null): ChildProcess {
  // The executable that may have been given a capability; no update brings that along.
  const environment = { ...process.env, [LAUNCHED]: '1', [CAPTURE_VARIABLE]: captureExecutable() };
  // In a session of its own: it hears of Ctrl-C through us, once.
  return spawn(process.execPath, [program, ...args(port)], {
    cwd: '/',
    detached: true,
    env: environment,
    stdio: ['ignore', 'inherit', 'inherit', ...files, 'ipc'],
  });
}

interface End {
  code: number;
  wantsRestart: boolean;
  why: string;
}

function watched(child: ChildProcess, { healthyMs, endMs }: typeof PATIENCE, listening: (port: number) => void): Promise<End> {
  return new Promise((resolve, reject) => {
    let wantsRestart = false;
    let why = '';
    let ending: NodeJS.Timeout | undefined;
    const endSoon = (): void => void (ending ??= setTimeout(() => child.kill('SIGKILL'), endMs));
    const unhealthy = (): void => {
      why = `it was not healthy within ${healthyMs / 1000} s`;
      child.kill('SIGTERM');
      endSoon();
    };
    const waiting = healthyMs === Infinity ? undefined : setTimeout(unhealthy, healthyMs);
    child.on('message', (told: Told) => {
      if ('listening' in told) listening(told.listening);
      else if ('healthy' in told) clearTimeout(waiting);
      else if ('restart' in told) {
        wantsRestart = true;
        endSoon();
      }
    });
    child.once('error', (error) => reject(new SpillwayError('SETUP_INCOMPLETE', `the server does not start: ${error.message}`)));
    child.once('exit', (code, signal) => {
      clearTimeout(waiting);
      clearTimeout(ending);
      why ||= signal === null ? `it ended with exit code ${code}` : `${signal} ended it`;
      resolve({ code: signal === null ? (code ?? 2) : 128 + constants.signals[signal], wantsRestart, why });
    });
  });
}
