/** What a probe is started with, and the limits of the control plane: each one named here, with its reason. */
import { resolve } from 'node:path';
import { SpillwayError } from './errors.js';
import { fromRoot } from './root.js';

export const LIMITS = {
  /** A request holds filter texts and time intervals, no packets. */
  bodyBytes: 1 << 20,
  /** Request line and headers together; Node's own default, named. */
  headerBytes: 16 << 10,
  /** Connections at once: each may hold a request, and a descriptor; readers of packets, a megabyte of buffers. */
  connections: 2048,
  /** And those of them with a request: who has one too many is to be told. */
  busyConnections: 1984,
  /** For request line and headers, which fit into one packet or two, and for a handshake. */
  headersMs: 20_000,
  /** How often requests that take too long are looked for. */
  timeoutsLookMs: 5000,
  /** A connection without a request; browsers and clients that poll keep one for about a minute. */
  keepAliveMs: 72_000,
  /** For a JSON body: a megabyte in that time comes over the slowest of lines. */
  bodyMs: 60_000,
  /** Without a byte of a body. */
  bodyIdleMs: 60_000,
  /** What is left of a refused body is waited for that long, and up to that size, where the connection ends behind the answer. */
  refusedBodyBytes: 1 << 30,
  refusedBodyMs: 60_000,
  /** For a client to read why its connection ends. */
  lingerMs: 1000,
  /** Characters of the sentence in an error: what it repeats of the request may be as long as that. */
  errorTextLength: 1000,
  /** Nesting of a JSON body; the deepest resource has five levels. */
  jsonDepth: 32,
  /** Exports that are not at their end: each holds a descriptor of its source or two. */
  activeExports: 4096,
  /** And of one user, so that others can make some. */
  activeExportsOfUser: 2048,
  /** Exports that scan at once: each takes up to 80 MB alone, and 48 MB beside others. */
  runningExports: 8,
  /** And of one user. */
  runningExportsOfUser: 7,
  /** Live streams at once, which are silent most of the time: each may have a thread of its own. */
  liveExports: 32,
  /** And of one user. */
  liveExportsOfUser: 24,
  /** Exports that a list can hold; of more, those that have ended first are forgotten. */
  keptExports: 20_000,
  /** Who asks for packets while others run waits this long for a turn. */
  turnWaitMs: 20_000,
  /** A client that takes no piece of its packets for so long gives up its turn, where others wait for one. */
  stallMs: 30_000,
  /** Bytes that all spools hold together, and one: a probe's disk is for its buffer. */
  spoolBytes: 16 * 2 ** 30,
  spoolExportBytes: 4 * 2 ** 30,
  /** Free on the disk of the data folder: with less, database and spools are about to fail. */
  diskLeftBytes: 64 << 20,
  /** Capture jobs: each is a folder that every list of them looks into. */
  captureJobs: 256,
  /** What has expired goes at the next look, and holds disk space until then. */
  clipSweepMs: 3_600_000,
  /** Every filter costs one compilation for each link type. */
  filters: 32,
  /** Intervals are merged and handed to every scan step. */
  timeIntervals: 4096,
  /** POST answers after this long even if the engine is still preparing the export. */
  prepareWaitMs: 1000,
  /** A download that has no byte to send yet shows its headers after this long, so that clients do not give up. */
  headersAfterMs: 1000,
  /** Largest write to a socket: more falls out of the processor's cache before the kernel has copied it (15% slower at 4 MiB). */
  httpChunkBytes: 512 << 10,
  /** What all downloads of files and spools buffer together, twice over: with 2000 of them some 30 KiB each. */
  downloadBytes: 64 << 20,
  /** Output that does not compress must still leave room for others: the size of one compression step. */
  compressStepBytes: 1 << 20,
  /** Names in a path of a file, its owner's included: a listing holds a descriptor for each. */
  fileDepth: 16,
  /** Files and folders that one answer lists: some 20 MB of JSON. */
  listedFiles: 20_000,
  /** Files whose format and link type are remembered; more than one answer lists, or none would be when it is asked again. */
  knownFiles: 40_000,
  /** Larger than any capture that is sent by HTTP, and small enough that a client which never ends is noticed. */
  uploadBytes: 256 * 2 ** 30,
  /** Files that clients write at once, by uploads and copies. */
  uploads: 16,
  /** A client that sends nothing of an upload for so long has gone. */
  uploadIdleMs: 60_000,
  /** Read at once to copy or hash a file: hashing it holds everything else up, for about a millisecond. */
  fileStepBytes: 1 << 20,
  /** Checksums that are made at once: more would only share the disk and the one thread that hashes. */
  runningChecksums: 2,
  /** Checksums that are not made yet: each holds a descriptor of its file. */
  activeChecksums: 64,
  /** Checksums that are remembered; the oldest go. */
  keptChecksums: 1024,
  /** Seconds in `Retry-After` when there is no room for another export. */
  retryAfterSeconds: 5,
} as const;

export const LOG_LEVELS = ['silent', 'error', 'warn', 'info', 'debug'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export interface ProbeConfig {
  /** Everything the probe keeps: its database and the file system that clients see (`fs/`). Made when it is missing. */
  dataFolder: string;
  /** An address, or `localhost`. Beyond loopback there must be a user, and TLS or `insecureHttp`. */
  host: string;
  /** The files of certificate and key, in PEM; null: plain HTTP. */
  tls: { cert: string; key: string } | null;
  /** Passwords and packets may cross a network as they are. */
  insecureHttp: boolean;
  /** 0: any free port. */
  port: number;
  /** Host names that requests may use besides `localhost` and the listener's own addresses. */
  names: string[];
  /** Goes to stderr. */
  logLevel: LogLevel;
}

export const DEFAULT_PORT = 8470;

/** Completes a configuration: what is not given comes from the environment (`SPILLWAY_DATA`), else from the defaults. */
export function probeConfig(given: Partial<ProbeConfig> = {}, environment: NodeJS.ProcessEnv = process.env): ProbeConfig {
  const config: ProbeConfig = {
    dataFolder: resolve(given.dataFolder ?? (environment['SPILLWAY_DATA'] || fromRoot('data'))),
    host: given.host ?? '127.0.0.1',
    tls: given.tls ?? null,
    insecureHttp: given.insecureHttp ?? false,
    port: given.port ?? DEFAULT_PORT,
    names: (given.names ?? []).map((name) => name.toLowerCase()),
    logLevel: given.logLevel ?? 'warn',
  };
  if (!Number.isInteger(config.port) || config.port < 0 || config.port > 65535) {
    throw new SpillwayError('REQUEST_INVALID', `port ${config.port} is not a number from 0 to 65535`);
  }
  return config;
}
