/** Update jobs as their clients read them and write them. */
import type { Static } from 'typebox';
import { SpillwayError } from '../../errors.js';
import type { JobWish } from '../../update/draft.js';
import type { JobMember, JobType, UpdateJob } from '../../update/job.js';
import type { JobState } from '../../update/job-states.js';
import type { Deployment } from '../../update/jobs.js';
import { JOB_LIMITS } from '../../update/limits.js';
import type { Deploying, Job, JobStatus, NewJob, OVERALL } from './schema.js';

/** The only group that there is. */
const ALL = 'all';

export function jobOf(job: UpdateJob): Static<typeof Job> {
  const { id, name, description, limits, imageServer } = job;
  return {
    ...{ id, name, description },
    job_type: job.type,
    scheduled_at: seconds(job.scheduledMs),
    os_image_version: job.version,
    image_file_name: job.fileName,
    job_state: job.state,
    start_time: seconds(job.startMs),
    end_time: seconds(job.endMs),
    switch_group: job.isForAll ? { id: ALL, name: ALL } : { id: '', name: '' },
    switch_members: job.members.map(namedMember),
    image_server: { id: imageServer ?? '', name: imageServer ?? 'this probe' },
    user_info: {
      created_by: job.createdBy,
      created_at: seconds(job.createdMs),
      approved_by: job.approvedBy ?? '',
      deployed_by: job.deployedBy ?? '',
    },
    max_concurrent: limits.maxConcurrent,
    canary: limits.canary,
    stop_after_failures: limits.stopAfterFailures ?? 0,
    detail: job.detail,
  };
}

const STATUS: Record<JobState, (typeof OVERALL)[number]> = {
  DRAFT: 'NOT_STARTED',
  PENDING_APPROVAL: 'NOT_STARTED',
  APPROVED: 'NOT_STARTED',
  SCHEDULED: 'NOT_STARTED',
  IN_PROGRESS: 'IN_PROGRESS',
  DONE: 'SUCCESS',
  PARTIAL_SUCCESS: 'PARTIAL_SUCCESS',
  FAILED: 'FAILED',
};

export function statusOf({ startMs, endMs, state, members }: UpdateJob): Static<typeof JobStatus> {
  const data = members.map((member) => ({
    switch_member: namedMember(member),
    update_progress_status: member.progress,
    error: member.error,
    download_status: member.download,
    install_status: member.installing,
  }));
  return { start_time: seconds(startMs), end_time: seconds(endMs), status: STATUS[state], data };
}

export function wishOf(body: NewJob): JobWish {
  const { name, description = '', switch_group: group, switch_members: members = [], image_server: server } = body;
  const isForAll = group !== undefined && group.id !== '';
  if (isForAll && group.id !== ALL) throw invalid('switch_group', `there is no group ${JSON.stringify(group.id.slice(0, 100))}: only ${ALL} is one`);
  if (isForAll === members.length > 0) throw invalid('switch_members', 'either switch_group or switch_members has to name who is to be updated');
  const { job_type: type = 'NOT_SET', scheduled_at } = body;
  if (type !== 'NOT_SET') deploymentOf(body, { type, scheduledMs: null });
  return {
    ...{ name, description },
    version: body.os_image_version || null,
    fileName: body.image_file_name || null,
    members: isForAll ? ALL : members.map(({ id, name: called }) => ({ address: id, name: called ?? null })),
    imageServer: server === undefined || server.id === '' ? null : server.id,
    limits: {
      maxConcurrent: body.max_concurrent ?? JOB_LIMITS.maxConcurrent.usual,
      canary: body.canary ?? false,
      stopAfterFailures: body.stop_after_failures || null,
    },
    type,
    // Also where its deployment is to say the type.
    scheduledMs: msOf(scheduled_at),
  };
}

/** When a job is to be carried out, by the request and else by the draft. Throws REQUEST_INVALID. */
export function deploymentOf({ job_type, scheduled_at }: Deploying, draft: { type: JobType; scheduledMs: number | null }): Deployment {
  const type = job_type ?? draft.type;
  if (type === 'NOT_SET') throw invalid('job_type', 'job_type has to be NOW or SCHEDULED');
  if (type === 'NOW') {
    if (scheduled_at) throw invalid('scheduled_at', 'scheduled_at goes with SCHEDULED alone');
    return { type };
  }
  const scheduledMs = msOf(scheduled_at) ?? draft.scheduledMs;
  if (scheduledMs === null) throw invalid('scheduled_at', 'scheduled_at is missing: when is it to begin?');
  return { type, scheduledMs };
}

const namedMember = ({ address, name }: JobMember) => ({ id: address, name });
const msOf = (epoch: number | undefined): number | null => (epoch ? epoch * 1000 : null);
const seconds = (ms: number | null): number => (ms === null ? 0 : Math.floor(ms / 1000));
const invalid = (field: string, why: string): SpillwayError => new SpillwayError('REQUEST_INVALID', why, { field });
