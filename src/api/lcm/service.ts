/** `/lcm/update-jobs`: update jobs, from their drafts to their ends; and `/auth/token`, where their clients log in. */
import type { Access } from '../../access/access.js';
import { hasRole } from '../../access/caller.js';
import type { UpdateJobs } from '../../update/jobs.js';
import { link, type Service } from '../link.js';
import { Deploying, Job, Jobs, JobStatus, NewJob, Told } from './schema.js';
import { deploymentOf, jobOf, statusOf, wishOf } from './shown.js';
import { tokenResource } from './token.js';
import { done, lcmFaults } from './words.js';

export function lcm(access: Access, jobs: UpdateJobs): Service {
  return {
    name: 'spillway.lcm',
    version: '1.0',
    title: 'Update jobs',
    root: '',
    faults: lcmFaults,
    resources: {
      token: tokenResource(access),
      update_jobs: {
        schema: Jobs,
        about: 'Update jobs.',
        self: '/lcm/update-jobs',
        links: {
          get: link({
            method: 'GET',
            right: 'reader',
            about: 'List update jobs',
            status: 200,
            answer: Jobs,
            handle: () => ({ data: jobs.list().map(jobOf) }),
          }),
          create: link({
            method: 'POST',
            right: 'operator',
            about: 'Draft an update job',
            body: NewJob,
            status: 200,
            answer: Told,
            handle: ({ body, caller }) => done('UPDATE_JOB_CREATED', jobs.create(wishOf(body), caller.name).id, true),
          }),
        },
      },
      update_job: {
        schema: Job,
        about: 'An update job.',
        self: '/lcm/update-jobs/{id}',
        links: {
          get: link({
            method: 'GET',
            right: 'reader',
            about: 'Show an update job',
            status: 200,
            answer: Job,
            handle: ({ param }) => jobOf(jobs.get(param('id'))),
          }),
          approve: link({
            method: 'POST',
            path: '/lcm/update-jobs/{id}/approve',
            right: 'operator',
            about: 'Allow an update job, as an admin; else ask for that',
            status: 200,
            answer: Told,
            handle: ({ param, caller }) => {
              const { id, state } = jobs.approve(param('id'), caller.name, hasRole(caller, 'admin'));
              return done(state === 'APPROVED' ? 'UPDATE_JOB_APPROVED' : 'UPDATE_JOB_PENDING_APPROVAL', id);
            },
          }),
          deploy: link({
            method: 'POST',
            path: '/lcm/update-jobs/{id}/deploy',
            right: 'operator',
            about: 'Carry out an update job that is allowed, now or at a time',
            body: Deploying,
            isBodyOptional: true,
            status: 200,
            answer: Told,
            handle: ({ param, body, caller }) => {
              const job = jobs.get(param('id'));
              const { id, state } = jobs.deploy(job.id, deploymentOf(body, job), caller.name);
              return done(state === 'SCHEDULED' ? 'UPDATE_JOB_SCHEDULED' : 'UPDATE_JOB_DEPLOYED', id);
            },
          }),
          status: link({
            method: 'POST',
            path: '/lcm/update-jobs/{id}/status',
            right: 'reader',
            // It only reads.
            isAudited: false,
            about: 'Show how far an update job is',
            status: 200,
            answer: JobStatus,
            handle: ({ param }) => statusOf(jobs.get(param('id'))),
          }),
          delete: link({
            method: 'DELETE',
            right: 'operator',
            about: 'Remove an update job; one in progress begins no other member',
            status: 200,
            answer: Told,
            handle: ({ param }) => {
              const id = param('id');
              return done(jobs.remove(id) === 'stopped' ? 'UPDATE_JOB_STOPPED' : 'UPDATE_JOB_REMOVED', id);
            },
          }),
        },
      },
    },
  };
}
