/** The limits of logins, each with its reason. */
export const ACCESS_LIMITS = {
  /** Beyond that it is no password that somebody keeps, and hashing it costs. */
  passwordBytes: 1024,
  /** What a user may read is looked through with every request for a source. */
  sources: 64,
  sourceBytes: 300,
  /** A working day and the evening after it; then a client logs in again. */
  sessionMs: 24 * 3600_000,
  /** Short, since refresh tokens are there. */
  accessTokenMs: 3600_000,
  /** A program that is run each month finds its token still good. */
  refreshTokenMs: 35 * 24 * 3600_000,
  /** How long an expired one is told from one that never was. */
  expiredKeptMs: 24 * 3600_000,
  /** Of each kind for each user; the oldest ends. Scripts log in with every run and never out. */
  secretsOfUser: 1000,
  /** Each check takes 32 MiB and a thread of the four that files are read with as well. */
  checksAtOnce: 2,
  /** A check takes some tens of milliseconds: who waits longer than a few seconds has given up. */
  checksWaiting: 64,
  /** A script with Basic sends its password with every request; it is checked once in this time. */
  rememberMs: 5 * 60_000,
  remembered: 1000,
  /** Wrong passwords in a row that a forgetful user may send. */
  failuresOfName: 10,
  /** Many users may share one address. */
  failuresOfAddress: 100,
  /** Failures are forgotten after this long without another. */
  failuresKeptMs: 10 * 60_000,
  lockMs: 5 * 60_000,
  /** Names and addresses whose failures are counted; the oldest is forgotten. */
  watched: 10_000,
} as const;
