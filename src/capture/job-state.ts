/** What becomes of a job at the moment: whether it is captured, what came, and what its buffer holds. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Catalogs } from '../buffer/catalog.js';
import { type Holding, Holdings } from '../buffer/holdings.js';
import type { Job } from '../buffer/jobs.js';
import { type Marks, readMarks } from '../buffer/marks.js';
import { captureStatus, type CaptureStatus, type InterfaceStatus } from './control.js';
import { countsOf, type Counts, ended, type Recent, Samples } from './samples.js';

/** `UNKNOWN`: a capture holds the folder and does not answer. */
export type Running = 'RUNNING' | 'STOPPED' | 'UNKNOWN';

export interface JobState {
  running: Running;
  /** Since the capture was last begun. */
  counts: Record<keyof Counts, Recent>;
  holding: Holding;
}

export class JobStates {
  readonly #samples = new Map<string, Samples>();
  readonly #holdings: Holdings;

  constructor(catalogs: Catalogs) {
    this.#holdings = new Holdings(catalogs);
  }

  async of(job: Job): Promise<JobState> {
    const status = await statusOf(job);
    const holding = await this.#holdings.of(job);
    return { running: runningOf(status), counts: await this.#counts(job, status, holding.bytes), holding };
  }

  forget({ id }: Job): void {
    this.#samples.delete(id);
  }

  async #counts(job: Job, status: CaptureStatus | Error | null, heldBytes: number): Promise<Record<keyof Counts, Recent>> {
    const samples = this.#samples.get(job.id) ?? new Samples();
    this.#samples.set(job.id, samples);
    if (status !== null && !(status instanceof Error)) return samples.take(status);
    const { packets, bytes, dropped } = await countsOfEnded(job, heldBytes);
    return { packets: ended(packets), bytes: ended(bytes), dropped: ended(dropped) };
  }
}

export async function isRunning(job: Job): Promise<boolean> {
  return runningOf(await statusOf(job)) !== 'STOPPED';
}

function statusOf({ folder }: Job): Promise<CaptureStatus | Error | null> {
  return captureStatus(folder).catch((error: unknown) => error as Error);
}

function runningOf(status: CaptureStatus | Error | null): Running {
  return status === null ? 'STOPPED' : status instanceof Error ? 'UNKNOWN' : 'RUNNING';
}

/** Of a capture that has ended: packets and losses stand in its marks, bytes at the end of its log. */
async function countsOfEnded(job: Job, heldBytes: number): Promise<Counts> {
  const names = job.settings.interfaces.map((name, position) => `${position}-${name}`);
  const marks = (await Promise.all(names.map((name) => readMarks(join(job.folder, name))))).filter((each) => each !== null);
  const sum = (of: (each: Marks) => bigint): number => Number(marks.reduce((all, each) => all + of(each), 0n));
  const packets = sum(({ packetsStored }) => packetsStored);
  const logged = await lastFigures(join(job.folder, 'capture.log'));
  return {
    packets,
    // One that was killed, or ran in a terminal, has left no figures: then what the buffer still holds is what is known.
    bytes: logged?.packets === packets ? logged.bytes : heldBytes,
    dropped: sum(({ lostRing, lostQueue, lostDisk }) => lostRing + lostQueue + lostDisk),
  };
}

/** A capture in the background ends its log with a line of JSON for each interface. */
async function lastFigures(path: string): Promise<Counts | null> {
  const log = await readFile(path, 'utf8').catch(() => '');
  const interfaces: InterfaceStatus[] = [];
  for (const line of log.trimEnd().split('\n').reverse()) {
    const json = /^\S+ (\{.*\})$/.exec(line)?.[1];
    if (json === undefined) break;
    interfaces.push(JSON.parse(json) as InterfaceStatus);
  }
  return interfaces.length === 0 ? null : countsOf({ interfaces });
}
