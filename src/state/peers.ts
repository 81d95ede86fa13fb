/** The peer probes of a probe. What address, pin and profile mean is the caller's, as text. */
import type { Connection } from './database.js';

export interface StoredPeer {
  address: string;
  /** Of its certificate; null: none. */
  pin: string | null;
  /** In PEM; null: none. */
  ca: string | null;
  /** The id of a profile; null: none of its own. */
  profile: string | null;
}

export class PeerTable {
  constructor(private readonly db: Connection) {}

  add({ address, pin, ca, profile }: StoredPeer): void {
    this.db.prepare('INSERT INTO peers (address, pin, ca, profile) VALUES (?, ?, ?, ?)').run(address, pin, ca, profile);
  }

  remove(address: string): void {
    this.db.prepare('DELETE FROM peers WHERE address = ?').run(address);
  }

  /** All of them, by address. */
  all(): StoredPeer[] {
    return this.db.prepare('SELECT * FROM peers ORDER BY address').all() as StoredPeer[];
  }

  /** Addresses of the peers that name a profile. */
  withProfile(id: string): string[] {
    const rows = this.db.prepare('SELECT address FROM peers WHERE profile = ? ORDER BY address').all(id) as { address: string }[];
    return rows.map(({ address }) => address);
  }
}
