/** Peers and profiles over a database of their own. */
import { join } from 'node:path';
import { Audit } from '../../src/access/audit.js';
import { Peers } from '../../src/peer/peers.js';
import { Profiles } from '../../src/peer/profiles.js';
import { AuditTable, type AuditRow } from '../../src/state/audit.js';
import { closeDatabase, openDatabase } from '../../src/state/database.js';
import { PeerTable } from '../../src/state/peers.js';
import { ProfileTable } from '../../src/state/profiles.js';
import { Writes } from '../../src/state/writes.js';

export const BY = { who: 'ann', address: 'local' };

export interface Rooms {
  peers: Peers;
  profiles: Profiles;
  noted(): AuditRow[];
  close(): void;
}

/** What is kept in `folder`, as a probe that starts finds it. */
export function openRooms(folder: string): Rooms {
  const { db } = openDatabase(join(folder, 'spillway.db'));
  const writes = new Writes(db);
  const tables = { peers: new PeerTable(db), profiles: new ProfileTable(db), audit: new AuditTable(db, undefined, writes) };
  const audit = new Audit(tables.audit);
  const profiles = new Profiles({ table: tables.profiles, peers: tables.peers, audit });
  const peers = new Peers({ table: tables.peers, profiles, audit });
  const close = (): void => {
    writes.flush();
    closeDatabase(db);
  };
  return { peers, profiles, noted: () => tables.audit.newest(100, null), close };
}
