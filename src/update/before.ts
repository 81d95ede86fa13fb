/**
 * The database as it was before a release was tried: a newer one may change the tables, and the one before, if it has to come
 * back, can't read them then. What the newer one wrote meanwhile is lost with it.
 */
import { existsSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { SpillwayError } from '../errors.js';
import { closeDatabase, openDatabase } from '../state/database.js';

/** Where the copy lies. */
export const keptDatabase = (updatesFolder: string): string => join(updatesFolder, 'before.db');

/** Puts the copy back where what is there can't be read by this release. Nobody has the data folder open. */
export function restoreDatabase(dataFolder: string, updatesFolder: string): void {
  const copy = keptDatabase(updatesFolder);
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
