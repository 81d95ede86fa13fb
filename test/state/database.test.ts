import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { closeDatabase, durably, openDatabase } from '../../src/state/database.js';
import { ExportStore, type StoredExport } from '../../src/state/exports.js';
import { MIGRATIONS } from '../../src/state/migrations.js';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'spillway-db-'));
  path = join(folder, 'spillway.db');
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A process of its own that holds the lock in the same way and says so. */
const holder = `
  import Database from 'libsql';
  const db = new Database(process.argv[1]);
  db.exec('PRAGMA locking_mode = EXCLUSIVE'); db.exec('PRAGMA journal_mode = WAL');
  db.exec('CREATE TABLE IF NOT EXISTS t (x)');
  console.log('held');
  setInterval(() => undefined, 1000);
`;

describe('the lock on a data folder', () => {
  it('is refused to a second probe of the same process, and free after the first has closed', () => {
    const first = openDatabase(path);
    expect(() => openDatabase(path)).toThrow(expect.objectContaining({ code: 'DATA_FOLDER_LOCKED' }));
    // The refused one must not have loosened it.
    expect(() => openDatabase(path)).toThrow(expect.objectContaining({ code: 'DATA_FOLDER_LOCKED' }));
    closeDatabase(first.db);
    closeDatabase(openDatabase(path).db);
  });

  it('ends with a process that is killed', async () => {
    const child = spawn(process.execPath, ['--input-type=module', '-e', holder, path], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(child.stdout, 'data');
    expect(() => openDatabase(path)).toThrow(expect.objectContaining({ code: 'DATA_FOLDER_LOCKED' }));
    child.kill('SIGKILL');
    await once(child, 'exit');
    closeDatabase(openDatabase(path).db);
  });
});

describe('the schema', () => {
  it('is made once and kept', () => {
    const first = openDatabase(path);
    expect(first.isNew).toBe(true);
    closeDatabase(first.db);
    const second = openDatabase(path);
    expect(second.isNew).toBe(false);
    expect(second.db.prepare('PRAGMA user_version').get()).toMatchObject({ user_version: MIGRATIONS.length });
    closeDatabase(second.db);
  });

  it('of a newer version is refused and left alone', () => {
    const { db } = openDatabase(path);
    db.exec(`PRAGMA user_version = ${MIGRATIONS.length + 1}`);
    closeDatabase(db);
    expect(() => openDatabase(path)).toThrow(expect.objectContaining({ code: 'DATA_FOLDER_UNUSABLE', message: expect.stringContaining('newer') }));
  });

  it('is not looked for in a file that is no database', () => {
    writeFileSync(path, 'no database, but long enough to be one '.repeat(100));
    expect(() => openDatabase(path)).toThrow(expect.objectContaining({ code: 'DATA_FOLDER_UNUSABLE' }));
  });
});

describe('a write for good', () => {
  it('is synchronised, and no other is, also behind one that failed', () => {
    const { db } = openDatabase(path);
    const level = (): unknown => (db.prepare('PRAGMA synchronous').get() as { synchronous: number }).synchronous;
    const [FULL, NORMAL] = [2, 1];
    const seen: unknown[] = [];
    durably(db, () => void seen.push(level()));
    expect([seen, level()]).toEqual([[FULL], NORMAL]);
    const fails = (): void => {
      throw new Error('it failed');
    };
    expect(() => durably(db, fails)).toThrow('it failed');
    expect(level()).toBe(NORMAL);
    closeDatabase(db);
  });
});

describe('stored exports', () => {
  const one = (id: string, creationNs: bigint): StoredExport => ({
    id,
    owner: 'admin',
    creationNs,
    state: 'RUNNING',
    request: '{"a":1}',
    outcome: null,
    deadlineNs: null,
  });

  it('come back as they were, oldest first', async () => {
    const { db } = openDatabase(path);
    const store = new ExportStore(db);
    const rows = [one('late', 2n ** 63n), one('early', 5n), one('gone', 6n), { ...one('early', 5n), state: 'DONE', outcome: '{}' }];
    await Promise.all([...rows.map((row) => store.save(row)), store.remove('gone')]);
    closeDatabase(db);
    const again = openDatabase(path);
    expect(new ExportStore(again.db).all()).toEqual([{ ...one('early', 5n), state: 'DONE', outcome: '{}' }, one('late', 2n ** 63n)]);
    closeDatabase(again.db);
  });
});
