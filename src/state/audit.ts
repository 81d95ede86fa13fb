/** Who did what, and from where: the newest rows of it. */
import type { Connection, Statement } from './database.js';

/** Some months of an ordinary probe, and about 20 MB. */
export const AUDIT_ROWS_MAX = 100_000;

/** The oldest go in lots: letting go of one takes as long as of many. */
const TRIM_EVERY = 100;

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
  readonly #insert: Statement;
  readonly #trim: Statement;

  constructor(
    private readonly db: Connection,
    private readonly rowsMax = AUDIT_ROWS_MAX,
  ) {
    this.#insert = db.prepare('INSERT INTO audit (time_ms, who, action, what, filter, bytes, address) VALUES (?, ?, ?, ?, ?, ?, ?)');
    this.#trim = db.prepare('DELETE FROM audit WHERE id <= ?');
  }

  add({ who, action, what, filter, bytes, address }: AuditEntry, timeMs: number): void {
    const { lastInsertRowid } = this.#insert.run(timeMs, who, action, what, filter ?? null, bytes?.toString() ?? null, address);
    if (Number(lastInsertRowid) % TRIM_EVERY === 0) this.#trim.run(Number(lastInsertRowid) - this.rowsMax);
  }

  /** The newest first, at most `limit`; `before`: only those with smaller ids. */
  newest(limit: number, before: number | null): AuditRow[] {
    const rows = this.db.prepare('SELECT * FROM audit WHERE id < ? ORDER BY id DESC LIMIT ?').all(before ?? Number.MAX_SAFE_INTEGER, limit) as Row[];
    return rows.map(({ time_ms, bytes, ...row }) => ({ ...row, timeMs: time_ms, bytes: bytes === null ? null : BigInt(bytes) }));
  }
}
