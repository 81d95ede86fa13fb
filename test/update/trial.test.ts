/** What is started, with which database, after a trial that ended in whatever way. */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { closeDatabase, copyDatabase, openDatabase, schemaOf, type Connection } from '../../src/state/database.js';
import { MIGRATIONS } from '../../src/state/migrations.js';
import { keptDatabase } from '../../src/update/before.js';
import { Slots, type Place } from '../../src/update/slots.js';
import { temporaryFolder } from '../support/temporary.js';

const NEWER = MIGRATIONS.length + 1;

interface House {
  data: string;
  database: string;
  slots: Slots;
  /** Whether the database has what the release on trial has written. */
  isOfTrial: () => boolean;
}

/** A probe that runs the release in slot b, and has that in slot a on trial, begun. `trial` is what that one does to the database. */
function house({
  installedBefore,
  installed,
  version = '2.0.0',
  trial = () => undefined,
}: { installedBefore?: string; installed?: string; version?: string; trial?: (db: Connection) => void } = {}): House {
  const data = temporaryFolder().path;
  const database = join(data, 'spillway.db');
  const slots = new Slots(data, join(data, 'installed'));
  for (const slot of ['a', 'b'] as const) {
    mkdirSync(join(slots.clear(slot), 'bin'));
    slots.fill(slot, { package: 'p', version: slot === 'a' ? version : '1.0.0' });
    writeFileSync(join(slots.folderOf(slot), 'bin', 'spillway'), '');
  }
  mkdirSync(join(data, 'installed'));
  const install = (it: string): void => writeFileSync(join(data, 'installed', 'package.json'), JSON.stringify({ version: it }));
  if (installedBefore !== undefined) install(installedBefore);
  slots.write({ ...slots.read(), active: 'b' });
  write(database, (db) => copyDatabase(db, keptDatabase(slots.folder)));
  slots.activate('a', 'task');
  if (installed !== undefined) install(installed);
  write(database, (db) => {
    db.exec('CREATE TABLE of_trial (x TEXT) STRICT');
    trial(db);
  });
  return { data, database, slots, isOfTrial: () => hasTable(database) };
}

function write(path: string, work: (db: Connection) => void): void {
  const { db } = openDatabase(path);
  work(db);
  closeDatabase(db);
}

function hasTable(path: string): boolean {
  const copy = `${path}.looked-at`;
  for (const end of ['', '-wal']) if (existsSync(path + end)) cpSync(path + end, copy + end);
  let has = false;
  write(copy, (db) => (has = db.prepare("SELECT name FROM sqlite_schema WHERE name = 'of_trial'").all().length > 0));
  for (const end of ['', '-wal']) rmSync(copy + end, { force: true });
  return has;
}

/** As the release on trial leaves it that has steps of its own. */
const migrates = (db: Connection): void => void db.exec(`PRAGMA user_version = ${NEWER}`);

const started = (slots: Slots, failure?: string): Place => slots.begin(failure).place;

/** Instead of a full disk: nothing can be written where the state goes first. */
function withoutRoom<T>({ slots }: House, work: () => T): T {
  const part = join(slots.folder, 'slots.json.part');
  mkdirSync(part);
  try {
    return work();
  } finally {
    rmdirSync(part);
  }
}

describe('a trial that is given up', () => {
  it.each<[string, (home: House) => Place]>([
    ['by the launcher', ({ slots }) => started(slots, 'it ended')],
    ['since it was cut off twice', ({ slots }) => [started(slots), started(slots), started(slots)].at(-1)!],
    [
      'since its release is gone',
      ({ slots }) => {
        rmSync(slots.folderOf('a'), { recursive: true });
        return started(slots);
      },
    ],
  ])('%s leaves no tables that the release before can not read', (_, end) => {
    const home = house({ trial: migrates });
    expect(end(home)).toBe('b');
    expect(home.slots.read()).toMatchObject({ active: 'b', trial: null, last: { install: 'task', place: 'a', outcome: 'rolled back' } });
    expect(home.isOfTrial()).toBe(false);
    expect(readdirSync(home.slots.folder).filter((name) => name.startsWith('before'))).toEqual([]);
  });

  it('is so with tables that are still in the log of a release that was killed', () => {
    const home = house();
    const { db } = openDatabase(home.database);
    migrates(db);
    const killed = join(home.data, 'killed');
    for (const end of ['', '-wal']) cpSync(home.database + end, killed + end);
    closeDatabase(db);
    for (const end of ['', '-wal']) renameSync(killed + end, home.database + end);
    expect(readFileSync(home.database).readUInt32BE(60)).toBe(MIGRATIONS.length);
    expect(started(home.slots, 'SIGKILL ended it')).toBe('b');
    expect(home.isOfTrial()).toBe(false);
    expect(existsSync(`${home.database}-wal`)).toBe(false);
  });

  it('keeps what was written where the tables are as they were', () => {
    const home = house();
    expect(started(home.slots, 'it ended')).toBe('b');
    expect(home.isOfTrial()).toBe(true);
  });

  it('keeps what was written in tables that this release, an older one, does not know', () => {
    const { slots, database } = house({ trial: migrates });
    // The release before is as new as that on trial.
    slots.write({ ...slots.read(), trial: { ...slots.read().trial!, schema: NEWER } });
    expect(started(slots, 'it ended')).toBe('b');
    expect(schemaOf(database)).toBe(NEWER);
  });

  it('leaves a database that can not be read to the release before', () => {
    const home = house();
    writeFileSync(home.database, 'no database, but long enough to be one '.repeat(100));
    expect(started(home.slots, 'it ended')).toBe('b');
    expect(existsSync(keptDatabase(home.slots.folder))).toBe(true);
    expect(() => schemaOf(home.database)).toThrow();
  });

  it('changes nothing while somebody has the data folder open', () => {
    const home = house({ trial: migrates });
    const before = home.slots.read();
    const text = readFileSync(home.database);
    rmSync(home.database);
    const { db } = openDatabase(home.database);
    expect(() => home.slots.begin('it ended')).toThrow(expect.objectContaining({ code: 'DATA_FOLDER_LOCKED' }));
    closeDatabase(db);
    writeFileSync(home.database, text);
    expect(home.slots.read()).toEqual(before);
    expect(started(home.slots, 'it ended')).toBe('b');
    expect(home.isOfTrial()).toBe(false);
  });

  it.each<[string, (taken: string, home: House) => void]>([
    ['the copy was taken', () => undefined],
    ['the log was removed', (_, { database }) => rmSync(`${database}-wal`, { force: true })],
    ['the database is back', (taken, { database }) => renameSync(taken, database)],
  ])('is given up still where the end of the machine came when %s', (_, cut) => {
    const home = house({ trial: migrates });
    expect(started(home.slots)).toBe('a');
    const copy = keptDatabase(home.slots.folder);
    renameSync(copy, `${copy}.taken`);
    cut(`${copy}.taken`, home);
    expect(home.slots.begin()).toEqual({ place: 'b', isTrial: false, notes: [expect.stringMatching(/database of the release before is back/)] });
    expect(home.slots.read()).toMatchObject({ active: 'b', trial: null });
    expect(home.isOfTrial()).toBe(false);
  });
});

describe('a state that can not be written', () => {
  it('lets the release before run, which writes down later that it does', () => {
    const home = house({ trial: migrates });
    const { slots } = home;
    expect(started(slots)).toBe('a');
    const { place, isTrial } = withoutRoom(home, () => slots.begin('it ended'));
    expect([place, isTrial, slots.read().active]).toEqual(['b', false, 'a']);
    expect(home.isOfTrial()).toBe(false);
    expect(() => withoutRoom(home, () => slots.confirm('b'))).toThrow();
    slots.confirm('b');
    expect(slots.read()).toMatchObject({ active: 'b', trial: null, last: { install: 'task', place: 'a', outcome: 'rolled back' } });
  });

  it('starts no release on trial: nobody would know how often it was', () => {
    const home = house();
    expect(withoutRoom(home, () => home.slots.begin())).toMatchObject({ place: 'b', isTrial: false, notes: [expect.stringMatching(/EISDIR/)] });
    expect(home.slots.begin()).toEqual({ place: 'a', isTrial: true, notes: [] });
  });
});

describe('an installed release', () => {
  it.each<[string, string | undefined, string, Place]>([
    ['that is newer runs in the place of one that an update brought', '2.0.1', '2.0.0', 'installed'],
    ['that is as new does not', '2.0.0', '2.0.0', 'a'],
    ['that is older does not', '1.9.0', '2.0.0', 'a'],
    ['that does not tell its version does not', undefined, '2.0.0', 'a'],
  ])('%s', (_, installed, version, place) => {
    const { slots } = house({ version, ...(installed !== undefined && { installed }) });
    slots.confirm();
    const { notes, ...start } = slots.begin();
    expect(start).toEqual({ place, isTrial: false });
    expect(notes).toEqual(place === 'a' ? [] : ['the release of slot a is not started: version 2.0.1, which was installed since, is newer']);
  });

  it('that is newer, and was so before, gives way to one that was allowed to be older', () => {
    const { slots } = house({ installedBefore: '2.0.1' });
    expect(slots.begin()).toEqual({ place: 'a', isTrial: true, notes: [] });
    slots.confirm();
    expect(slots.begin()).toEqual({ place: 'a', isTrial: false, notes: [] });
  });

  it('that is newer than one on trial gives that up', () => {
    const { slots } = house({ installed: '2.0.1' });
    expect(slots.begin().place).toBe('installed');
    expect(slots.read()).toMatchObject({
      active: 'installed',
      trial: null,
      last: { outcome: 'rolled back', why: expect.stringMatching(/is newer/) as string },
    });
  });
});
