/** What captures answer, for all collectors that ask them. */
import type { Job } from '../../buffer/jobs.js';
import { captureStatus, type CaptureStatus } from '../../capture/control.js';
import type { ProbeFacts } from '../facts.js';

export interface AskedJob {
  job: Job;
  /** null: nobody captures it. */
  status: CaptureStatus | null;
  /** Why a capture that holds the folder does not tell. */
  error: string | null;
}

/** At once: one that hangs takes seconds. */
export async function askCaptures({ jobs }: ProbeFacts): Promise<AskedJob[]> {
  return Promise.all(
    (await jobs.list()).map((job) =>
      captureStatus(job.folder).then(
        (status) => ({ job, status, error: null }),
        (error: unknown) => ({ job, status: null, error: (error as Error).message }),
      ),
    ),
  );
}
