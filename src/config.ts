/** What a probe is started with, and the limits of the control plane: each one named here, with its reason. */
import { resolve } from 'node:path';
import { SpillwayError } from './errors.js';
import { fromRoot } from './root.js';

export const LIMITS = {
  /** A request holds filter texts and time intervals, no packets. */
  bodyBytes: 1 << 20,
  /** Request line and headers together; Node's own default, named. */
  headerBytes: 16 << 10,
  /** Nesting of a JSON body; the deepest resource has five levels. */
  jsonDepth: 32,
  /** Exports that are not at their end: each holds a descriptor of its source. */
  activeExports: 64,
  /** Exports that scan at once: each takes up to 80 MB alone, and 48 MB beside others. */
  runningExports: 8,
  /** Exports that a list can hold, ended ones included. */
  keptExports: 4096,
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
  /** Output that does not compress must still leave room for others: the size of one compression step. */
  compressStepBytes: 1 << 20,
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
