/** Update packages of the repository, and the keys that they may be signed with. */
import { durably, type Connection } from './database.js';

export interface StoredPackage {
  /** That of its manifest. */
  id: string;
  version: string;
  platform: string;
  architecture: string;
  /** A range of versions. */
  node: string;
  /** Of its file, as it was imported. */
  bytes: number;
  sha256: string;
  crc32: number;
  /** Fingerprint of the key that signed it; null: no keys were configured when it came. */
  signer: string | null;
  madeMs: number;
  importedMs: number;
  /** Name of its file. */
  file: string;
}

export interface StoredKey {
  /** SHA-256, in hex. */
  fingerprint: string;
  name: string;
  pem: string;
  addedMs: number;
}

interface PackageRow extends Omit<StoredPackage, 'madeMs' | 'importedMs'> {
  made_ms: number;
  imported_ms: number;
}

interface KeyRow extends Omit<StoredKey, 'addedMs'> {
  added_ms: number;
}

export class UpdatePackageTable {
  constructor(private readonly db: Connection) {}

  /** Adds the package, or takes the place of the one with its id; on the disk when it returns: the file of the other one goes then. */
  save(row: StoredPackage): void {
    const { id, version, platform, architecture, node, bytes, sha256, crc32, signer, madeMs, importedMs, file } = row;
    const write = this.db.prepare(
      `INSERT OR REPLACE INTO update_packages (id, version, platform, architecture, node, bytes, sha256, crc32, signer, made_ms, imported_ms, file)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    durably(this.db, () => void write.run(id, version, platform, architecture, node, bytes, sha256, crc32, signer, madeMs, importedMs, file));
  }

  remove(id: string): void {
    this.db.prepare('DELETE FROM update_packages WHERE id = ?').run(id);
  }

  /** All of them, in the order in which they came. */
  all(): StoredPackage[] {
    const rows = this.db.prepare('SELECT * FROM update_packages ORDER BY imported_ms, rowid').all() as PackageRow[];
    return rows.map(({ made_ms, imported_ms, ...row }) => ({ ...row, madeMs: made_ms, importedMs: imported_ms }));
  }
}

export class UpdateKeyTable {
  constructor(private readonly db: Connection) {}

  add({ fingerprint, name, pem, addedMs }: StoredKey): void {
    this.db.prepare('INSERT INTO update_keys (fingerprint, name, pem, added_ms) VALUES (?, ?, ?, ?)').run(fingerprint, name, pem, addedMs);
  }

  remove(fingerprint: string): void {
    this.db.prepare('DELETE FROM update_keys WHERE fingerprint = ?').run(fingerprint);
  }

  /** All of them, in the order in which they came. */
  all(): StoredKey[] {
    const rows = this.db.prepare('SELECT * FROM update_keys ORDER BY added_ms, rowid').all() as KeyRow[];
    return rows.map(({ added_ms, ...row }) => ({ ...row, addedMs: added_ms }));
  }
}
