/** A repository in a folder of its own, and the same folder once more as another run of the server finds it. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach } from 'vitest';
import { closeDatabase, openDatabase, type Connection } from '../../src/state/database.js';
import { UpdateKeyTable, UpdatePackageTable } from '../../src/state/updates.js';
import { Audit, type AuditEntry } from '../../src/access/audit.js';
import type { AuditTable } from '../../src/state/audit.js';
import { UpdateKeys } from '../../src/update/keys.js';
import { Repository, type RepositoryOptions } from '../../src/update/repository.js';
import { temporaryFolder } from '../support/temporary.js';

const open: (() => void)[] = [];
afterEach(() => {
  for (const close of open.splice(0)) close();
});

export class RepositoryRoom {
  readonly reports: Error[] = [];
  readonly noted: AuditEntry[] = [];

  private constructor(
    readonly path: string,
    readonly db: Connection,
    readonly close: () => void,
  ) {}

  repository!: Repository;
  keys!: UpdateKeys;
  table!: UpdatePackageTable;

  static async open(path = temporaryFolder().path, more: Partial<RepositoryOptions> = {}): Promise<RepositoryRoom> {
    const { db } = openDatabase(join(path, 'updates.db'));
    let isOpen = true;
    const close = (): void => {
      if (isOpen) closeDatabase(db);
      isOpen = false;
    };
    open.push(close);
    const room = new RepositoryRoom(path, db, close);
    const audit = new Audit({ add: async (entry: AuditEntry) => void room.noted.push(entry) } as unknown as AuditTable);
    room.keys = new UpdateKeys({ table: new UpdateKeyTable(db), audit });
    room.table = new UpdatePackageTable(db);
    room.repository = await Repository.open({
      folder: join(path, 'repository'),
      table: room.table,
      keys: () => room.keys.keys(),
      report: (error) => void room.reports.push(error),
      ...more,
    });
    return room;
  }

  /** What lies in its folder, unfinished files and all. */
  files(): string[] {
    return readdirSync(join(this.path, 'repository'));
  }
}
