/** A probe as collectors see it: what its data folder tells, and what only a running server knows. */
import type { Clips } from '../buffer/clips.js';
import type { Jobs } from '../buffer/jobs.js';
import type { Vifgs } from '../capture/vifgs.js';
import type { ProbeConfig } from '../config.js';
import type { AuditRow } from '../state/audit.js';
import type { StoredUser } from '../state/users.js';

export interface ProbeFacts {
  version: string;
  /** null: the database that holds it can't be read. */
  serial: string | null;
  dataFolder: string;
  jobs: Jobs;
  clips: Clips;
  vifgs: Vifgs;
  /** These read the database, and throw where it can't be read. */
  users(): readonly StoredUser[];
  /** The newest first; `before`: only those with smaller ids. */
  audit(limit: number, before: number | null): readonly AuditRow[];
  /** The newest first, one at a time: there may be many. */
  exports(): Iterable<unknown>;
  tasks?: () => unknown;
  /** Other probes that this one knows, and the profiles for them, without passwords. */
  peers?: () => unknown;
  /** Of a running server. */
  live?: LiveFacts;
}

export interface LiveFacts {
  startedMs: number;
  config: ProbeConfig;
  /** In the text format of Prometheus. */
  metrics(): Promise<string>;
  /** Figures over time, the oldest first: lines of CSV behind a head. */
  history(): Iterable<string>;
  /** The newest lines of the log, the oldest of them first. */
  log(): readonly string[];
  health(): Promise<unknown>;
}
