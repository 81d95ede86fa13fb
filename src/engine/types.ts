/** What an export is asked to do and what it tells about itself: the words that the engine shares with its callers. */
import type { FilterText } from '../filter/languages.js';
import type { OutputFormat } from '../native.js';
import type { Damage } from './damage.js';
import type { Lane, Loss } from './lane.js';

export type { Damage, FilterText, Lane, Loss };

export type ExportFormat = Exclude<OutputFormat, 'records' | 'none'>;
export const EXPORT_FORMATS = ['pcap_us', 'pcap_ns', 'pcapng_us', 'pcapng_ns'] as const satisfies readonly ExportFormat[];

/** `[start, end)` in nanoseconds since the epoch; null: unbounded on that side. */
export interface TimeWindow {
  startNs: bigint | null;
  endNs: bigint | null;
}

/** 0 = no limit. */
export interface StopRules {
  packets: bigint;
  /** Sum of captured lengths after the cut. */
  capturedBytes: bigint;
  /** Capture time from the first exported packet. */
  durationNs: bigint;
}

export const NO_LIMITS: StopRules = { packets: 0n, capturedBytes: 0n, durationNs: 0n };

/**
 * A capture file by its path (absolute, already resolved and allowed), or an open descriptor: that of a file is read as the
 * file and stays open, that of a pipe is read as a stream and closed at its end.
 */
export type FileSource = { path: string; name: string } | { fd: number; name: string };

/** A lane belongs to the export, which closes it. */
export type Source = FileSource | { lane: Lane; name: string };

export interface ExportRequest {
  sources: Source[];
  /** And-ed; none: every packet. */
  filters: FilterText[];
  /** A packet is in when it is in one of them; none: every time. Need not be sorted; may overlap. */
  windows: TimeWindow[];
  /** 0: no cut. */
  snapLengthBytes: number;
  limits: StopRules;
  format: ExportFormat;
  /**
   * What tshark sees, where it answers a filter: from the start of the time range, or some context before it, to its end, gaps
   * between windows included. Default: every packet.
   */
  seen?: TimeWindow;
  /** What PCAPNG output says of itself, and of every interface; up to 65,535 bytes of UTF-8 each. Default: nothing. */
  comments?: { section: string; interface: string };
}

/** Counts of an export so far; all of them only grow. */
export interface Progress {
  /** Bytes of input decided on, and planned (0 where it is not known, as for a stream). */
  bytesDone: number;
  bytesTotal: number;
  packetsRead: bigint;
  packetsInWindows: bigint;
  packetsOut: bigint;
  /** Bytes of output given to the sink. */
  outBytes: number;
}

export interface Receipt {
  /** What the sources hold of what was read: as capture or an index counted it before, where one did. */
  expected: { packets: bigint; captured_bytes: bigint };
  /** What went out, counted there. */
  sent: { packets: bigint; bytes: bigint; captured_bytes: bigint };
  packets_read: bigint;
  /** Packets inside the time windows, decided on by the filter. */
  packets_processed: bigint;
  packets_exported: bigint;
  /** Bytes of the output stream. */
  bytes_exported: bigint;
  /** Sum of captured lengths written. */
  captured_bytes_exported: bigint;
  /**
   * Packets, by why; `snap_bytes` are bytes. `limit`: null where a stop rule ended the export, since nothing behind it was read;
   * `damaged`: those of blocks that are not what they were, as far as they were counted before.
   */
  left_out: { time: bigint; filter: bigint; limit: bigint | null; damaged: bigint; snap_bytes: bigint };
  packets_cut: bigint;
  /** What capture lost within the time ranges, and what the buffer lost before it could be read. */
  packets_dropped_at_capture: bigint;
  lost: Loss[];
  packets_without_time: bigint;
  times_clamped: bigint;
  blocks_skipped: bigint;
  /** CRC-32C of the output stream, eight hex digits. */
  crc32c: string;
  sha256?: string;
  /** Times of the packets exported and of all packets read; null without any. */
  exported_range: { first_ns: bigint; last_ns: bigint } | null;
  source_range: { first_ns: bigint; last_ns: bigint } | null;
  /** A stop rule or damage cut the output. */
  truncated: boolean;
  stopped_by: 'packets' | 'bytes' | 'duration' | null;
  damage: Damage[];
  warnings: string[];
}

/** Where the bytes go. `write` resolves when `bytes` may be reused; that is all the back-pressure there is. */
export interface Sink {
  /** `bytes` belong to the sink until this resolves. Where they lie in shared memory, it may leave all of that changed. */
  write(bytes: Uint8Array): Promise<void>;
  /** The output is whole: make it visible. */
  finish(): Promise<void>;
  /** It is not: leave nothing that looks whole. Never rejects. */
  abort(): Promise<void>;
}
