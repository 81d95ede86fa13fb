/** How tshark is started: no shell, nothing of ours in its environment, no rights that it does not need, and limits that the kernel holds. */
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';
import { SpillwayError } from '../errors.js';
import { MAX_FILES, type DissectLimits } from './limits.js';

export interface Command {
  path: string;
  args: readonly string[];
}

/** Who tshark is where we are root: nobody. */
const NOBODY = 65_534;

/** A place that nobody can make: no configuration, no plugin and no script of a user's is ever found there. */
const NOWHERE = '/nonexistent';

export const ENVIRONMENT = {
  PATH: '/usr/bin:/bin',
  HOME: NOWHERE,
  XDG_CONFIG_HOME: NOWHERE,
  WIRESHARK_CONFIG_DIR: NOWHERE,
  TZ: 'UTC',
  LC_ALL: 'C.UTF-8',
};

/** Folders in which programs are looked for behind those of PATH. */
const FOLDERS = ['/usr/local/bin', '/usr/bin', '/bin'];

/** Where tshark is: SPILLWAY_TSHARK, or on the PATH. Throws DISSECTOR_MISSING. */
export function tsharkPath(): string {
  const { SPILLWAY_TSHARK: named } = process.env;
  const path = named === undefined || named === '' ? onPath('tshark') : isExecutable(named) ? named : null;
  if (path !== null) return path;
  const where = named === undefined || named === '' ? 'it is not installed (apt-get install tshark)' : `SPILLWAY_TSHARK names no program: ${named}`;
  throw new SpillwayError('DISSECTOR_MISSING', `a display filter needs tshark, and ${where}`);
}

/** The command that becomes tshark with these arguments, by way of util-linux. */
export function confined(tshark: string, args: readonly string[], { memoryBytes, cpuSeconds }: DissectLimits): Command {
  const limits = [`--as=${memoryBytes}`, `--cpu=${cpuSeconds}:${cpuSeconds + 1}`, '--fsize=0', '--core=0', `--nofile=${MAX_FILES}`];
  // Whoever is killed can not end it, and it may have minutes of work in its pipe.
  const rights = ['--pdeathsig=KILL', '--no-new-privs', '--inh-caps=-all', '--ambient-caps=-all'];
  // Only root may, and has to: who has no right can not get one.
  if (process.geteuid?.() === 0) rights.push('--bounding-set=-all', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups');
  return { path: helper('prlimit'), args: [...limits, '--', helper('setpriv'), ...rights, '--', tshark, ...args] };
}

function helper(name: string): string {
  const path = onPath(name);
  if (path === null)
    throw new SpillwayError('DISSECTOR_MISSING', `tshark is never started without limits, and ${name} is not installed (apt-get install util-linux)`);
  return path;
}

function onPath(name: string): string | null {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), ...FOLDERS].filter((folder) => isAbsolute(folder));
  return folders.map((folder) => join(folder, name)).find(isExecutable) ?? null;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return isAbsolute(path) && statSync(path).isFile();
  } catch {
    return false;
  }
}
