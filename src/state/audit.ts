/** Who did what, and from where: the newest rows of it. */
import type { Connection } from './database.js';
import { Writes } from './writes.js';

/** Some months of an ordinary probe, and about 20 MB. */
export const AUDIT_ROWS_MAX = 100_000;
/** So many more there may be, before the oldest go together. */
const SPARE_ROWS = 100;

export interface AuditEntry {
  /** The user's name; empty where nobody of that name is known. */
  who: string;
  /** A word: `login`, `export`, … */
  action: string;
  /** To which thing, in words or as a path. */
  what: string;
  /** Of an export: the packet filters. */
  filter?: string;
  /** Of an export or a file: how much was handed out. */
  bytes?: bigint;
  /** Of the client; `local` on this machine's own socket. */
  address: string;
}

export interface AuditRow extends Required<Pick<AuditEntry, 'who' | 'action' | 'what' | 'address'>> {
  /** Grows from row to row. */
  id: number;
  timeMs: number;
  filter: string | null;
  bytes: bigint | null;
}

interface Row {
  id: number;
  time_ms: number;
  who: string;
  action: string;
  what: string;
  filter: string | null;
  bytes: string | null;
  address: string;
}

export class AuditTable {
  readonly #insert;
  readonly #delete;

  constructor(
    private readonly db: Connection,
    private readonly rowsMax = AUDIT_ROWS_MAX,
    private readonly writes = new Writes(db),
  ) {
    this.#insert = db.prepare('INSERT INTO audit (time_ms, who, action, what, filter, bytes, address) VALUES (?, ?, ?, ?, ?, ?, ?)');
    this.#delete = db.prepare('DELETE FROM audit WHERE id <= ?');
  }

  /** Resolves when it is written. */
  add({ who, action, what, filter, bytes, address }: AuditEntry, timeMs: number): Promise<void> {
    return this.writes.add(() => {
      const row = [timeMs, who, action, what, filter ?? null, bytes?.toString() ?? null, address];
      const id = Number(this.#insert.run(...row).lastInsertRowid);
      if (id % SPARE_ROWS === 0) this.#delete.run(id - this.rowsMax);
    });
  }

  /** The newest first, at most `limit`; `before`: only those with smaller ids. */
  newest(limit: number, before: number | null): AuditRow[] {
    this.writes.flush();
    const rows = this.db.prepare('SELECT * FROM audit WHERE id < ? ORDER BY id DESC LIMIT ?').all(before ?? Number.MAX_SAFE_INTEGER, limit) as Row[];
    return rows.map(({ time_ms, bytes, ...row }) => ({ ...row, timeMs: time_ms, bytes: bytes === null ? null : BigInt(bytes) }));
  }
}
