import type { Hash } from 'node:crypto';

export class DigestError extends Error {}

/** Sums over the packets so far. */
export interface Tally {
  packets: number;
  capturedBytes: number;
  wireBytes: number;
  firstNs: bigint | null;
  lastNs: bigint | null;
}

/** A format's reader. */
export interface Walk {
  /**
   * Uses as many whole records from the front of `bytes` as there are and returns their length. It may overwrite the
   * bytes it uses: it puts them into the digest's form in place, so that long runs are hashed at once.
   */
  step(bytes: Buffer, tally: Tally, hash: Hash): number;
}

/** A captured length above this is damage. */
export const CAPTURED_MAX_BYTES = 1 << 20;

export const nanoseconds = (seconds: number, fraction: number): bigint => BigInt(seconds) * 1_000_000_000n + BigInt(fraction);
