/**
 * The database as it was before a release was tried: a newer one may change the tables, and the one before, if it has to come
 * back, can't read them then. What the newer one wrote meanwhile is lost with it.
 */
import { existsSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { SpillwayError } from '../errors.js';
import { closeDatabase, openDatabase, type Connection } from '../state/database.js';

const COPY = 'before.db';

/** A copy of all that is committed. */
export function keepDatabase(db: Connection, updatesFolder: string): void {
  const path = join(updatesFolder, COPY);
  rmSync(path, { force: true });
  db.prepare('VACUUM INTO ?').run(path);
}

/** Puts the copy back where what is there can't be read by this release. Nobody has the data folder open. */
export function restoreDatabase(dataFolder: string, updatesFolder: string): void {
  const copy = join(updatesFolder, COPY);
  const path = join(dataFolder, 'spillway.db');
  if (!existsSync(copy) || isReadable(path)) return;
  for (const end of ['-wal', '-shm', '-journal']) rmSync(path + end, { force: true });
  renameSync(copy, path);
}

function isReadable(path: string): boolean {
  try {
    closeDatabase(openDatabase(path).db);
    return true;
  } catch (error) {
    // Locked: it is read right now.
    return error instanceof SpillwayError && error.code === 'DATA_FOLDER_LOCKED';
  }
}
