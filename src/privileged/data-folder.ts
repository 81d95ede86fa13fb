/**
 * The data folder of the user who serves: made for it, or, where root kept it until now, handed over with everything that
 * Spillway made in it. Links are followed nowhere, and what lies in there without being ours stays as it is.
 */
import { closeSync, constants, fchownSync, fstatSync, lchownSync, lstatSync, mkdirSync, openSync, readdirSync, realpathSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { captureStatus } from '../capture/control.js';
import { SpillwayError } from '../errors.js';
import type { User } from './user.js';

/** What a probe or a capture makes in it. */
const OURS = /^(spillway\.db(-journal|-wal|-shm)?|spillway\.sock|buffer|fs|index|packages|spool|updates|settings\.json)$/;
/** A folder with other things in it is none of ours, unless it has this. */
const DATABASE = 'spillway.db';
/** In every file system of this kind. */
const LOST_AND_FOUND = 'lost+found';
const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW } = constants;

/** Resolves to the folder's path without links. Rejects with DATA_FOLDER_UNUSABLE. */
export async function dataFolderFor(user: User, path: string): Promise<string> {
  try {
    const real = found(path) ?? made(path);
    const fd = openFolder(real);
    try {
      const { uid, mode } = fstatSync(fd);
      if (uid === user.uid) return real;
      if (uid !== 0) throw refused(path, `it belongs to the user ${uid}, not to ${user.name}`);
      if ((mode & 0o002) !== 0) throw refused(path, 'everybody may write to it');
      const names = readdirSync(inside(fd));
      const strange = names.find((name) => !OURS.test(name) && name !== LOST_AND_FOUND);
      if (strange !== undefined && !names.includes(DATABASE)) throw refused(path, `it belongs to root and holds other things, such as ${strange}`);
      await refuseCaptures(path, real);
      for (const name of names.filter((each) => OURS.test(each))) handOver(inside(fd), name, user, fstatSync(fd).dev);
      fchownSync(fd, user.uid, user.gid);
      return real;
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    throw error instanceof SpillwayError ? error : refused(path, (error as Error).message);
  }
}

function found(path: string): string | null {
  try {
    return realpathSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

function made(path: string): string {
  mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
  const real = join(realpathSync(dirname(path)), basename(path));
  mkdirSync(real, { mode: 0o700 });
  return real;
}

/** A capture that runs as root has no right to go on in a folder that is not root's. */
async function refuseCaptures(path: string, real: string): Promise<void> {
  const buffer = join(real, 'buffer');
  for (const id of found(buffer) === null ? [] : readdirSync(buffer)) {
    const status = await captureStatus(join(buffer, id)).catch(() => null);
    if (status !== null) throw refused(path, `a capture of root's runs in it (process ${status.pid}): end that first (spillway jobs stop)`);
  }
}

/** What is below comes first: as long as root owns the folder, nobody else can change what is in it. */
function handOver(folder: string, name: string, user: User, device: number): void {
  const path = `${folder}/${name}`;
  const stat = lstatSync(path);
  if (stat.uid !== 0 || stat.dev !== device) return;
  if (!stat.isDirectory()) {
    // A file with another name elsewhere is somebody else's, too.
    if (stat.nlink === 1) lchownSync(path, user.uid, user.gid);
    return;
  }
  const fd = openFolder(path);
  try {
    for (const inner of readdirSync(inside(fd))) handOver(inside(fd), inner, user, device);
    fchownSync(fd, user.uid, user.gid);
  } finally {
    closeSync(fd);
  }
}

/** An open folder by its descriptor: what stands at its path may change, this may not. */
const inside = (fd: number): string => `/proc/self/fd/${fd}`;

function openFolder(path: string): number {
  return openSync(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
}

function refused(path: string, why: string): SpillwayError {
  return new SpillwayError('DATA_FOLDER_UNUSABLE', `the data folder ${path} can not be used: ${why}`);
}
