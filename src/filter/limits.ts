/** Every limit of the filter room, with its reason. Those of the compiling itself are in native/compile/limits.h. */

/** Bytes of a filter text; the compiler holds the same line. */
export const MAX_FILTER_BYTES = 64 << 10;

/** What a program returns for a packet it accepts. Only zero or not matters here; tcpdump's default reads familiar. */
export const DEFAULT_SNAP_LENGTH_BYTES = 262_144;

/** Largest frame the compiler may answer with: a program of 65,536 instructions and the header. */
export const MAX_ANSWER_BYTES = 8 + 65_536 * 8;

/** Compiled filters kept. Users repeat themselves; a scan has one filter per link type. */
export const MAX_CACHED_FILTERS = 256;

/** Longer texts than this are not kept, so that the cache stays in the low megabytes, programs included. */
export const MAX_CACHED_FILTER_BYTES = 4096;

/** How long the shared compiler waits for another filter before its process ends. */
export const IDLE_CLOSE_MS = 10_000;

/** How much of a filter text an error message repeats, in characters. */
export const MAX_QUOTED_FILTER = 80;

/** Instructions of a program that is made here: what the scan takes. */
export const MAX_PROGRAM_INSTRUCTIONS = 65_536;

/** Comparisons looked at while a predicate becomes decisions: a few tenths of a second. */
export const MAX_FORMULA_WORK = 500_000;

/** Parentheses and negations inside one another: the parser calls itself for each. */
export const MAX_NESTING = 100;

/** Comparisons of a display filter, where those of one field that are or-ed count once: each is read for every shape of packets, and a program of more would be slow. */
export const MAX_TESTS = 200;
