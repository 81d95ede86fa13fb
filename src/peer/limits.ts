/** The limits of peers and of what is said to them, each with its reason. */
export const PEER_LIMITS = {
  /** A fleet that one probe can ask in turn; a list of them is one answer. */
  peers: 256,
  profiles: 256,
  /** A line in a list. */
  nameLength: 100,
  /** Beyond that it is no name of a user. */
  usernameBytes: 256,
  /** A chain of some certificates. */
  caBytes: 64 << 10,
  /** TCP and TLS over the worst of lines; a probe that is there answers in a second. */
  connectMs: 10_000,
  /** Without a byte, once the connection is there: a busy probe may think for a while. */
  idleMs: 30_000,
  /** A small answer, from its request to its last byte. */
  answerMs: 60_000,
  /** A package, from its first byte to its last: a gigabyte over 10 Mbit/s takes a quarter of an hour. */
  packageMs: 3600_000,
  /** A peer makes a package in seconds; a slow one with much to tell, in minutes. */
  collectMs: 30 * 60_000,
  /** Statuses and lists are a few kilobytes. */
  answerBytes: 1 << 20,
  /** Status line and headers together; Node's own default, named. */
  headerBytes: 16 << 10,
  /** How long until a peer is asked again whether it is done: at first, and at most. */
  pollMs: { first: 500, most: 3000 },
  /** For what is said at the end: a log-out, a removal. The result does not wait longer for it. */
  farewellMs: 5000,
  /** Of an answer that carries a package, all that is not the package. */
  besidesBytes: 64 << 10,
} as const;
