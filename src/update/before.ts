/**
 * The database as it was before a release was tried: a newer one may change the tables, and the one before, if it has to come
 * back, can't read them then. What the newer one wrote meanwhile is lost with it.
 *
 * Each step of putting it back may be the last before a power cut or kill -9, and none needs room on the disk. The first takes
 * the copy from its name: a trial that had a copy, and has none any more, is over, and what is left of the steps is done then.
 */
import { existsSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { SpillwayError } from '../errors.js';
import { schemaOf } from '../state/database.js';
import { syncFolderNow } from '../state/sync-folder.js';

/** Where the copy lies. */
export const keptDatabase = (updatesFolder: string): string => join(updatesFolder, 'before.db');

/** The schema of the copy; null: there is none. */
export function keptSchema(updatesFolder: string): number | null {
  const copy = keptDatabase(updatesFolder);
  return existsSync(copy) ? schemaOf(copy) : null;
}

/** Puts the copy back where the tables are no longer of its `schema`. Throws where somebody has the data folder open. */
export function restoreDatabase(dataFolder: string, updatesFolder: string, schema: number): void {
  const copy = keptDatabase(updatesFolder);
  const taken = `${copy}.taken`;
  const path = join(dataFolder, 'spillway.db');
  if (existsSync(copy) && hasMoved(path, schema)) {
    renameSync(copy, taken);
    syncFolderNow(updatesFolder);
  }
  if (!existsSync(taken)) return;
  // A log that is left would be read into whatever is beside it.
  for (const end of ['-wal', '-shm', '-journal']) rmSync(path + end, { force: true });
  syncFolderNow(dataFolder);
  renameSync(taken, path);
  syncFolderNow(dataFolder);
}

/** What can't be read at all was not made so by other tables. */
function hasMoved(path: string, schema: number): boolean {
  try {
    return schemaOf(path) > schema;
  } catch (error) {
    if (error instanceof SpillwayError && error.code === 'DATA_FOLDER_LOCKED') throw error;
    return false;
  }
}
