/** Sessions, access tokens and refresh tokens. Of the secret itself only a hash is kept: who reads the database can not log in. */
import { createHash } from 'node:crypto';
import type { Connection } from './database.js';

export type SecretKind = 'session' | 'access' | 'refresh';

export interface StoredSecret {
  kind: SecretKind;
  /** Tells it from others without giving it away. */
  id: string;
  user: string;
  createdMs: number;
  expiresMs: number;
  /** The id of the refresh token that an access token ends with. */
  parent: string | null;
}

interface Row {
  kind: SecretKind;
  id: string;
  user: string;
  created_ms: number;
  expires_ms: number;
  parent: string | null;
}

/** Secrets are random, 256 bits: a plain hash of one can not be guessed backwards. */
function hashOf(secret: string): string {
  return createHash('sha256').update(secret).digest('base64url');
}

const stored = ({ created_ms, expires_ms, ...row }: Row): StoredSecret => ({ ...row, createdMs: created_ms, expiresMs: expires_ms });

export class SecretTable {
  constructor(private readonly db: Connection) {}

  add(secret: string, { kind, id, user, createdMs, expiresMs, parent }: StoredSecret): void {
    this.db
      .prepare('INSERT INTO secrets (hash, kind, id, user, created_ms, expires_ms, parent) VALUES (?, ?, ?, ?, ?, ?, ?)')
      .run(hashOf(secret), kind, id, user, createdMs, expiresMs, parent);
  }

  find(secret: string, kind: SecretKind): StoredSecret | null {
    const rows = this.db.prepare('SELECT * FROM secrets WHERE hash = ? AND kind = ?').all(hashOf(secret), kind) as Row[];
    return rows[0] === undefined ? null : stored(rows[0]);
  }

  /** All of a kind, oldest first. */
  all(kind: SecretKind): StoredSecret[] {
    return (this.db.prepare('SELECT * FROM secrets WHERE kind = ? ORDER BY created_ms, rowid').all(kind) as Row[]).map(stored);
  }

  /** Removes it and the access tokens that end with it. */
  remove(id: string): void {
    this.db.prepare('DELETE FROM secrets WHERE id = ? OR parent = ?').run(id, id);
  }

  removeOf(user: string): void {
    this.db.prepare('DELETE FROM secrets WHERE user = ?').run(user);
  }

  removeAll(): void {
    this.db.prepare('DELETE FROM secrets').run();
  }

  /** Removes what expired before a time. */
  sweep(beforeMs: number): void {
    this.db.prepare('DELETE FROM secrets WHERE expires_ms < ?').run(beforeMs);
  }

  /** The ids of a user's secrets of one kind that are beyond the newest `keep`. */
  beyond(user: string, kind: SecretKind, keep: number): string[] {
    const rows = this.db
      .prepare('SELECT id FROM secrets WHERE user = ? AND kind = ? ORDER BY created_ms DESC, rowid DESC LIMIT -1 OFFSET ?')
      .all(user, kind, keep) as { id: string }[];
    return rows.map(({ id }) => id);
  }
}
