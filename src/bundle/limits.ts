/** What each collector may take: bytes of its file, and time. One table, each row with its reason. */

export interface Bounds {
  /** In the package. */
  maxBytes: number;
  maxMs: number;
}

const KIB = 1 << 10;
const MIB = 1 << 20;

/** A file of a few values that are read at once. */
const SMALL: Bounds = { maxBytes: 256 * KIB, maxMs: 2000 };

export const BOUNDS = {
  /** Starts tshark and the filter compiler once, a third of a second on an idle machine. */
  versions: { ...SMALL, maxMs: 10_000 },
  probe: SMALL,
  /** 256 jobs with 64 interfaces each. */
  captures: { maxBytes: 2 * MIB, maxMs: 5000 },
  /** A thousand clips of some 400 bytes in each of a few jobs. */
  clips: { maxBytes: 4 * MIB, maxMs: 5000 },
  peers: { maxBytes: MIB, maxMs: 2000 },
  /** Names, hashes and sources: 256 bytes each for thousands. */
  users: { maxBytes: MIB, maxMs: 2000 },
  /** A capture that hangs answers within five seconds, or not at all. */
  jobs: { maxBytes: 2 * MIB, maxMs: 8000 },
  /** A thousand exports are 2 MiB; of 20,000 the newest third. */
  exports: { maxBytes: 8 * MIB, maxMs: 5000 },
  tasks: { maxBytes: 4 * MIB, maxMs: 2000 },
  /** 40,000 segments, one line each; a stat and an index for each that is new. */
  bufferMap: { maxBytes: 8 * MIB, maxMs: 20_000 },
  /** 20,000 losses of some 200 bytes; records are read at 50 MB/s, and one interface may have 8 MiB. */
  lossMap: { maxBytes: 6 * MIB, maxMs: 10_000 },
  /** Some hundred bytes for each of a thousand interfaces. */
  interfaces: { maxBytes: MIB, maxMs: 3000 },
  /** Looks at what hangs, and waits a second for it. */
  health: { ...SMALL, maxMs: 3000 },
  /** Ten seconds of reading in a verbose package, and one read that is slow. */
  selfTest: { maxBytes: 2 * MIB, maxMs: 15_000 },
  system: { ...SMALL, maxMs: 3000 },
  /** The status and limits of a server and of a capture for each of 256 jobs, 4 KiB each. */
  ownProcesses: { maxBytes: 2 * MIB, maxMs: 8000 },
  /** 20,000 processes of 110 bytes. */
  processes: { maxBytes: 3 * MIB, maxMs: 5000 },
  /** Some thousand series. */
  metrics: { maxBytes: 4 * MIB, maxMs: 3000 },
  /** A day of samples with the figures of 64 jobs. */
  history: { maxBytes: 8 * MIB, maxMs: 5000 },
  /** 20,000 rows of up to 4 KiB, but most of 200 bytes. */
  audit: { maxBytes: 8 * MIB, maxMs: 10_000 },
  lifecycle: { maxBytes: MIB, maxMs: 8000 },
  /** As many bytes as the probe keeps of its log, and JSON's escapes. */
  probeLog: { maxBytes: 2 * MIB, maxMs: 2000 },
  /** Journals are searched before they answer. */
  systemLog: { maxBytes: 4 * MIB, maxMs: 10_000 },
  /** The kernel's own buffer is a megabyte at most on usual systems. */
  kernelLog: { maxBytes: 2 * MIB, maxMs: 5000 },
} as const satisfies Record<string, Bounds>;

/** How much a package holds of what there is plenty of: the newest. */
export const KEPT = {
  base: { losses: 200, auditRows: 1000, logLines: 1000, captureLogLines: 100, processes: 2000, selfTestMs: 300 },
  verbose: { losses: 20_000, auditRows: 20_000, logLines: 20_000, captureLogLines: 2000, processes: 20_000, selfTestMs: 10_000 },
} as const;

/** After so long everybody else has a turn: downloads and health must not feel a package. */
export const TURN_MS = 5;
/** A piece of a long list. */
export const PIECE_CHARACTERS = 32 * KIB;
