/**
 * A view of the file system in which a user reaches what a closed folder would keep away: the program in a checkout below
 * /root, say. It is a mount namespace of its own, where an empty folder covers the closed one and shows, at their own
 * paths, the few things in it that are needed (cover.ts). Nobody else sees it, and nothing is changed or copied.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, openSync, realpathSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { SpillwayError } from '../errors.js';
import { fromRoot } from '../root.js';
import { PLAIN_VIEW, type View } from './as-user.js';
import type { Cover } from './cover.js';
import { closedAbove, mayRead } from './reach.js';
import type { User } from './user.js';

/** What runs of the program's folder. */
const PROGRAM = ['bin/spillway', 'bin/package.json', 'package.json', 'binding.gyp', 'build', 'dist', 'node_modules', 'prebuilds'];

/** The view in which `user` reaches the program, Node and the data folder. Rejects with PROGRAM_UNREACHABLE. */
export async function viewFor(user: User, dataFolder: string): Promise<View> {
  const covers = coversFor(user, [...programPlaces(), dataFolder]);
  if (covers.length === 0) return PLAIN_VIEW;
  const names = covers.map(({ folder }) => folder).join(' and ');
  const holder = spawn('unshare', ['--mount', '--propagation', 'slave', process.execPath, fromRoot('dist', 'privileged', 'cover.js')], {
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const why = await covered(holder, covers);
  if (why !== null) throw unreachable(user, names, `and it can not be shown to it alone (${why})`);
  // As long as this process lives: the namespace needs nothing else to stay.
  const fd = openSync(`/proc/${holder.pid}/ns/mnt`, 'r');
  holder.stdin.end();
  return { prefix: ['nsenter', `--mount=/proc/${process.pid}/fd/${fd}`, '--'] };
}

function programPlaces(): string[] {
  // Some builds of Node bring libraries of their own.
  const node = [process.execPath, join(dirname(process.execPath), '..', 'lib')];
  return [...PROGRAM.map((name) => fromRoot(name)), ...node].filter((path) => existsSync(path)).map((path) => realpathSync(path));
}

/** The closed folders, each with what is needed below it. */
export function coversFor(user: User, places: readonly string[]): Cover[] {
  const covers = new Map<string, Cover>();
  for (const path of places) {
    const folder = closedAbove(path, user);
    const closed = !mayRead(path, user);
    // A file of a checkout made with a strict umask; what we make ourselves is readable.
    const copy = closed && folder !== null && COPIED.has(basename(path));
    if (closed && !copy) throw unreachable(user, path, 'which it may not read');
    if (folder === null) continue;
    const cover = covers.get(folder) ?? { folder, shown: [] };
    cover.shown.push({ path, copy });
    covers.set(folder, cover);
  }
  return [...covers.values()];
}

const COPIED = new Set(['spillway', 'package.json', 'binding.gyp']);

/** Null when everything is in place; else why not. */
async function covered(holder: ChildProcess, covers: Cover[]): Promise<string | null> {
  let said = '';
  let complaint = '';
  holder.stderr!.setEncoding('utf8').on('data', (text: string) => (complaint += text));
  holder.stdin!.on('error', () => undefined);
  holder.stdin!.write(`${JSON.stringify(covers)}\n`);
  const ended = once(holder, 'close').catch((error: unknown) => void (complaint += (error as Error).message));
  const ready = (async () => {
    for await (const text of holder.stdout!.setEncoding('utf8')) if ((said += String(text)).endsWith('\n')) return;
    await ended;
  })();
  await Promise.race([ready, ended]);
  return said === 'ready\n' ? null : complaint.trim().split('\n').at(-1)! || 'it ended without a word';
}

export function unreachable(user: User, what: string, why: string): SpillwayError {
  return new SpillwayError(
    'PROGRAM_UNREACHABLE',
    `the user ${user.name} can not reach ${what}, ${why}: open it (chmod), name another user (--user), or put the program elsewhere`,
  );
}
