/** What captures do, for whoever watches: asked once a second at most, and never waited for longer than that. */
import { setTimeout as sleep } from 'node:timers/promises';
import { clipWords } from '../../buffer/clip-file.js';
import { Holdings } from '../../buffer/holdings.js';
import type { Clips } from '../../buffer/clips.js';
import type { Job, Jobs } from '../../buffer/jobs.js';
import { captureStatus, type CaptureStatus } from '../../capture/control.js';
import { type InterfaceCounts, interfaceCounts } from '../../capture/interface-counts.js';
import type { Running } from '../../capture/job-state.js';

export interface WatchedJob {
  id: string;
  name: string;
  running: Running;
  /** It is to be captured. */
  isEnabled: boolean;
  interfaces: InterfaceCounts[];
  bufferBytes: number;
  clips: number;
}

const KEPT_MS = 1000;
const WAIT_MS = 1000;
/** What a buffer holds that nobody captures into is counted file by file, and changes little. */
const HELD_KEPT_MS = 60_000;

export class Captures {
  readonly #holdings: Holdings;
  readonly #held = new Map<string, { bytes: number; atMs: number }>();
  #known: readonly WatchedJob[] = [];
  #atMs = -Infinity;
  #asking: Promise<void> | null = null;

  constructor(
    private readonly jobs: Jobs,
    clips: Clips,
  ) {
    this.#holdings = new Holdings(clips.catalogs);
  }

  /** Where a capture does not answer in time, what was known before. */
  async look(): Promise<readonly WatchedJob[]> {
    if (performance.now() - this.#atMs < KEPT_MS) return this.#known;
    this.#asking ??= this.#ask().finally(() => (this.#asking = null));
    await Promise.race([this.#asking, sleep(WAIT_MS, undefined, { ref: false })]);
    return this.#known;
  }

  async #ask(): Promise<void> {
    const jobs = await this.jobs.list();
    // One that goes meanwhile is left out.
    const watched = await Promise.all(jobs.map((job) => this.#watch(job).catch(() => null)));
    this.#known = watched.filter((each) => each !== null);
    this.#atMs = performance.now();
    for (const id of this.#held.keys()) if (!jobs.some((job) => job.id === id)) this.#held.delete(id);
  }

  async #watch(job: Job): Promise<WatchedJob> {
    const status = await captureStatus(job.folder).catch((error: unknown) => error as Error);
    const told = status instanceof Error ? null : status;
    return {
      id: job.id,
      name: job.name,
      running: status === null ? 'STOPPED' : told === null ? 'UNKNOWN' : 'RUNNING',
      isEnabled: job.settings.enabled === true,
      interfaces: await interfaceCounts(job, told),
      bufferBytes: await this.#bufferBytes(job, told),
      clips: (await clipWords(job)).size,
    };
  }

  async #bufferBytes(job: Job, status: CaptureStatus | null): Promise<number> {
    if (status) return status.stored_bytes;
    const known = this.#held.get(job.id);
    if (known && performance.now() - known.atMs < HELD_KEPT_MS) return known.bytes;
    const { diskBytes: bytes } = await this.#holdings.of(job);
    this.#held.set(job.id, { bytes, atMs: performance.now() });
    return bytes;
  }
}
