/** The users of a probe. What role and password mean is the caller's, as text. */
import type { Connection } from './database.js';

export interface StoredUser {
  name: string;
  role: string;
  /** A salted hash. */
  password: string;
  /** Paths of sources that the user may read; null: all of them. */
  sources: readonly string[] | null;
}

interface Row extends Omit<StoredUser, 'sources'> {
  sources: string | null;
}

export class UserTable {
  constructor(private readonly db: Connection) {}

  /** Adds the user, or replaces what was kept under its name. */
  save({ name, role, password, sources }: StoredUser): void {
    this.db
      .prepare('INSERT OR REPLACE INTO users (name, role, password, sources) VALUES (?, ?, ?, ?)')
      .run(name, role, password, sources === null ? null : JSON.stringify(sources));
  }

  remove(name: string): void {
    this.db.prepare('DELETE FROM users WHERE name = ?').run(name);
  }

  /** All of them, by name. */
  all(): StoredUser[] {
    const rows = this.db.prepare('SELECT * FROM users ORDER BY name').all() as Row[];
    return rows.map(({ sources, ...row }) => ({ ...row, sources: sources === null ? null : (JSON.parse(sources) as string[]) }));
  }
}
