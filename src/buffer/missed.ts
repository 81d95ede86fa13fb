/** Counts what a follower could not read, because the buffer let go of it first. */
import type { Catalog, Segment } from './catalog.js';
import type { Marks } from './marks.js';

export class MissedCount {
  /** When segments were listed last: the open one, and the packets that capture had stored before it. */
  #openId: bigint | null = null;
  #before = 0n;

  constructor(private readonly catalog: Catalog) {}

  /**
   * Packets in segments that have come and gone since the last listing; null: some have, and nobody knows how many packets. A
   * capture that was started anew counts from 0.
   */
  sinceLast(segments: readonly Segment[], marks: Marks): bigint | null {
    const before = marks.packetsStored - marks.packets;
    const [openId, lastBefore] = [this.#openId, this.#before];
    this.#openId = marks.segmentId;
    this.#before = before;
    if (openId === null || openId === marks.segmentId) return 0n;
    const between = segments.filter(({ id }) => id >= openId && id < marks.segmentId);
    if (BigInt(between.length) === marks.segmentId - openId) return 0n;
    if (before < lastBefore) return null;
    let there = 0n;
    for (const segment of between) {
      const facts = this.catalog.factsOf(segment);
      // One that waits for its name has no index yet that could be asked.
      if (!facts) return null;
      there += BigInt(facts.packets);
    }
    return before - lastBefore - there;
  }
}
