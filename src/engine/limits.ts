/** Every limit of the engine, with its reason. */

/** Bytes of input of one worker's task, at most: handing one out takes about a quarter of a millisecond of everybody's time. */
export const EXTENT_BYTES = 16 << 20;

/** Ranges of one worker's task, where an index names many small ones. */
export const MAX_RANGES = 512;

/** And at least, where a file of middle size is shared out. */
export const LEAST_EXTENT_BYTES = 1 << 20;

/** A file up to this size is scanned by the calling thread: starting others would take longer. */
export const INLINE_BYTES = 8 << 20;

/** Bytes of input between two looks at the cancel flag. */
export const STEP_BYTES = 1 << 20;

/** A large page of memory: 512 small ones, and as dear to get as one or two of those. */
export const LARGE_PAGE_BYTES = 2 << 20;

/**
 * Bytes of an output slot, whole large pages. A PCAP output is hardly larger than its input; as PCAPNG, small packets grow
 * at most 2.2-fold (a pcap record of 17 bytes is a block of 36), and extents are half as large: either fits at once. Pages
 * that are not written to are never resident.
 */
export const SLOT_BYTES = EXTENT_BYTES * 1.25;

/** Files smaller than this are scanned in less time than an index takes to be asked and kept. */
export const LEAST_INDEXED_BYTES = 16 << 20;

/** Output pieces smaller than this are gathered before they go to the sink. */
export const COALESCE_BYTES = 256 << 10;

/** Worker threads of one scan: more than this wait for one another at the ordered stage. */
export const MAX_WORKERS = 4;

/** Bytes that the sources of a merge hold together on their way in, each at least and at most. A record larger than that is held whole. */
export const MERGE_BUFFER_BYTES = 64 << 20;
export const LEAST_MERGE_BUFFER_BYTES = 64 << 10;
export const MOST_MERGE_BUFFER_BYTES = 256 << 10;

/** Bytes of input that a merge decides on before it tells. */
export const MERGE_NEWS_BYTES = 4 << 20;

/** What is left of a merge goes back to the scan in ranges where one file of more than this goes on alone. */
export const WORTH_RANGES_BYTES = 8 << 20;

/** Sources of one export: each holds a descriptor open. */
export const MAX_SOURCES = 1024;

/** Time windows of one export. */
export const MAX_WINDOWS = 10_000;

/** Largest and smallest time, int64 nanoseconds. */
export const MAX_TIME_NS = (1n << 63n) - 1n;
export const MIN_TIME_NS = -(1n << 63n);
