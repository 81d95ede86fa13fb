/** Figures over time, for diagnostic packages: one sample every half minute, the last day of them, in memory. */
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import type { ExportFigures } from '../../export/contract.js';
import type { ConnectionFigures } from '../connections.js';
import type { Captures, WatchedJob } from './captures.js';

const EVERY_MS = 30_000;
const SAMPLES = 2880;
/** Each takes 92 KB for a day: of more jobs than that, the rest is not followed. */
const JOBS = 64;
/** How often the delay of the event loop is measured: an idle process wakes for each. */
const DELAY_EVERY_MS = 100;

export interface HistoryOptions {
  exports: () => ExportFigures;
  connections: () => ConnectionFigures;
  captures: Pick<Captures, 'look'>;
}

const FIGURES = [
  'exports',
  'exports_running',
  'exports_waiting',
  'spool_bytes',
  'downloads',
  'requests',
  'connections',
  'rss_bytes',
  'heap_bytes',
  'external_bytes',
  'loop_busy',
  'loop_delay_max_ms',
] as const;
const JOB_FIGURES = ['packets', 'bytes', 'lost', 'buffer_bytes'] as const;
type Values<Name extends string> = Record<Name, number>;

/** One figure over time; NaN where it was not there. */
type Series = Float64Array;

export class History {
  readonly #times: Float64Array;
  readonly #own: readonly Series[];
  /** By the job's name. */
  readonly #ofJobs = new Map<string, Series[]>();
  readonly #delay = monitorEventLoopDelay({ resolution: DELAY_EVERY_MS });
  #utilisation = performance.eventLoopUtilization();
  #requests = 0;
  /** Samples that were ever taken. */
  #taken = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly options: HistoryOptions,
    private readonly samples = SAMPLES,
  ) {
    this.#times = new Float64Array(samples);
    this.#own = FIGURES.map(() => this.#series());
  }

  /** From now on, until `close`. */
  start(everyMs = EVERY_MS): void {
    this.#delay.enable();
    // A look that fails leaves a gap, which tells enough.
    this.#timer = setInterval(() => void this.sample().catch(() => undefined), everyMs).unref();
  }

  /** A request has ended. */
  saw(): void {
    this.#requests += 1;
  }

  async sample(): Promise<void> {
    const jobs = await this.options.captures.look();
    const at = this.#taken % this.samples;
    this.#times[at] = Date.now();
    const figures = this.#figures();
    FIGURES.forEach((name, i) => (this.#own[i]![at] = figures[name]));
    for (const series of this.#ofJobs.values()) for (const each of series) each[at] = NaN;
    for (const job of jobs) {
      const series = this.#seriesOf(job, jobs);
      const values = figuresOf(job);
      if (series) JOB_FIGURES.forEach((name, i) => (series[i]![at] = values[name]));
    }
    this.#taken += 1;
  }

  /** CSV: a head, and a line for each sample, the oldest first. Empty: it was not there. */
  *lines(): Generator<string> {
    const jobs = [...this.#ofJobs];
    const names = [...FIGURES, ...jobs.flatMap(([job]) => JOB_FIGURES.map((name) => `${job} ${name}`))];
    yield `time,${names.join(',')}\n`;
    const all = [...this.#own, ...jobs.flatMap(([, series]) => series)];
    for (let n = Math.max(0, this.#taken - this.samples); n < this.#taken; n++) {
      const at = n % this.samples;
      const values = all.map((series) => (Number.isNaN(series[at]) ? '' : String(series[at])));
      yield `${new Date(this.#times[at]!).toISOString()},${values.join(',')}\n`;
    }
  }

  close(): void {
    clearInterval(this.#timer);
    this.#delay.disable();
  }

  #figures(): Values<(typeof FIGURES)[number]> {
    const { byModeAndState, turns, spoolBytes, downloads } = this.options.exports();
    const { busy, idle } = this.options.connections();
    const { rss, heapUsed, external } = process.memoryUsage();
    const utilisation = performance.eventLoopUtilization();
    const { utilization: busyPart } = performance.eventLoopUtilization(utilisation, this.#utilisation);
    const delayMaxMs = this.#delay.max / 1e6;
    this.#utilisation = utilisation;
    this.#delay.reset();
    let exports = 0;
    for (const states of byModeAndState.values()) for (const count of states.values()) exports += count;
    return {
      exports,
      exports_running: turns.stored.taken + turns.live.taken,
      exports_waiting: turns.stored.waiting + turns.live.waiting,
      spool_bytes: spoolBytes,
      downloads,
      requests: this.#requests,
      connections: busy + idle,
      rss_bytes: rss,
      heap_bytes: heapUsed,
      external_bytes: external,
      loop_busy: Math.round(busyPart * 1e4) / 1e4,
      loop_delay_max_ms: Math.round(delayMaxMs * 10) / 10,
    };
  }

  /** null where there are too many. */
  #seriesOf({ name }: WatchedJob, jobs: readonly WatchedJob[]): Series[] | null {
    const known = this.#ofJobs.get(name);
    if (known) return known;
    if (this.#ofJobs.size >= JOBS) {
      const gone = [...this.#ofJobs.keys()].find((each) => !jobs.some((job) => job.name === each));
      if (gone === undefined) return null;
      this.#ofJobs.delete(gone);
    }
    const made = JOB_FIGURES.map(() => this.#series());
    this.#ofJobs.set(name, made);
    return made;
  }

  #series(): Series {
    return new Float64Array(this.samples).fill(NaN);
  }
}

function figuresOf({ interfaces, bufferBytes }: WatchedJob): Values<(typeof JOB_FIGURES)[number]> {
  const sum = (of: (each: WatchedJob['interfaces'][number]) => number): number => interfaces.reduce((all, each) => all + of(each), 0);
  return {
    packets: sum(({ packets }) => packets),
    // Of one that has ended, marks have no bytes.
    bytes: sum(({ bytes }) => bytes ?? NaN),
    lost: sum(({ lost }) => lost.ring + lost.queue + lost.disk),
    buffer_bytes: bufferBytes,
  };
}
