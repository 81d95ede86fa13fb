/** Whether the probe can do its work: looked at once a second at most, and answered from what was seen last. */
import { statfs } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { LIMITS } from '../../config.js';
import type { Captures } from './captures.js';

export interface HealthOptions {
  /** Lies on the disk that is looked at. */
  dataFolder: string;
  /** Throws where the database can't be written. */
  writeDatabase: () => void;
  /** The threads that scan are there. */
  hasThreads: () => boolean;
  captures: Pick<Captures, 'look'>;
}

export interface HealthReport {
  /** Why nothing can be asked of the probe; none: it is ready. */
  faults: string[];
  /** What else is wrong, by what it is about: the probe does its work all the same. */
  checks: Record<string, string>;
}

const KEPT_MS = 1000;
/** Older than that, the next report is waited for, for a while: whoever asks seldom is told what is, not what was. */
const STALE_MS = 5000;
const WAIT_MS = 1000;
/** A look that takes so long will not end. A disk that is busy with hundreds of downloads takes a second or two. */
const HANG_MS = 10_000;

export class Health {
  #report: HealthReport = { faults: ['nothing was looked at yet'], checks: {} };
  #atMs = -Infinity;
  #looking: Promise<void> | null = null;
  #lookingSinceMs = 0;

  constructor(
    private readonly options: HealthOptions,
    private readonly hangMs = HANG_MS,
  ) {}

  async report(): Promise<HealthReport> {
    if (this.#ageMs >= KEPT_MS) this.#beginLook();
    if (this.#ageMs < STALE_MS) return this.#report;
    await Promise.race([this.#looking, sleep(WAIT_MS, undefined, { ref: false })]);
    if (this.#looking === null || performance.now() - this.#lookingSinceMs < this.hangMs) return this.#report;
    return { faults: ['the system does not answer'], checks: {} };
  }

  #beginLook(): void {
    if (this.#looking !== null) return;
    this.#lookingSinceMs = performance.now();
    this.#looking = this.#look().finally(() => (this.#looking = null));
  }

  get #ageMs(): number {
    return performance.now() - this.#atMs;
  }

  async #look(): Promise<void> {
    const faults = [this.#database(), await this.#disk(), this.options.hasThreads() ? null : 'no thread is there to scan'];
    // They may answer late, and what they say makes no probe unready.
    this.#report = { ...this.#report, faults: faults.filter((fault) => fault !== null) };
    const captures = await this.#captures();
    this.#report = { ...this.#report, checks: captures === null ? {} : { captures } };
    this.#atMs = performance.now();
  }

  #database(): string | null {
    try {
      this.options.writeDatabase();
      return null;
    } catch (error) {
      const { code, message } = error as { code?: string; message: string };
      return `the database can not be written (${code ?? message})`;
    }
  }

  async #disk(): Promise<string | null> {
    try {
      const { bavail, bsize } = await statfs(this.options.dataFolder);
      const left = bavail * bsize;
      return left >= LIMITS.diskLeftBytes ? null : `the disk of the data folder is nearly full: ${Math.floor(left / 1e6)} MB are left`;
    } catch (error) {
      return `the disk of the data folder can not be looked at (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`;
    }
  }

  /** By number alone: anybody may ask. */
  async #captures(): Promise<string | null> {
    const wanted = (await this.options.captures.look().catch(() => [])).filter(({ isEnabled }) => isEnabled);
    const down = wanted.filter(({ running }) => running !== 'RUNNING');
    return down.length === 0 ? null : `${down.length} of ${wanted.length} jobs that should be captured are not`;
  }
}
