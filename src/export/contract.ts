/** What the exports of a probe need, and what their clients give them. */
import type { CapturedName, CapturedSources, CaptureWish } from '../capture/captured-sources.js';
import type { PreparedExport } from '../engine/export.js';
import type { ExportFormat, ExportRequest, Sink } from '../engine/types.js';
import type { ExportStore } from '../state/exports.js';
import type { FileSystem } from '../state/filesystem.js';
import type { Spooled } from './spool-fetch.js';
import type { Mode, State, Uint64 } from './schema.js';
import type { SpoolRoom } from './spool.js';

export interface Dependencies {
  prepare: (request: ExportRequest) => Promise<PreparedExport>;
  /** What an export of captured traffic reads; rejects where there is nothing of that name, or nothing in it. */
  openCaptured: (name: CapturedName, wish: CaptureWish) => Promise<CapturedSources>;
  store: ExportStore;
  files: FileSystem;
  spools: SpoolRoom;
  /** Hears of failures that no request waits for. */
  report?: (error: Error) => void;
  /** Hears of what was done, by whom. */
  audit?: (note: ExportNote) => void;
  /** Hears of every export that is made, and of its end. */
  tell?: (event: ExportEvent) => void;
  /** How long who asks for packets waits for a turn; default: as LIMITS says. */
  turnWaitMs?: number;
  /** How long a client may take nothing while others wait; default: as LIMITS says. */
  stallMs?: number;
}

interface AboutExport {
  id: string;
  owner: string;
  mode: Mode;
}

/** A step in the life of an export, for logs and counters. */
export type ExportEvent =
  | (AboutExport & { step: 'created'; path: string })
  | (AboutExport & { step: 'ended'; outcome: Outcome; errorId: string | null; bytes: Uint64; packets: Uint64; ms: number });

/** How an export ended for the first time: in one of its final states, or removed before. */
export type Outcome = 'DONE' | 'NODATA' | 'ERRORS' | 'REMOVED';

/** What the exports of a probe do at one moment. */
export interface ExportFigures {
  /** How many there are in each mode and state; none: absent. */
  byModeAndState: Map<Mode, Map<State, number>>;
  /** Of those that have not ended, so far. */
  bytes: number;
  packets: number;
  /** Clients that are being sent packets. */
  downloads: number;
  turns: Record<'stored' | 'live', { taken: number; waiting: number }>;
  spoolBytes: number;
}

/** What is told of an export: it was made, its packets were fetched or written, it was removed. */
export interface ExportNote {
  action: 'export.create' | 'export.download' | 'export.write' | 'export.delete';
  who: string;
  /** The client's; `local` where there is none. */
  address: string;
  /** The export's id. */
  what: string;
  path: string;
  /** Filter texts, one behind another. */
  filter: string;
  /** Of the output, where it is about those. */
  bytes?: number | bigint;
  state: string;
}

/** A client that fetches packets. */
export interface Download {
  /** Aborts when the client leaves, with the `SpillwayError` that says so. */
  signal: AbortSignal;
  /** Where the bytes of a stream go; called once, when there is something to fetch. */
  open: (about: Output) => Sink;
  /** Sends what is complete already, or a part of it, until `signal` aborts; resolves to whether the client got its end. */
  send: (about: Output, spooled: Spooled, signal: AbortSignal) => Promise<boolean>;
}

/** What is fetched. */
export interface Output {
  /** Of the export. */
  id: string;
  /** As `config.path` names it. */
  source: string;
  format: ExportFormat;
}
