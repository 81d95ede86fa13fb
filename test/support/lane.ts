/** A lane over files that are there, given out in stretches as a test wants them. */
import type { Lane, Loss, Surveyed, Turn } from '../../src/engine/lane.js';
import type { Beginning, OpenSource } from '../../src/engine/open-source.js';
import { openSource } from '../../src/engine/source.js';

export interface LaneFile {
  path: string;
  /** Where stretches of it end: record boundaries, the last is the end of what may be read. */
  ends: number[];
}

export class TestLane implements Lane {
  readonly bytesTotal = null;
  #file = 0;
  #stretch = 0;
  #open: OpenSource | null = null;
  #state: Uint8Array | null = null;
  #isIdle: boolean;
  #lastNs = -(1n << 63n);

  /** `idles`: it has nothing at first each time it is asked, and says how far it is. */
  constructor(
    readonly name: string,
    private readonly files: readonly LaneFile[],
    private readonly idles: boolean,
    private readonly lost: readonly Loss[] = [],
  ) {
    this.#isIdle = idles;
  }

  async look(): Promise<Beginning | null> {
    const [first] = this.files;
    if (!first) return null;
    const opened = await openSource({ path: first.path, name: this.name });
    await opened.close();
    return opened.beginning;
  }

  async *survey(): AsyncGenerator<Surveyed> {
    yield { sizeBytes: 0, isBounded: false };
  }

  async next(): Promise<Turn> {
    if (this.#isIdle) {
      this.#isIdle = false;
      return { idleUntilNs: this.#lastNs };
    }
    this.#isIdle = this.idles;
    let file = this.files[this.#file];
    if (file && this.#stretch === file.ends.length) {
      await this.close();
      this.#stretch = 0;
      file = this.files[++this.#file];
    }
    if (!file) return null;
    const start = this.#stretch === 0 ? 0 : file.ends[this.#stretch - 1]!;
    const end = file.ends[this.#stretch++]!;
    this.#open ??= await openSource({ path: file.path, name: this.name });
    const { state, offset } = this.#open.beginning!;
    const continues = this.#state !== null && Buffer.compare(this.#state, state) === 0;
    this.#state = state;
    const source = { ...this.#open, sizeBytes: end };
    if (start > 0) return { source, goesOn: { offset: start, state } };
    return { source, goesOn: continues ? { offset: Math.min(offset, end), state } : null };
  }

  async twin(): Promise<TestLane> {
    return new TestLane(this.name, this.files, this.idles, this.lost);
  }

  async changed(): Promise<void> {}

  async losses(): Promise<Loss[]> {
    return [...this.lost];
  }

  async close(): Promise<void> {
    await this.#open?.close();
    this.#open = null;
  }
}
