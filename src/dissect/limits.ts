/** Every limit on tshark, with its reason. */

/** Bytes of a filter, and of several joined: as of the other languages, and half of what the kernel takes as one argument. */
export const MAX_TEXT_BYTES = 64 << 10;

/** What one run of tshark may take. */
export interface DissectLimits {
  /** Address space: tshark begins with some hundred megabytes, and keeps something of every packet and every stream. */
  memoryBytes: number;
  /** Processor time: some hundred million packets. */
  cpuSeconds: number;
  /** It takes no packet and gives no answer for so long, of its own processor time or idle: far more than the worst packet needs. */
  silenceMs: number;
}

export const RUN_LIMITS: DissectLimits = { memoryBytes: 4 * 2 ** 30, cpuSeconds: 3600, silenceMs: 60_000 };

/** For its version, or for a look at a filter, which take about 0.3 s. */
export const CHECK_LIMITS: DissectLimits = { memoryBytes: 2 * 2 ** 30, cpuSeconds: 5, silenceMs: 20_000 };

/** Looks at filters at once: each takes a processor and some hundred megabytes, and any client may ask for many. */
export const MAX_CHECKS = 4;

/** Descriptors that tshark may have: it needs those of three pipes, and some while it starts. */
export const MAX_FILES = 64;

/** Bytes that are handed over at once, so that it shows when they are not taken. */
export const PIECE_BYTES = 64 << 10;

/** Bytes of its complaints that are kept. */
export const MAX_COMPLAINT_BYTES = 8 << 10;

/** Characters of a complaint that a sentence repeats. */
export const MAX_QUOTED = 200;

/** Bytes of a packet in a capture file, at least: there are no more answers than what was given can have packets. */
export const LEAST_PACKET_BYTES = 16;

/** Filters of which it is remembered that tshark takes them: clients repeat themselves. */
export const MAX_KNOWN_FILTERS = 256;
