/** What passes between the engine and its workers. Everything here survives a structured clone; buffers are shared, not copied. */
import type { MessagePort } from 'node:worker_threads';
import type { BlockSums, Chosen, LinkProgram, OutputFormat, SourceInfo } from '../native.js';
import type { Compression } from './detect.js';

/** A selection as a worker needs it; workers keep the compiled form by `id`. All arrays lie in shared memory. */
export interface SharedSelection {
  id: number;
  format: OutputFormat;
  snapLengthBytes: number;
  windowsNs: BigInt64Array;
  filters: LinkProgram[][] | null;
  /** What PCAPNG output says of every interface. */
  interfaceComment?: string;
  /** Scans with it follow one another. */
  chosen?: Chosen;
}

/** What is left of the stop rules; null = none. */
export interface LimitsLeft {
  packets: bigint | null;
  capturedBytes: bigint | null;
  durationNs: bigint | null;
  firstTimeNs: bigint | null;
}

/** Where a scan begins: offset, the reader's state there (null: the start of the source), interfaces of the output before its section. */
export interface Place {
  offset: number;
  state: Uint8Array | null;
  base: number;
}

/** Int32 places of the control block. */
export const CONTROL = { cancel: 0, words: 2 } as const;
/** BigInt64 place (after the Int32 words) that counts the input bytes decided on. */
export const CONTROL_BYTES_IN = 1;
export const CONTROL_BYTES = 16;

export interface RangeTask {
  selection: SharedSelection;
  control: SharedArrayBuffer;
  /** Borrowed: stays open until the task has settled. */
  fd: number;
  start: number;
  end: number;
  state: Uint8Array | null;
  resync: boolean;
  interfaceBase: number;
  limits: LimitsLeft | null;
  /** The number of the first packet, where some are chosen by theirs. */
  numberFrom: bigint;
  /** Over shared memory. */
  slot: Uint8Array;
}

/** Several ranges of a file, one after another, each at record boundaries. */
export interface RunsTask {
  selection: SharedSelection;
  control: SharedArrayBuffer;
  /** Borrowed: stays open until the task has settled. */
  fd: number;
  /** `[start, end)` pairs. */
  ranges: Float64Array;
  /** The reader's state at the first start (null: the start of the file), and at all others. */
  state: Uint8Array | null;
  laterState: Uint8Array;
  /** Of the blocks that all ranges lie in; null: the bytes are taken as they are. */
  sums: BlockSums | null;
  interfaceBase: number;
  limits: LimitsLeft | null;
  numberFrom: bigint;
  /** Over shared memory. */
  slot: Uint8Array;
}

/** Makes the index of a file. */
export interface IndexTask {
  control: SharedArrayBuffer;
  /** Borrowed: stays open until the task has settled. */
  fd: number;
  sizeBytes: number;
  path: string;
  id: bigint;
}

export interface ScanResult {
  /** A ScanStatus, or CANCELLED. */
  status: number;
  report: BigInt64Array;
  outLength: number;
  state: Uint8Array;
  damage: string;
  /** Bytes of output the next packet needs, where it did not fit. */
  needed: number;
  info: SourceInfo | null;
  /** Left out by the scan since the last result. */
  badBlocks?: BadBlock[];
  /** Of a merge only. */
  merge?: MergeNews;
}

export interface BadBlock {
  offset: number;
  bytes: number;
  /** Of a merge: the source it is of. */
  part?: number;
}

/** Ends `done` also before the last range, where the next begins in another state. */
export interface RunsResult extends ScanResult {
  /** Ranges that are behind us. */
  ranges: number;
}

export const CANCELLED = -1;

export interface StreamTask {
  selection: SharedSelection;
  control: SharedArrayBuffer;
  input: StreamInput;
  interfaceBase: number;
  limits: LimitsLeft | null;
  numberFrom: bigint;
  port: MessagePort;
}

/** Where a stream's bytes come from: an open descriptor, read to its end by the worker. */
export interface StreamInput {
  fd: number;
  compression: Compression | 'detect' | null;
  /** The descriptor is a pipe or socket, not a file. */
  pipe: boolean;
  /** About how much is held on the way; the less, the slower. Default: what is right for a stream alone. */
  bufferBytes?: number;
}

export interface MergeTask {
  selection: SharedSelection;
  control: SharedArrayBuffer;
  /** In the order that decides between equal times. */
  parts: MergePart[];
  /** What the output has already: interfaces, and the link type of its first packet (null: no packet). */
  interfaceCount: number;
  linkTypeOut: number | null;
  limits: LimitsLeft | null;
  numberFrom: bigint;
  port: MessagePort;
}

/**
 * A source of a merge: a compressed file is read through, another from its place; a lane is asked for. Descriptors are borrowed: they
 * stay open until the task has settled, or the lane is asked for what follows. `firstTimeNs`: nothing of it comes before that; null: it comes first.
 */
export type MergePart = { firstTimeNs: bigint | null } & (
  { kind: 'stream'; fd: number; compression: Compression } | { kind: 'range'; fd: number; sizeBytes: number; place: Place | null } | { kind: 'lane' }
);

/** What follows in a lane: ranges of one file, one behind another. */
export interface LaneRanges {
  fd: number;
  ranges: LaneRange[];
}

export interface LaneRange {
  start: number;
  end: number;
  /** null: the start of a file, which describes its interfaces. */
  state: Uint8Array | null;
  /** null: with a state, the interfaces are those of the range before. */
  interfaceBase: number | null;
  sums: BlockSums | null;
  /** Its turn does not come before this. */
  floorNs: bigint;
}

export interface MergeNews {
  /** The part that the status is about. */
  about: number | null;
  /** With `alone` and `needNext`: the parts that are over. */
  over: number[];
  /** With `alone`: where the one that has begun can go on by itself. */
  place: Place | null;
  /** With `needNext`: the output's number of the lane's first interface. */
  base: number | null;
}

/** To a worker that has a thread of its own. `goOn`: the answer to `alone`; `lane`: to `needNext`, null: nothing follows. */
export type ToStream = { slot: Uint8Array } | { selection: SharedSelection } | { goOn: true } | { lane: LaneRanges | { idleUntilNs: bigint } | null };
/**
 * From it: a filled slot, or the wish for a program or for what follows in a lane; the last is said to be the last. (That the port was
 * closed would be told too late: piscina puts the thread to sleep as soon as the task is done.)
 */
export type FromStream = { result: ScanResult; slot: Uint8Array | null; last: boolean };
