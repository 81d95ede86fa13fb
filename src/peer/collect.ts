/** What both ways to a package of a peer have in common. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Patience } from './connection.js';
import { failed, stopped } from './failure.js';
import { PEER_LIMITS } from './limits.js';
import type { SecurePeer } from './secure.js';

/** Where a package goes; the caller finishes or aborts it. */
export interface PackageSink {
  /** `bytes` belong to the sink until this resolves. */
  write(bytes: Uint8Array): Promise<void>;
}

export interface CollectOptions {
  sink: PackageSink;
  signal: AbortSignal;
  /** `done` from 0 to 1. */
  progress?: (done: number, step: string) => void;
  /** Of the package. */
  maxBytes: number;
  /** For tests, which have less time. */
  patience?: Partial<CollectPatience>;
}

export interface CollectPatience extends Patience {
  /** Until the peer has made its package. */
  collectMs: number;
  /** Of its way here. */
  packageMs: number;
  pollMs: number;
}

export const COLLECT_PATIENCE: CollectPatience = {
  connectMs: PEER_LIMITS.connectMs,
  idleMs: PEER_LIMITS.idleMs,
  totalMs: PEER_LIMITS.answerMs,
  collectMs: PEER_LIMITS.collectMs,
  packageMs: PEER_LIMITS.packageMs,
  pollMs: PEER_LIMITS.pollMs.first,
};

/** Asks until the answer is there, at longer and longer intervals. */
export async function poll<T>(
  peer: SecurePeer,
  { signal, patience }: { signal: AbortSignal; patience: CollectPatience },
  ask: () => Promise<T | null>,
): Promise<T> {
  const end = performance.now() + patience.collectMs;
  let wait = patience.pollMs;
  for (;;) {
    if (performance.now() + wait > end) throw failed(peer, `has not made its package within ${patience.collectMs / 1000} s`);
    await sleep(wait, undefined, { signal }).catch(() => {
      throw stopped(peer, signal);
    });
    const answer = await ask();
    if (answer !== null) return answer;
    wait = Math.min(wait * 1.5, PEER_LIMITS.pollMs.most);
  }
}

/** Something that is said at the end, whatever became of the rest, and that nobody waits for long. */
export async function farewell(say: (signal: AbortSignal) => Promise<unknown>): Promise<void> {
  await say(AbortSignal.timeout(PEER_LIMITS.farewellMs)).catch(() => undefined);
}
