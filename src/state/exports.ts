/** The exports that survive a restart. What is in `request` and `outcome` is the caller's, as text. */
import type { Connection } from './database.js';
import { Writes } from './writes.js';

export interface StoredExport {
  id: string;
  owner: string;
  /** When it was created, nanoseconds since the epoch. */
  creationNs: bigint;
  state: string;
  request: string;
  /** Null while the export has not ended. */
  outcome: string | null;
  /** When it is removed, nanoseconds since the epoch; null: that is not known yet. */
  deadlineNs: bigint | null;
}

interface Row {
  id: string;
  owner: string;
  creation_ns: string;
  state: string;
  request: string;
  outcome: string | null;
  deadline_ns: string | null;
}

export class ExportStore {
  readonly #insert;
  readonly #delete;

  constructor(
    private readonly db: Connection,
    private readonly writes = new Writes(db),
  ) {
    this.#insert = db.prepare(
      'INSERT OR REPLACE INTO exports (id, owner, creation_ns, state, request, outcome, deadline_ns) VALUES (?, ?, ?, ?, ?, ?, ?)',
    );
    this.#delete = db.prepare('DELETE FROM exports WHERE id = ?');
  }

  /** Adds the export, or replaces what was kept under its id. */
  save({ id, owner, creationNs, state, request, outcome, deadlineNs }: StoredExport): Promise<void> {
    const row = [id, owner, creationNs.toString(), state, request, outcome, deadlineNs?.toString() ?? null];
    return this.writes.add(() => void this.#insert.run(...row));
  }

  remove(id: string): Promise<void> {
    return this.writes.add(() => void this.#delete.run(id));
  }

  /** All of them, oldest first. */
  all(): StoredExport[] {
    this.writes.flush();
    const rows = this.db.prepare('SELECT * FROM exports ORDER BY CAST(creation_ns AS INTEGER), rowid').all() as Row[];
    return rows.map(({ creation_ns, deadline_ns, ...row }) => {
      return { ...row, creationNs: BigInt(creation_ns), deadlineNs: deadline_ns === null ? null : BigInt(deadline_ns) };
    });
  }
}
