/** `jobs` and `job`: capture jobs. */
import { type Caller, mayRead } from '../../access/caller.js';
import type { Job as CaptureJob, Jobs as CaptureJobs } from '../../buffer/jobs.js';
import type { JobControl } from '../../capture/job-control.js';
import type { JobStates } from '../../capture/job-state.js';
import type { CaptureSettings } from '../../capture/settings.js';
import { SpillwayError } from '../../errors.js';
import { link, type Resource } from '../link.js';
import { configFrom, Job, Jobs, jobView, newConfig } from './job.js';

export interface JobRooms {
  jobs: CaptureJobs;
  control: JobControl;
  states: JobStates;
  settings: CaptureSettings;
}

const ITEM = '/jobs/items/{id}';

export function jobsResource(rooms: JobRooms): Resource {
  const { jobs, control, settings } = rooms;
  return {
    schema: Jobs,
    about: 'Collection of capture jobs.',
    self: '/jobs',
    links: {
      get: link({
        method: 'GET',
        right: 'reader',
        about: 'List capture jobs',
        status: 200,
        answer: Jobs,
        handle: async ({ caller }) => {
          const visible = (await jobs.list()).filter((job) => mayReadJob(caller, job));
          const views = await Promise.all(visible.map((job) => view(job, rooms).catch(nullIfGone)));
          return { items: views.filter((each) => each !== null) };
        },
      }),
      create: link({
        method: 'POST',
        right: 'operator',
        about: 'Create a capture job',
        body: Job,
        status: 201,
        answer: Job,
        handle: async ({ body, request, reply }) => {
          const { jobDefaults } = await settings.read();
          const job = await control.create(configFrom(body, newConfig(jobDefaults)));
          void reply.header('location', `${request.routeOptions.url}/items/${job.id}`);
          return view(job, rooms);
        },
      }),
    },
  };
}

export function jobResource(rooms: JobRooms): Resource {
  const { control, states } = rooms;
  return {
    schema: Job,
    about: 'Configuration and state of a capture job.',
    self: ITEM,
    links: {
      get: link({
        method: 'GET',
        right: 'reader',
        about: 'Watch a capture job',
        status: 200,
        answer: Job,
        handle: async ({ caller, param }) => view(await visible(param('id'), caller, control), rooms),
      }),
      set: link({
        method: 'PUT',
        right: 'operator',
        about: 'Change, start or stop a capture job',
        body: Job,
        status: 200,
        answer: Job,
        handle: async ({ caller, param, body }) => {
          const { id } = await visible(param('id'), caller, control);
          return view(await control.replace(id, (before) => configFrom(body, before)), rooms);
        },
      }),
      delete: link({
        method: 'DELETE',
        right: 'operator',
        about: 'Remove a capture job with its packets',
        status: 204,
        answer: null,
        handle: async ({ caller, param }) => {
          const job = await visible(param('id'), caller, control);
          await control.remove(job.id);
          states.forget(job);
        },
      }),
      clear_packets: link({
        method: 'POST',
        path: `${ITEM}/clear`,
        right: 'operator',
        about: 'Let go of all packets of a job that no clip holds',
        status: 204,
        answer: null,
        handle: async ({ caller, param }) => {
          const { id } = await visible(param('id'), caller, control);
          await control.clear(id);
        },
      }),
    },
  };
}

/** What a caller may not read is not there for it. */
async function visible(id: string, caller: Caller, control: JobControl): Promise<CaptureJob> {
  const job = await control.get(id);
  if (!mayReadJob(caller, job)) throw new SpillwayError('JOB_NOT_FOUND', `there is no capture job ${JSON.stringify(id.slice(0, 100))}`);
  return job;
}

export function mayReadJob(caller: Caller, { id, name }: CaptureJob): boolean {
  return mayRead(caller, [`jobs/${name}`, `jobs/${id}`]);
}

/** Rejects with JOB_NOT_FOUND where it goes meanwhile. */
async function view(job: CaptureJob, { control, states }: JobRooms): Promise<Job> {
  try {
    const state = await states.of(job);
    return jobView(job, await control.configOf(job, state.running !== 'STOPPED'), state);
  } catch (error) {
    await control.get(job.id);
    throw error;
  }
}

function nullIfGone(error: unknown): null {
  if (error instanceof SpillwayError && error.code === 'JOB_NOT_FOUND') return null;
  throw error;
}
