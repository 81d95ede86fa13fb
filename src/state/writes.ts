/**
 * Writes to the database that come in the same moment, as one transaction: a commit costs more than a row. Whoever is to
 * be told of a write waits for it; what is read meanwhile asks for `flush` first.
 */
import type { Connection } from './database.js';

interface Waiting {
  write: () => void;
  resolve: () => void;
  reject: (error: Error) => void;
}

export class Writes {
  #waiting: Waiting[] = [];

  constructor(private readonly db: Connection) {}

  /** Resolves when it is committed, in the order of the calls; rejects with what the database says. */
  add(write: () => void): Promise<void> {
    if (this.#waiting.length === 0) setImmediate(() => this.flush());
    return new Promise((resolve, reject) => this.#waiting.push({ write, resolve, reject }));
  }

  /** Commits what waits. */
  flush(): void {
    const batch = this.#waiting;
    this.#waiting = [];
    if (batch.length === 0) return;
    if (batch.length > 1 && this.#commit(batch)) return batch.forEach(({ resolve }) => resolve());
    // One by one: one that fails takes no other along.
    for (const { write, resolve, reject } of batch) {
      try {
        write();
        resolve();
      } catch (error) {
        reject(error as Error);
      }
    }
  }

  /** False where nothing of it was written. */
  #commit(batch: readonly Waiting[]): boolean {
    try {
      this.db.exec('BEGIN');
      for (const { write } of batch) write();
      this.db.exec('COMMIT');
      return true;
    } catch {
      this.#rollBack();
      return false;
    }
  }

  #rollBack(): void {
    try {
      if (this.db.inTransaction) this.db.exec('ROLLBACK');
    } catch {
      // The connection is closed, or the transaction went with what failed: there is none.
    }
  }
}
