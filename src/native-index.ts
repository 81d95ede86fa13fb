/** The part of the native contract (native-contract.ts) about indexes of files: what they answer, and how they are made. */
/** A classic BPF program for one link type: 8 bytes an instruction, little-endian `u16 code, u8 jt, u8 jf, u32 k`. */
export interface LinkProgram {
  linkType: number;
  code: Uint8Array;
}

/**
 * Checksums of blocks of a file, ascending and disjoint; records never go from block to block. The arrays may lie in shared
 * memory.
 */
export interface BlockSums {
  /** `[start, end)` pairs. */
  bounds: Float64Array;
  /** CRC-32C of each block's bytes, and how many packets it has. */
  crcs: Uint32Array;
  packets: Uint32Array;
  /** 1: a section or an interface is described in the block, as in the first of every file. */
  describes: Uint8Array;
  /** The reader's state behind the first block of the file, wherever these blocks are; empty where it is not known. */
  stateBehindFirst: Uint8Array;
}

/** What the index of a file answers. Offsets and lengths are bytes. */
export interface IndexAnswer {
  /** `[start, end)` pairs at record boundaries, in order: what may hold a wanted packet. */
  ranges: Float64Array;
  /** For each pair, the place in `states` of the reader's state at its start. */
  stateOf: Uint32Array;
  /** As `Scan.openRange` takes them; empty: that at the start of a file. */
  states: Uint8Array[];
  /** Bytes in `ranges`. */
  bytes: number;
  /** Packets outside `ranges`; of those: inside the windows, and without a time; and their captured bytes. */
  skippedPackets: number;
  skippedInWindows: number;
  skippedUntimed: number;
  skippedCapturedBytes: number;
  /** All that is indexed: what lies behind `end` is in no range and must be scanned, too. */
  blocks: number;
  packets: number;
  end: number;
  /** Smallest and largest time indexed; null without any. */
  minTime: bigint | null;
  maxTime: bigint | null;
  /** Of all blocks in `ranges`, where they were asked for. */
  sums?: BlockSums;
  /** The file's first block: where it ends, its checksum, its packets, and the reader's state behind it (empty: not known). Where it was asked for and there is one. */
  first?: { end: number; crc: number; packets: number; stateBehind: Uint8Array };
  /** Of what is left out right before each range, and behind the last: the largest time; that of -2^63 without any. Where they were asked for. */
  floors?: BigInt64Array;
}

/**
 * Asks the index in `fd` what a scan with these filters and windows must read. A sentence where it can't be used: it is
 * damaged, of another version, or not of the file with this id; then everything must be read. `sums`: also what the
 * blocks that are to be read must sum up to. `descriptions` (default true): also blocks that describe interfaces, which the output needs.
 * `floors`, `first`: also those.
 */
export declare function probeIndex(
  fd: number,
  segmentId: bigint,
  filters: LinkProgram[][] | null,
  windowsNs: BigInt64Array,
  wishes?: { sums?: boolean; descriptions?: boolean; floors?: boolean; first?: boolean },
): IndexAnswer | string;

/** Makes the index of a file that is not ours, step by step. Throws an Error with `errno` where it can't be created. */
export declare class IndexFile {
  /** `fd` is borrowed; its first `sizeBytes` are indexed into a new file at `path`. */
  constructor(fd: number, sizeBytes: number, path: string, segmentId: bigint);
  /** Walks about `budgetBytes`: 0 go on, 1 done (at the end, or at damage), 2 failed, see `errno()`. */
  step(budgetBytes: number): number;
  /** Makes it fit for look-ups; once, after done. 0 or an errno. */
  seal(): number;
  offset(): number;
  errno(): number;
}
