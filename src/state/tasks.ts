/** Tasks and their artifacts, as they survive a restart. What is in `input`, `outcome` and `about` is the caller's, as text. */
import type { Connection } from './database.js';

export interface StoredTask {
  id: string;
  kind: string;
  owner: string;
  createdMs: number;
  updatedMs: number;
  state: string;
  input: string;
  /** Null while there is none. */
  outcome: string | null;
}

/** By the clock on the wall, and what was left then; both null where it is not known yet. */
export interface StoredExpiry {
  expiresMs: number | null;
  leftMs: number | null;
}

export interface StoredArtifact {
  id: string;
  /** Id of its task. */
  task: string;
  name: string;
  bytes: number;
  sha256: string;
  createdMs: number;
  about: string;
}

interface TaskRow extends Pick<StoredTask, 'id' | 'kind' | 'owner' | 'state' | 'input' | 'outcome'> {
  created_ms: number;
  updated_ms: number;
  expires_ms: number | null;
  left_ms: number | null;
}

interface ArtifactRow extends Omit<StoredArtifact, 'createdMs'> {
  created_ms: number;
  expires_ms: number;
  left_ms: number;
}

export class TaskTable {
  constructor(private readonly db: Connection) {}

  /** Adds the task, or changes what was kept under its id. */
  save({ id, kind, owner, createdMs, updatedMs, state, input, outcome }: StoredTask): void {
    this.db
      .prepare(
        `INSERT INTO tasks (id, kind, owner, created_ms, updated_ms, state, input, outcome) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (id) DO UPDATE SET updated_ms = excluded.updated_ms, state = excluded.state, outcome = excluded.outcome`,
      )
      .run(id, kind, owner, createdMs, updatedMs, state, input, outcome);
  }

  saveExpiry(id: string, expiresMs: number, leftMs: number): void {
    this.db.prepare('UPDATE tasks SET expires_ms = ?, left_ms = ? WHERE id = ?').run(expiresMs, leftMs, id);
  }

  remove(id: string): void {
    this.db.prepare('DELETE FROM tasks WHERE id = ?').run(id);
  }

  /** All of them, in the order in which they were made, whatever the clock said. */
  all(): (StoredTask & StoredExpiry)[] {
    const rows = this.db.prepare('SELECT * FROM tasks ORDER BY rowid').all() as TaskRow[];
    return rows.map(({ created_ms, updated_ms, expires_ms, left_ms, ...row }) => {
      return { ...row, createdMs: created_ms, updatedMs: updated_ms, expiresMs: expires_ms, leftMs: left_ms };
    });
  }
}

export class ArtifactTable {
  constructor(private readonly db: Connection) {}

  /** `keptMs`: how long, from its creation on. */
  add({ id, task, name, bytes, sha256, createdMs, about }: StoredArtifact, keptMs: number): void {
    this.db
      .prepare('INSERT INTO artifacts (id, task, name, bytes, sha256, created_ms, about, expires_ms, left_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)')
      .run(id, task, name, bytes, sha256, createdMs, about, createdMs + keptMs, keptMs);
  }

  saveExpiry(id: string, expiresMs: number, leftMs: number): void {
    this.db.prepare('UPDATE artifacts SET expires_ms = ?, left_ms = ? WHERE id = ?').run(expiresMs, leftMs, id);
  }

  remove(id: string): void {
    this.db.prepare('DELETE FROM artifacts WHERE id = ?').run(id);
  }

  /** All of them, oldest first. */
  all(): (StoredArtifact & { expiresMs: number; leftMs: number })[] {
    const rows = this.db.prepare('SELECT * FROM artifacts ORDER BY created_ms, rowid').all() as ArtifactRow[];
    return rows.map(({ created_ms, expires_ms, left_ms, ...row }) => ({ ...row, createdMs: created_ms, expiresMs: expires_ms, leftMs: left_ms }));
  }
}
