/**
 * The database of a data folder, and with it the lock on that folder.
 *
 * The lock is SQLite's own (`locking_mode = EXCLUSIVE`): it is the kernel's, so it ends with the process however that
 * dies, there is no stale file to judge, and it holds between two probes of one process as well. No other part of a
 * program may open the file: closing any descriptor of it would drop the lock.
 */
import { chmodSync, existsSync, rmSync } from 'node:fs';
import Database from 'libsql';
import { SpillwayError } from '../errors.js';
import { MIGRATIONS } from './migrations.js';

export type Connection = Database.Database;
export type Statement = Database.Statement;

const USUALLY = 'PRAGMA synchronous = NORMAL';
const AT_ONCE = 'PRAGMA synchronous = FULL';

/** Opens the database at `path`, makes or upgrades it, and keeps it locked until it is closed. */
export function openDatabase(path: string): { db: Connection; isNew: boolean } {
  const db = attempt(path, () => openPrivately(path));
  try {
    const version = attempt(path, () => {
      db.exec('PRAGMA locking_mode = EXCLUSIVE');
      db.exec('PRAGMA journal_mode = WAL');
      // What is committed survives the process, however that dies. A power cut may take the last moments, never the rest.
      db.exec(USUALLY);
      // The mode alone takes no lock; a transaction that may write does.
      db.exec('BEGIN IMMEDIATE');
      const before = migrate(db, path);
      db.exec('COMMIT');
      return before;
    });
    return { db, isNew: version === 0 };
  } catch (error) {
    closeDatabase(db);
    throw error;
  }
}

/** It holds hashes of passwords, and the folder may be open to others. */
function openPrivately(path: string): Connection {
  const before = process.umask(0o077);
  try {
    if (existsSync(path)) chmodSync(path, 0o600);
    return new Database(path);
  } finally {
    process.umask(before);
  }
}

/**
 * Closes and gives the lock back. Closing alone would not do: the connection lives on until the collector has found
 * all of its statements.
 */
export function closeDatabase(db: Connection): void {
  try {
    if (db.inTransaction) db.exec('ROLLBACK');
    // The lock of a log is held by the log: first away with that, then a read that ends without a lock.
    db.exec('PRAGMA journal_mode = DELETE');
    db.exec('PRAGMA locking_mode = NORMAL');
    db.exec('SELECT count(*) FROM sqlite_schema');
  } catch {
    // Never had it, or the file can not be written: nothing to give back.
  }
  db.close();
}

/** Writes all that is committed to another file, in the place of what is there. */
export function copyDatabase(db: Connection, path: string): void {
  rmSync(path, { force: true });
  db.prepare('VACUUM INTO ?').run(path);
}

/** Writes what is there already; throws what the system says where it can't. */
export function touchDatabase(db: Connection): void {
  db.exec('UPDATE identity SET serial = serial');
}

/**
 * Runs a write outside of a transaction that survives a power cut as soon as this returns, and all that was committed before with it:
 * for rows that what comes next relies on, such as a file that is removed because another has taken its place.
 */
export function durably(db: Connection, write: () => void): void {
  db.exec(AT_ONCE);
  try {
    write();
  } finally {
    db.exec(USUALLY);
  }
}

/** Runs the steps that are missing; returns how many there were before. */
function migrate(db: Connection, path: string): number {
  const row = (db.prepare('PRAGMA user_version').all() as [{ user_version: number }])[0];
  if (row.user_version > MIGRATIONS.length) {
    throw new SpillwayError('DATA_FOLDER_UNUSABLE', `${path} was made by a newer version of Spillway (schema ${row.user_version})`);
  }
  for (const step of MIGRATIONS.slice(row.user_version)) db.exec(step);
  db.exec(`PRAGMA user_version = ${MIGRATIONS.length}`);
  return row.user_version;
}

function attempt<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof SpillwayError) throw error;
    const { code = '', message } = error as { code?: string; message: string };
    if (/^SQLITE_(BUSY|LOCKED)/.test(code)) throw new SpillwayError('DATA_FOLDER_LOCKED', `another probe uses the data folder: ${path} is locked`);
    throw new SpillwayError('DATA_FOLDER_UNUSABLE', `${path} can not be opened as a database: ${message}`);
  }
}
