/** An open source and what its beginning tells. */
import type { SourceInfo } from '../native.js';
import type { Compression } from './detect.js';
import type { FileIndex } from './indexes.js';

/** What the first packet and what stands before it tell. */
export interface Beginning {
  /** The reader's state at the first packet; null where it could not be read beforehand. */
  state: Uint8Array;
  /** Where the first packet begins; the end, where there is none. */
  offset: number;
  /** Interfaces described in sections before that of the first packet. */
  sectionBase: number;
  info: SourceInfo;
  /** Link type of the first packet, or of the first interface where there is no packet; null without any. */
  linkType: number | null;
  firstTimeNs: bigint | null;
  sectionOptions: Uint8Array;
}

export interface OpenSource {
  name: string;
  fd: number;
  /** Bytes as stored, or as many as may be read; 0 where it is not known. */
  sizeBytes: number;
  /** `file`: read in ranges, by several workers at once. `stream`: read from front to end. */
  kind: 'file' | 'stream';
  compression: Compression | 'detect' | null;
  pipe: boolean;
  /** Of a file, where it has one. */
  index: FileIndex | null;
  /** The index also vouches for the bytes: they are held against its checksums. */
  isChecked: boolean;
  /** null for a stream that can be read only once. */
  beginning: Beginning | null;
  /** From now on someone else closes the descriptor. */
  handOver(): void;
  /** Closes the descriptor where it is this source's own. */
  close(): Promise<void>;
}
