/** Captures that last as long as one export: jobs that no list shows. */
import { randomUUID } from 'node:crypto';
import { KEEP_ALL, type Job, type Jobs } from '../buffer/jobs.js';
import { stopCapture } from './control.js';

/** What a reader may be behind before it misses packets. */
const RETAIN_BYTES = 512 << 20;
/** And at once. */
const SEGMENT_BYTES = 16 << 20;

/** Captures the interfaces into a job of its own; `start` resolves when it captures. */
export async function startLive(jobs: Jobs, interfaces: readonly string[], start: (job: Job) => Promise<unknown>): Promise<Job> {
  const job = await jobs.put(`live-${randomUUID().slice(0, 8)}`, {
    ...KEEP_ALL,
    interfaces: [...interfaces],
    segmentBytes: SEGMENT_BYTES,
    retainBytes: RETAIN_BYTES,
    fsync: 'never',
    ownerPid: process.pid,
  });
  try {
    await start(job);
    return job;
  } catch (error) {
    await jobs.remove(job);
    throw error;
  }
}

export async function endLive(jobs: Jobs, job: Job): Promise<void> {
  await stopCapture(job.folder);
  await jobs.remove(job);
}

/** Ends what processes that are gone have left. */
export async function sweepLive(jobs: Jobs): Promise<void> {
  for (const job of await jobs.ownedByProcesses()) if (!isAlive(job.settings.ownerPid!)) await endLive(jobs, job).catch(() => undefined);
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
