import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { closeDatabase, openDatabase, type Connection } from '../../src/state/database.js';
import { Writes } from '../../src/state/writes.js';
import { temporaryFolder } from '../support/temporary.js';

const folder = temporaryFolder();
const path = join(folder.path, 'x.db');
let db: Connection;
let writes: Writes;
beforeEach(() => {
  rmSync(path, { force: true });
  ({ db } = openDatabase(path));
  db.exec('CREATE TABLE t (i INTEGER PRIMARY KEY)');
  writes = new Writes(db);
});
afterEach(() => closeDatabase(db));

const insert = (i: number): Promise<void> => writes.add(() => void db.prepare('INSERT INTO t VALUES (?)').run(i));
const rows = (): number[] => (db.prepare('SELECT i FROM t ORDER BY i').all() as { i: number }[]).map(({ i }) => i);

it('that come together are one transaction, and are there when they are told of', async () => {
  const all = [1, 2, 3].map(insert);
  const seen: boolean[] = [];
  const watching = writes.add(() => void seen.push(db.inTransaction));
  expect(rows()).toEqual([]);
  await Promise.all([...all, watching]);
  expect([rows(), seen, db.inTransaction]).toEqual([[1, 2, 3], [true], false]);
});

it('are there at once for who asks for them', async () => {
  const write = insert(1);
  writes.flush();
  expect(rows()).toEqual([1]);
  await write;
});

it('take no other along where they fail', async () => {
  const results = await Promise.allSettled([insert(1), insert(1), insert(2)]);
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  expect([rows(), db.inTransaction]).toEqual([[1, 2], false]);
});

it('stay in order', async () => {
  await Promise.all([insert(1), writes.add(() => void db.exec('DELETE FROM t')), insert(2)]);
  expect(rows()).toEqual([2]);
});
