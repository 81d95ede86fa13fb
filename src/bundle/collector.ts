/** What a package can hold: collectors, each with a name, a place in the package and bounds on time and bytes. */

/** Parts of a package that are asked for by name. */
export const SECTIONS = ['configuration', 'event_logs', 'statistics', 'status', 'system_log', 'user_credentials'] as const;
export type Section = (typeof SECTIONS)[number];

export const VERBOSITIES = ['base', 'verbose'] as const;
export type Verbosity = (typeof VERBOSITIES)[number];

/** What a package is asked to hold. */
export interface BundleWish {
  verbosity: Verbosity;
  sections: readonly Section[];
}

export interface CollectorContext {
  verbosity: Verbosity;
  /** Aborts when the collector's time is over, or the whole package is cancelled. */
  signal: AbortSignal;
}

export interface Collector {
  /** As the manifest lists it: `capture-jobs`. */
  name: string;
  /** Null: in every package. */
  section: Section | null;
  /** Path in the package: `status/jobs.json`. */
  file: string;
  about: string;
  /** Of the file, behind redaction; more is cut, and the manifest says so. */
  maxBytes: number;
  maxMs: number;
  /**
   * A value that is written as JSON, or text in pieces. Both are redacted. What rejects, or takes too long, leaves a note in
   * the manifest and what it gave by then.
   */
  collect(context: CollectorContext): Promise<unknown> | AsyncIterable<string>;
}
