/** Running a program as another user, with none of root's rights. */
import type { User } from './user.js';

/** Where programs see files that are closed to the user (view.ts). */
export interface View {
  /** Stands before a command that is to run in it. */
  readonly prefix: readonly string[];
}

/** Where nothing is closed. */
export const PLAIN_VIEW: View = { prefix: [] };

/** A capture goes before what else wants the processor; it could not ask for that itself any more. */
const PRIORITY = ['nice', '-n', '-10'];

/**
 * A command that becomes `command`, as the same process: of this user and its one group, with no capability but the
 * one that is named, and no way to gain any.
 */
export function asUser({ uid, gid }: User, view: View, command: readonly string[], capability?: 'net_raw'): string[] {
  const kept = capability === undefined ? '-all' : `-all,+${capability}`;
  const ids = ['--reuid', String(uid), '--regid', String(gid), '--clear-groups'];
  const sets = ['--inh-caps', kept, '--ambient-caps', kept, '--bounding-set', kept, '--no-new-privs'];
  return [...(capability === undefined ? [] : PRIORITY), ...view.prefix, 'setpriv', ...ids, ...sets, '--', ...command];
}

/** Of root's environment what a program of ours may need, and nothing that may be a secret. */
export function environmentFor(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => PASSED_ON.test(name)));
}

const PASSED_ON = /^(PATH|LANG|LC_[A-Z]+|TZ|TERM|COLUMNS|NO_COLOR|LD_LIBRARY_PATH|NODE_[A-Z0-9_]+|UV_[A-Z0-9_]+|SPILLWAY_[A-Z0-9_]+)$/;
