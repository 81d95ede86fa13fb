/** What the exports of a probe need, and what their clients give them. */
import type { CapturedName, CapturedSources, CaptureWish } from '../capture/captured-sources.js';
import type { PreparedExport } from '../engine/export.js';
import type { ExportFormat, ExportRequest, Sink } from '../engine/types.js';
import type { ExportStore } from '../state/exports.js';
import type { FileSystem } from '../state/filesystem.js';
import type { Spooled } from './spool-fetch.js';
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
  /** How long who asks for packets waits for a turn; default: as LIMITS says. */
  turnWaitMs?: number;
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
