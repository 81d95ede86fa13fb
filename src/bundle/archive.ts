/** What a package is written into: files one after another. */

export interface Archive {
  /** Rejects with what `bytes` or the sink rejects with; the archive is of no use then. */
  add(path: string, bytes: AsyncIterable<Uint8Array>): Promise<void>;
  /** Ends the archive; the sink stays open. */
  finish(): Promise<void>;
}

/** Of one file. tar says a file's size before its bytes, so that it is gathered; and nobody reads more. */
export const FILE_BYTES_MAX = 16 << 20;
/** Of all files of a package together: it is sent by mail, or attached to a ticket. */
export const BUNDLE_BYTES_MAX = 256 << 20;
/** Files of a package; there are a few dozen collectors. */
export const FILES_MAX = 200;
