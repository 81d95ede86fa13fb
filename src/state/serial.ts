/** The serial number of a probe: made with its database. */
import type { Connection } from './database.js';

export function serialOf(db: Connection): string {
  const [{ serial }] = db.prepare('SELECT serial FROM identity').all() as [{ serial: string }];
  return serial;
}
