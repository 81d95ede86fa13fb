/**
 * A source that comes in stretches of files, one behind another, and is as one file to whoever reads it: an interface of a
 * capture's buffer, which may still grow. Only the present stretch is open.
 */
import type { Damage } from './damage.js';
import type { FileIndex } from './indexes.js';
import type { Beginning, OpenSource } from './open-source.js';

/** What can be read now, until the next turn is asked for. */
export interface Stretch {
  source: OpenSource;
  /** Where its packets begin, where they are of the interfaces of the stretch before; null: it describes its own. */
  goesOn: { offset: number; state: Uint8Array } | null;
  /** The file stays open beyond its turn, until what this returns is called. Missing: it does not. */
  keep?(): () => Promise<void>;
}

/** Packets that are gone before they could be read; null: nobody knows how many. */
export interface Missed {
  missedPackets: bigint | null;
  /** About when they came. */
  startNs: bigint;
  endNs: bigint;
}

/** What can't be read is left out. */
export interface Damaged {
  damage: Damage;
}

/** Nothing of it comes before `idleUntilNs`. */
export interface Idle {
  idleUntilNs: bigint;
}

/** null: nothing follows. */
export type Turn = Stretch | Missed | Damaged | Idle | null;

/** What was lost before it was stored. Each is a sum over `[startNs, endNs)`, which holds every moment at which such a packet may have come. */
export interface Loss {
  kind: 'ring' | 'queue' | 'disk' | 'link_down' | 'link_gone' | 'stopped' | 'overwritten' | 'checksum';
  /** What the packets would have come from. */
  source: string;
  startNs: bigint;
  endNs: bigint;
  /** null: nobody knows. */
  packets: bigint | null;
}

/** A part of a lane that is not opened for it; `isBounded`: no more bytes than those come. The index is closed when the next part is asked for. */
export type Surveyed =
  { name: string; fd: number; index: FileIndex; sizeBytes: number; isPcapng: boolean } | { sizeBytes: number; isBounded: boolean };

/** Nothing is wanted of the file of this index, which has so many bytes. */
export type Skip = (index: FileIndex, sizeBytes: number) => boolean;

export interface Lane {
  readonly name: string;
  /** Bytes that it is known to have at first; null: it may grow. */
  readonly bytesTotal: number | null;
  /** The beginning of what comes first; null while there is nothing. */
  look(): Promise<Beginning | null>;
  /**
   * What follows; the stretch before is over. `skip`: asked of the index of a file that grows no more; where it says so, that need not
   * be opened. Rejects with SOURCE_OVERWRITTEN where what was there at first is gone, unless the lane is followed.
   */
  next(skip: Skip | null): Promise<Turn>;
  /** What is to be read of it, as far as that is known now: parts with an index, and others; reads nothing of them. */
  survey(): AsyncIterable<Surveyed>;
  /**
   * Another lane of the same packets, to be read first; what this one is to read stays there from now on, as long as it is open.
   * Before anything was asked for with `next`, as often as one is needed. Rejects where there may be more to come, and with SOURCE_OVERWRITTEN.
   */
  twin(): Promise<Lane>;
  /** Resolves when it is worth asking again after an idle turn. */
  changed(): Promise<void>;
  /** What capture lost of it, as far as it is read. */
  losses(): Promise<Loss[]>;
  close(): Promise<void>;
}
