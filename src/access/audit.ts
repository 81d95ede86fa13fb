/** Writes down who did what: a row that stays, and a line of the log. Never a password, a token or a cookie. */
import type { AuditEntry, AuditTable } from '../state/audit.js';

export type { AuditEntry } from '../state/audit.js';

/** What a client wrote may be long; a row is one line to be read. */
const TEXT_MAX = 1000;

export class Audit {
  constructor(
    private readonly table: AuditTable,
    private readonly log: (entry: Record<string, string>) => void = () => undefined,
  ) {}

  note(entry: AuditEntry): void {
    const cut: AuditEntry = {
      ...entry,
      what: entry.what.slice(0, TEXT_MAX),
      ...(entry.filter !== undefined && { filter: entry.filter.slice(0, TEXT_MAX) }),
    };
    this.table.add(cut, Date.now()).catch((error: unknown) => this.log({ action: 'audit_failed', what: (error as Error).message }));
    this.log(Object.fromEntries(Object.entries(cut).map(([name, value]) => [name, String(value)])));
  }
}
