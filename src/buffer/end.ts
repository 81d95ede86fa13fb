/** Where a reader of an interface's buffer ends: with what is committed, with a time, or with the capture. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { NS_PER_MS } from '../units.js';
import { sealedName } from './catalog.js';
import type { Marks } from './marks.js';

/** `now`: with what is committed at first; `capture`: when nothing more is captured; else with the packets before a time. */
export type Until = 'now' | 'capture' | bigint;

/** Nothing behind `bytes` (null: behind its end) of the segment `id` is read. */
export interface End {
  id: bigint;
  bytes: number | null;
  atNs: bigint;
}

/** Every packet that came this long before a commit is visible or lost (native/capture/marks.h). */
const COMMIT_NS = 500n * NS_PER_MS;

/** A time has passed for good this long after it, also where the disk holds a commit up. */
export const PASSED_MS = 950;
const PASSED_NS = BigInt(PASSED_MS) * NS_PER_MS;

/** How long a capture that died may take to be started again. */
const RESTART_MS = 5000;
const CHECK_MS = 1000;

/** Nothing that comes to be visible after these marks has an earlier time, but for clocks that step back. */
export function idleUntil({ committedAtNs }: Marks): bigint {
  return committedAtNs - COMMIT_NS;
}

export function endAt(folder: string, { segmentId, visibleBytes, committedAtNs }: Marks): End {
  const isSealed = existsSync(join(folder, sealedName(segmentId)));
  return { id: segmentId, bytes: isSealed ? null : visibleBytes, atNs: committedAtNs };
}

/** Tells of each look at the marks whether they are the end. */
export class EndWatch {
  #aliveAt = Date.now();
  #checkedAt = 0;

  constructor(
    private until: Until,
    private readonly isCaptured: () => Promise<boolean>,
  ) {}

  endNow(): void {
    this.until = BigInt(Date.now()) * NS_PER_MS;
  }

  async hasCome(marks: Marks | null): Promise<boolean> {
    if (this.until === 'now') return true;
    const nowNs = BigInt(Date.now()) * NS_PER_MS;
    if (this.until !== 'capture' && (nowNs >= this.until + PASSED_NS || (marks && idleUntil(marks) >= this.until))) return true;
    if (marks?.state === 'stopped') return true;
    const now = Date.now();
    if (now - this.#checkedAt >= CHECK_MS) {
      this.#checkedAt = now;
      if (await this.isCaptured()) this.#aliveAt = now;
    }
    return now - this.#aliveAt > RESTART_MS;
  }
}
