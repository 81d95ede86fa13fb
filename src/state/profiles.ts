/** The profiles of a probe: credentials with which peers are asked. They are kept as they are, since they have to be sent. */
import type { Connection } from './database.js';

export interface StoredProfile {
  id: string;
  name: string;
  username: string;
  password: string;
  isDefault: boolean;
}

interface Row extends Omit<StoredProfile, 'isDefault'> {
  is_default: number;
}

export class ProfileTable {
  constructor(private readonly db: Connection) {}

  /** One that is the default takes that from the other. */
  add({ id, name, username, password, isDefault }: StoredProfile): void {
    this.db.transaction(() => {
      if (isDefault) this.db.prepare('UPDATE profiles SET is_default = 0').run();
      this.db
        .prepare('INSERT INTO profiles (id, name, username, password, is_default) VALUES (?, ?, ?, ?, ?)')
        .run(id, name, username, password, isDefault ? 1 : 0);
    })();
  }

  remove(id: string): void {
    this.db.prepare('DELETE FROM profiles WHERE id = ?').run(id);
  }

  /** All of them, by name. */
  all(): StoredProfile[] {
    const rows = this.db.prepare('SELECT * FROM profiles ORDER BY name').all() as Row[];
    return rows.map(({ is_default, ...row }) => ({ ...row, isDefault: is_default === 1 }));
  }
}
