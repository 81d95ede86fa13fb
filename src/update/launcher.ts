/**
 * What runs above a server that can be updated: starts the active release, and the next one when the server asks for it. A
 * release on trial that ends, or is not healthy in time, gives way to the one before. It has no other work, and does none
 * for a server that nobody updates.
 *
 * Between the two there is a channel of JSON messages, which servers of other versions speak as well: up `listening` (its
 * port), `healthy`, `restart` and `locked` (another program has the data folder open); the channel's end tells each that the
 * other has gone.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { constants } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CAPTURE_VARIABLE, captureExecutable } from '../capture/executable.js';
import { SpillwayError } from '../errors.js';
import { holdLock, schemaOf } from '../state/database.js';
import type { Place, Slots } from './slots.js';

/** In the environment of a server that has a launcher: the place of its release. */
export const LAUNCHED = 'SPILLWAY_LAUNCHED';

export type Told = { listening: number } | { healthy: true } | { restart: true } | { locked: true };

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
  /** Between two servers, another program may have opened the data folder, such as a command line that asks for a password. */
  lockedMs: 600_000,
};

const LOCK_POLL_MS = 500;

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Resolves to the exit code of the last server. */
export async function launch(options: LaunchOptions): Promise<number> {
  // The state and the database are changed while no server has them: one launcher alone may do that.
  const unlock = holdLock(join(options.slots.folder, 'launcher.lock'));
  try {
    return await launchInTurns(options);
  } finally {
    unlock();
  }
}

async function launchInTurns(options: LaunchOptions): Promise<number> {
  const { slots, dataFolder, patience = PATIENCE } = options;
  const asked: { signal: NodeJS.Signals | null } = { signal: null };
  let child: ChildProcess | null = null;
  let port: number | null = null;
  let failure: string | null = null;
  let code = 0;
  for (const signal of SIGNALS) {
    process.on(signal, () => {
      asked.signal = signal;
      child?.kill(signal);
    });
  }
  for (let isUpdating = slots.read().trial !== null; ; isUpdating = true) {
    if (isUpdating) await untilFree(dataFolder, asked, patience.lockedMs);
    // Whoever asks for the end has it, whatever is on trial: the next start goes on with that.
    if (asked.signal !== null) return code;
    const { place, isTrial, notes } = slots.begin(failure);
    for (const note of notes) tell(note);
    child = start(place, options, port);
    const end = await watched(child, isTrial ? patience : { ...patience, healthyMs: Infinity }, (bound) => (port = bound));
    child = null;
    code = end.code;
    failure = null;
    if (end.isLocked && isUpdating) {
      if (isTrial) slots.takeBack();
    } else if (end.wantsRestart) continue;
    else if (isTrial && slots.read().trial !== null) failure = end.why;
    // One that we have ended, and that has become healthy on the way, is to run.
    else if (asked.signal !== null || !end.isGivenUp) return code;
  }
}

function tell(what: string): void {
  process.stderr.write(`spillway: ${what}\n`);
}

async function untilFree(dataFolder: string, asked: { signal: NodeJS.Signals | null }, lockedMs: number): Promise<void> {
  const sinceMs = performance.now();
  for (let isFirst = true; asked.signal === null; isFirst = false) {
    try {
      schemaOf(join(dataFolder, 'spillway.db'));
      return;
    } catch (error) {
      // Anything else is the server's to tell.
      if (!(error instanceof SpillwayError) || error.code !== 'DATA_FOLDER_LOCKED') return;
      if (performance.now() - sinceMs >= lockedMs) throw error;
    }
    if (isFirst) tell('another program has the data folder open; the server is started when that has ended');
    await sleep(LOCK_POLL_MS);
  }
}

function start(place: Place, { slots, args, files }: LaunchOptions, port: number | null): ChildProcess {
  // The executable that may have been given a capability; no update brings that along.
  const environment = { ...process.env, [LAUNCHED]: place, [CAPTURE_VARIABLE]: captureExecutable() };
  const program = join(slots.folderOf(place), 'bin', 'spillway');
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
  /** The data folder was not to be had. */
  isLocked: boolean;
  /** It was not healthy in time. */
  isGivenUp: boolean;
  why: string;
}

function watched(child: ChildProcess, { healthyMs, endMs }: typeof PATIENCE, listening: (port: number) => void): Promise<End> {
  return new Promise((resolve, reject) => {
    let wantsRestart = false;
    let isLocked = false;
    let isGivenUp = false;
    let why = '';
    let ending: NodeJS.Timeout | undefined;
    const endSoon = (): void => void (ending ??= setTimeout(() => child.kill('SIGKILL'), endMs));
    const unhealthy = (): void => {
      isGivenUp = true;
      why = `it was not healthy within ${healthyMs / 1000} s`;
      child.kill('SIGTERM');
      endSoon();
    };
    const waiting = healthyMs === Infinity ? undefined : setTimeout(unhealthy, healthyMs);
    child.on('message', (told: Told) => {
      if ('listening' in told) listening(told.listening);
      else if ('healthy' in told) clearTimeout(waiting);
      else if ('locked' in told) isLocked = true;
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
      resolve({ code: signal === null ? (code ?? 2) : 128 + constants.signals[signal], wantsRestart, isLocked, isGivenUp, why });
    });
  });
}
