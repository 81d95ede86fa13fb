/**
 * The contract of the native addon (`native/addon`), the one seam between the two planes.
 *
 * Units: times are `bigint` nanoseconds since 1970-01-01T00:00:00Z, ranges are half-open `[start, end)`;
 * file offsets and lengths are bytes. Everything here is synchronous and belongs to the thread that made it;
 * nothing here may be called on a server's main thread with more than a probe's worth of work.
 * A wrong argument throws a `TypeError`; a refused program throws an `Error` with `code` set (see docs/errors.md).
 * A damaged or unreadable source never throws: it is a status.
 */

import type { BlockSums, LinkProgram } from './native-index.js';

export { IndexFile, probeIndex } from './native-index.js';
export { adviseLargePages, dropPages, givePages, lockShared, openPipe, setPipeSize } from './native-system.js';
export type { BlockSums, IndexAnswer, LinkProgram } from './native-index.js';

/** `records` is a fixed form for tests and oracles; `none` writes nothing and only counts. */
export type OutputFormat = 'pcap_us' | 'pcap_ns' | 'pcapng_us' | 'pcapng_ns' | 'records' | 'none';

export interface ShapeAndSelect {
  format: OutputFormat;
  /** Bytes kept of each packet; 0: all of it. */
  snapLengthBytes: number;
  /** Sorted, disjoint `[start, end)` pairs, flattened; empty: every time. An end of 2^63 - 1 is no end. */
  windowsNs: BigInt64Array;
  /**
   * `null`: every packet passes. Otherwise an and-ed list of filters, each with one program per link type;
   * a packet of a link type that a filter has no program for stops the scan with `needProgram`.
   */
  filters: LinkProgram[][] | null;
  /** What PCAPNG output says of every interface; at most 65,535 bytes of UTF-8. */
  interfaceComment?: string;
  /** Only these packets pass, where they pass windows and filters, too. */
  chosen?: Chosen;
}

/**
 * Packets told beforehand, by their numbers in a time range: from 0 on, in the order of the output. A scan that begins behind
 * others has to be told the number it begins with (`numberFrom`), so they follow one another.
 */
export interface Chosen {
  /** One `[start, end)` pair; empty: every time, and packets without one have numbers, too. */
  rangeNs: BigInt64Array;
  /** Of packet n bit n % 8 of byte n / 8; what lies beyond is not chosen. Copied. */
  bits: Uint8Array;
}

/** What a scan is told to do, checked and compiled once; immutable, shared by the scans of one thread. */
export declare class Selection {
  constructor(options: ShapeAndSelect);
}

/** What `step` answers; the position is always at a record boundary. */
export interface ScanStatus {
  /** The input budget of this step is used up; call again. */
  readonly budget: 0;
  /** The end of the range (or of the file, or of the stream) is reached. */
  readonly done: 1;
  /** The next packet does not fit in what is left of `out`; call again with another buffer. */
  readonly outputFull: 2;
  /** A stop rule ended the scan. */
  readonly limit: 3;
  /** A filter has no program for the link type in `report[Report.detail]`. */
  readonly needProgram: 4;
  /** The source is damaged at `report[Report.detailOffset]`; `damageText()` says how. All whole packets before it are out. */
  readonly damage: 5;
  /** PCAP cannot hold the link type in `report[Report.detail]` beside the one already written. */
  readonly mixedLinkTypes: 6;
  /** The output format cannot hold the time of the next packet. */
  readonly timeRange: 7;
  /** Reading failed; `report[Report.detail]` is errno. */
  readonly ioError: 8;
  /** A stream scan has used all it was fed; feed more. */
  readonly needInput: 9;
  /** No record boundary could be guessed in the range (`openRange` with `resync`). */
  readonly noBoundary: 10;
  /** Of a merge: a source is over, and of those that are left one at most has begun, `source()`. The merge may go on, or that source by itself. */
  readonly alone: 11;
  /**
   * A block does not have its checksum, or is cut: it begins at `report[detailOffset]` and has `report[detail]` bytes. All
   * packets before it are out and none of it is read; `report[end]` is behind it, where the next step goes on. But where the
   * block `describes`, what follows can't be read without it: then the next step is `done` (of a merge: with the source, or the
   * stretch of a lane), with `report[end]` still behind the block, and the rest of the range needs a scan of its own from the
   * state that the index has of the next block. (The first block of a file is left out like any other by a scan that began
   * inside it in the state that holds behind it.) A block that two ranges share is told by both.
   */
  readonly badBlock: 12;
  /** Of a merge: the lane `source()` is to be given what follows, by `next`, `idle` or `finish`. */
  readonly needNext: 13;
}

/**
 * Indexes into `Scan.report`, a BigInt64Array that `step` brings up to date. All sums count from `openRange`/`openStream`.
 * A time of a packet without one (PCAPNG simple packet) enters no minimum or maximum.
 */
export interface ReportIndex {
  /** Where this scan began: the first record's offset (after `resync`). */
  readonly start: 0;
  /** The offset of the next unread record. */
  readonly end: 1;
  /** Bytes written to `out` since the open. */
  readonly outBytes: 2;
  /** Packets read, whatever became of them. */
  readonly packetsRead: 3;
  /** Packets inside the time windows: decided on by the filter. */
  readonly packetsInWindows: 4;
  readonly packetsOut: 5;
  /** Sum of captured lengths after the cut. */
  readonly capturedBytesOut: 6;
  /** Smallest and largest time of all packets read; smallest > largest while there is none, and times say nothing. */
  readonly minTime: 7;
  readonly maxTime: 8;
  /** Time of the first and last packet read that had one, in file order. */
  readonly firstTime: 9;
  readonly lastTime: 10;
  /** Smallest and largest time, and time of the first, of the packets written. */
  readonly outMinTime: 11;
  readonly outMaxTime: 12;
  readonly outFirstTime: 13;
  /** CRC-32C of the bytes written since the open (start value 0 as by convention; combine with `crc32cCombine`). */
  readonly crc32c: 14;
  /** PCAPNG blocks that hold no packet and no interface, skipped; packet times outside int64 nanoseconds, clamped. */
  readonly blocksSkipped: 15;
  readonly timesClamped: 16;
  readonly packetsWithoutTime: 17;
  /** Link type of the first packet written, -1 while there is none. */
  readonly linkTypeOut: 18;
  readonly detail: 19;
  readonly detailOffset: 20;
  /** Packets cut by the snap length on the way out. */
  readonly packetsCut: 21;
  /** Sums of captured lengths and of lengths on the wire of all packets read. */
  readonly capturedBytesRead: 22;
  readonly wireBytesRead: 23;
  /** Sum of the drop counts that packets inside the windows carry (epb_dropcount, obsolete packet block). */
  readonly droppedPackets: 24;
  /** Snap length of the interface of the first packet written (0: not limited). */
  readonly snapLengthOut: 25;
  /** Interfaces of the output so far, earlier sources included: the `interfaceBase` of the next source. */
  readonly interfaceCount: 26;
  /** Interfaces of the output before the first of the present section: the `interfaceBase` to go on with from `state()`. */
  readonly sectionBase: 27;
  /** Packets found in what was written, by the lengths there: `packetsOut`, or a writer is broken. */
  readonly packetsSent: 28;
  /** Sum of what the snap length took away. */
  readonly capturedBytesCut: 29;
  /** Packets read in the range of those that are chosen. */
  readonly numbered: 30;
  readonly fields: 31;
}

export interface InterfaceInfo {
  linkType: number;
  snapLengthBytes: number;
  /** Ticks a second as the file gives them: `10^-n` or `2^-n`. */
  resolution: { base: 2 | 10; exponent: number };
  offsetSeconds: bigint;
  packets: number;
  name?: string;
  description?: string;
}

export interface SourceInfo {
  container: 'pcap' | 'pcapng' | null;
  byteOrder: 'little' | 'big' | null;
  /** pcap: the header's version; pcapng: that of the first section. */
  version: [number, number] | null;
  /** pcap only. */
  timeUnit: 'us' | 'ns' | null;
  sections: number;
  /** Interfaces in order of their description, all sections. */
  interfaces: InterfaceInfo[];
}

export declare class Scan {
  constructor(selection: Selection);
  readonly report: BigInt64Array;
  /**
   * Scan records that start in `[start, end)` of `fd` (an open, readable, seekable file; borrowed, never closed).
   * `state`: what `state()` gave at a record boundary at or before `start`, or null for the start of a capture file.
   * `resync`: `start` is not known to be a boundary; guess the first one at or after it. The caller must check the
   * guess against the end of the scan before it.
   * `interfaceBase`: how many interfaces the output holds from earlier sources and sections.
   * `sums`: blocks are read whole and count only with their checksums; all of this range, and of those of `moveTo`, lies in
   * blocks. It may begin inside one. They are copied at each call, so give a task its own part. Not with `resync`.
   */
  openRange(fd: number, start: number, end: number, state: Uint8Array | null, resync: boolean, interfaceBase: number, sums?: BlockSums | null): void;
  /**
   * Go on with `[start, end)` of the same file, both at record boundaries, with all sums kept. False where `state` is not
   * the reader's present one, or is not known since a bad block: nothing has changed then, and the range needs a
   * scan of its own.
   */
  moveTo(start: number, end: number, state: Uint8Array): boolean;
  /** Scan bytes given by `feed`. */
  openStream(interfaceBase: number): void;
  /** Hand over bytes of a stream; copied. `last`: nothing follows. */
  feed(bytes: Uint8Array, last: boolean): void;
  /**
   * Stop rules, as what is left of them; null = none. The scan stops before the packet that would break one, and right
   * after the last packet that `packets` allows. `report[Report.detail]` then says which: 1 packets, 2 bytes, 3 duration.
   * `durationNs` counts from `firstTimeNs`, or from the first packet this scan writes when that is null.
   */
  limit(packets: bigint | null, capturedBytes: bigint | null, durationNs: bigint | null, firstTimeNs: bigint | null): void;
  /** The number of the first packet in the range of those that are chosen; default: 0. */
  numberFrom(number: bigint): void;
  /** Go on with other programs (after `needProgram`) for the same format and snap length; or with any, where the next call opens a range or stream. */
  use(selection: Selection): void;
  /** Go on: read at most about `budgetBytes`, write into `out` from its start. Returns a ScanStatus value; `outLength()` says how much was written. */
  step(out: Uint8Array, outOffset: number, budgetBytes: number): number;
  outLength(): number;
  /** The reader's state at the present record boundary: format, byte order, interface table. Equal states have equal bytes. */
  state(): Uint8Array;
  info(): SourceInfo;
  /** One sentence about the damage, naming what is wrong. */
  damageText(): string;
  /** How many bytes of output the packet that did not fit needs; 0 when the last status was not `outputFull`. */
  needed(): number;
  /** Options of the first section header, little-endian, ready for `fileHeader`; empty for pcap. */
  sectionOptions(): Uint8Array;
}

/** Where a scan can go on from: an offset, the reader's state there, and the output's number of the section's first interface. */
export interface MergePlace {
  offset: number;
  state: Uint8Array;
  interfaceBase: number;
}

/**
 * Several sources in one output, in time order. Next comes the packet whose time is the smallest among the heads, the next
 * packets of all sources; of equal times that of the source added first. No source's own order is changed. A packet
 * without a time follows the one before it in its source.
 */
export declare class Merge {
  /** `interfaceCount`: interfaces that the output has already; `linkTypeOut`: that of the first packet in it, null while there is none. */
  constructor(selection: Selection, interfaceCount: number, linkTypeOut: number | null);
  /** As `Scan.report`; it counts from the start, or from `startCounts`, the packets of all sources in their merged order. `end` counts the bytes taken of all ranges. */
  readonly report: BigInt64Array;
  /**
   * Sources are added before the first step, and known by their number from 0. `firstTimeNs`: the time of the first packet; null
   * where that has none, which comes before all others. A source is not read before its turn.
   *
   * Records that start in `[start, end)` of `fd` (borrowed, never closed), from `state` on, or from the start of the file.
   * `interfaceBase`: the output's number of the first interface in `state`. `readBytes`: read at once, and so held.
   */
  addRange(
    fd: number,
    start: number,
    end: number,
    state: Uint8Array | null,
    interfaceBase: number,
    firstTimeNs: bigint | null,
    readBytes: number,
  ): void;
  /** Bytes given by `feed`, each time that `step` says `needInput` of this source. */
  addStream(firstTimeNs: bigint | null): void;
  feed(source: number, bytes: Uint8Array, last: boolean): void;
  /**
   * A source that comes in stretches, one behind another, as if they were one file; that may still grow. `firstTimeNs` as
   * above: then it is asked for the first time, and again wherever a stretch ends. It begins with its first stretch.
   */
  addLane(firstTimeNs: bigint | null): void;
  /**
   * What follows in a lane that `needNext` is about, with parameters as of `addRange` and `Scan.openRange`. Without
   * `interfaceBase` the interfaces in `state` are those of the stretch before, which had the same number of them. Nothing
   * beyond `end` is read, unless in a block of `sums`: a record that goes on there is damage.
   */
  next(
    source: number,
    fd: number,
    start: number,
    end: number,
    state: Uint8Array | null,
    interfaceBase: number | null,
    readBytes: number,
    sums: BlockSums | null,
  ): void;
  /** Nothing of the lane comes before this time: the others go on until then (of equal times, those added before it), and it is asked for again. */
  idle(source: number, untilNs: bigint): void;
  /** Nothing more comes of the lane: it is over. */
  finish(source: number): void;
  /** The output's number of the first interface of a source's present section; null while none is described. */
  interfaceBase(source: number): number | null;
  /** A stream ends behind what was fed because it is damaged, which `text` says. */
  fault(source: number, text: string): void;
  /** As `Scan.limit`, for all sources together. */
  limit(packets: bigint | null, capturedBytes: bigint | null, durationNs: bigint | null, firstTimeNs: bigint | null): void;
  /** As of `Scan`; before the first step. */
  numberFrom(number: bigint): void;
  use(selection: Selection): void;
  /** As `Scan.step`. After `damage` that source is over, and the next step goes on with the others; of a lane the stretch is, and the next step asks for what follows. */
  step(out: Uint8Array, outOffset: number, budgetBytes: number): number;
  /** The report counts from now on; `linkTypeOut`, `snapLengthOut` and `interfaceCount` stay. */
  startCounts(): void;
  /** The source that the last status is about; null where it is about none. */
  source(): number | null;
  /**
   * Nothing more will come of a source. Where that holds for all but the lane that is asked for, the merge may be left, and the
   * lane go on by itself from `interfaceBase`; if it can describe more interfaces, then only where its own are the last ones.
   */
  over(source: number): boolean;
  /** Where a source that has begun can go on in a scan of its own; null where it can not without changing the output, and for a lane between two stretches. */
  place(source: number): MergePlace | null;
  outLength(): number;
  needed(): number;
  damageText(): string;
}

/** The bytes an output file starts with: a pcap file header, or a PCAPNG section header (its interfaces follow in line). */
export declare function fileHeader(format: OutputFormat, linkType: number, snapLengthBytes: number, sectionOptions: Uint8Array | null): Uint8Array;
export declare function crc32c(bytes: Uint8Array, before: number): number;
/** CRC-32C of A followed by B from those of A and B and the length of B in bytes. */
export declare function crc32cCombine(a: number, b: number, lengthBytesB: number): number;
/**
 * An interface statistics block, little-endian, for PCAPNG output in that format: what was lost between two times (packets; of those
 * `osDropped` before they reached us), and what was received. A time or count of null is not told; a time before 1970 is told as 1970.
 * `comment`: at most 65,535 bytes of UTF-8.
 */
export declare function statisticsBlock(
  format: 'pcapng_us' | 'pcapng_ns',
  interfaceId: number,
  timeNs: bigint,
  startNs: bigint | null,
  endNs: bigint | null,
  received: bigint | null,
  dropped: bigint | null,
  osDropped: bigint | null,
  comment: string | null,
): Uint8Array;
/** Any key of this kind in [low, high]; an IPv6 address is told by a hash. */
export interface Need {
  kind: 'ether_type' | 'vlan' | 'ip_protocol' | 'ip4' | 'ip6' | 'port' | 'mac';
  low: bigint;
  high: bigint;
}
/** What an index is asked for a program: one need of each clause; no clause: everything is to be read. Null: it accepts no packet. */
export declare function filterNeeds(code: Uint8Array, linkType: number): Need[][] | null;
/** Checks a program as `Selection` does; null when it may run, else what is wrong with it. */
export declare function verifyProgram(code: Uint8Array): string | null;
/** Runs one verified program on one packet (for tests and `filter`): the return value of the program. */
export declare function runProgram(code: Uint8Array, packet: Uint8Array, wireLength: number): number;
export declare const version: string;
