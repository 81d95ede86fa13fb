/** The series of captures. Each has the job's name, which may be shown to some and not to others. */
import { mayRead, type Caller } from '../../access/caller.js';
import type { WatchedJob } from './captures.js';
import type { Meters } from './meters.js';

const STATES = ['RUNNING', 'STOPPED', 'UNKNOWN'] as const;

export class CaptureMetrics {
  readonly #jobs;
  readonly #down;
  readonly #packets;
  readonly #bytes;
  readonly #lost;
  readonly #buffer;
  readonly #clips;

  constructor(meters: Meters) {
    const series = ['job', 'interface'] as const;
    this.#jobs = meters.gauge('capture_jobs', 'Capture jobs', ['state']);
    this.#down = meters.gauge('capture_jobs_down', 'Capture jobs that are enabled and are not captured');
    this.#packets = meters.counter('capture_packets_total', 'Packets stored since the capture was begun', series);
    this.#bytes = meters.counter('capture_bytes_total', 'Bytes of packets stored since the capture was begun', series);
    this.#lost = meters.counter('capture_lost_packets_total', 'Packets lost since the capture was begun', [...series, 'kind']);
    this.#buffer = meters.gauge('buffer_bytes', "Bytes of a job's buffer on the disk", ['job']);
    this.#clips = meters.gauge('clips', 'Clips of a job', ['job']);
  }

  update(jobs: readonly WatchedJob[]): void {
    for (const meter of [this.#packets, this.#bytes, this.#lost, this.#buffer, this.#clips]) meter.reset();
    for (const state of STATES) this.#jobs.set({ state }, jobs.filter(({ running }) => running === state).length);
    this.#down.set(jobs.filter(({ isEnabled, running }) => isEnabled && running !== 'RUNNING').length);
    for (const { name: job, interfaces, bufferBytes, clips } of jobs) {
      this.#buffer.set({ job }, bufferBytes);
      this.#clips.set({ job }, clips);
      for (const { name, packets, bytes, lost } of interfaces) {
        const labels = { job, interface: name };
        this.#packets.inc(labels, packets);
        if (bytes !== null) this.#bytes.inc(labels, bytes);
        for (const [kind, count] of Object.entries(lost)) this.#lost.inc({ ...labels, kind }, count);
      }
    }
  }
}

/** Names of jobs need no escape in a label. */
const JOB = /[{,]job="([^"]*)"/;

/** Without the series of jobs that the caller may not read. */
export function readableLines(text: string, jobs: readonly WatchedJob[], caller: Caller): string {
  const readable = new Set(jobs.filter(({ id, name }) => mayRead(caller, [`jobs/${name}`, `jobs/${id}`])).map(({ name }) => name));
  const isShown = (line: string): boolean => {
    const job = JOB.exec(line)?.[1];
    return job === undefined || readable.has(job);
  };
  return text.split('\n').filter(isShown).join('\n');
}
