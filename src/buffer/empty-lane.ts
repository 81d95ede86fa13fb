/** A source without a packet, now and later: a job that has captured nothing yet. */
import type { Lane, Loss, Surveyed, Turn } from '../engine/lane.js';
import type { Beginning } from '../engine/open-source.js';

export class EmptyLane implements Lane {
  readonly bytesTotal = 0;

  constructor(readonly name: string) {}

  async look(): Promise<Beginning | null> {
    return null;
  }
  async next(): Promise<Turn> {
    return null;
  }
  async *survey(): AsyncGenerator<Surveyed> {}
  async twin(): Promise<EmptyLane> {
    return new EmptyLane(this.name);
  }
  async changed(): Promise<void> {}
  async losses(): Promise<Loss[]> {
    return [];
  }
  endNow(): void {}
  async close(): Promise<void> {}
}
