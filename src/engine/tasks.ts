/** What passes between the engine and its workers. Everything here survives a structured clone; buffers are shared, not copied. */
import type { MessagePort } from 'node:worker_threads';
import type { LinkProgram, OutputFormat, SourceInfo } from '../native.js';
import type { Compression } from './detect.js';

/** A selection as a worker needs it; workers keep the compiled form by `id`. All arrays lie in shared memory. */
export interface SharedSelection {
  id: number;
  format: OutputFormat;
  snapLengthBytes: number;
  windowsNs: BigInt64Array;
  filters: LinkProgram[][] | null;
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
  interfaceBase: number;
  limits: LimitsLeft | null;
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
  /** Of a merge only. */
  merge?: MergeNews;
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
  port: MessagePort;
}

/** A source of a merge. Its descriptor is borrowed: it stays open until the task has settled. */
export interface MergePart {
  fd: number;
  sizeBytes: number;
  /** A compressed one is read through; another from its place. */
  compression: Compression | null;
  place: Place | null;
  /** Of its first packet; null where that has none, or where the source has begun. */
  firstTimeNs: bigint | null;
  /** The part whose end it waits for; from its place on, its interfaces are those of that part. */
  after: number | null;
}

export interface MergeNews {
  /** The part that the status is about. */
  about: number | null;
  /** With `alone`: the parts that are over, and where the one that has begun can go on by itself. */
  over: number[];
  place: Place | null;
}

/** To a worker that has a thread of its own. `goOn`: the answer to `alone`. */
export type ToStream = { slot: Uint8Array } | { selection: SharedSelection } | { goOn: true };
/**
 * From it: a filled slot, or the wish for a program; the last is said to be the last. (That the port was
 * closed would be told too late: piscina puts the thread to sleep as soon as the task is done.)
 */
export type FromStream = { result: ScanResult; slot: Uint8Array | null; last: boolean };
