/** The one table of an update job's states, in the words of its API. Everything that changes a state goes through `nextState`. */
import { SpillwayError } from '../errors.js';

export const JOB_STATES = {
  DRAFT: 'it was made, and nobody has asked for it to be allowed',
  PENDING_APPROVAL: 'somebody has to allow it',
  APPROVED: 'it may be deployed',
  SCHEDULED: 'it waits for its time',
  IN_PROGRESS: 'members are updated',
  DONE: 'all members were updated',
  PARTIAL_SUCCESS: 'some members were updated',
  FAILED: 'no member was updated',
} as const;

export type JobState = keyof typeof JOB_STATES;

export const JOB_EVENTS = {
  ask: 'somebody asks for it to be allowed',
  approve: 'somebody who may allows it',
  schedule: 'it is deployed, for a time',
  begin: 'it is deployed now',
  due: 'its time has come',
  miss: 'its time has come, and it can not begin',
  succeed: 'all members were updated',
  succeed_partly: 'some members were updated',
  fail: 'no member was updated',
} as const;

export type JobEvent = keyof typeof JOB_EVENTS;

/** State and event to the state that follows; what is not here is not allowed. */
export const JOB_TRANSITIONS: Record<JobState, Partial<Record<JobEvent, JobState>>> = {
  DRAFT: { ask: 'PENDING_APPROVAL', approve: 'APPROVED' },
  PENDING_APPROVAL: { approve: 'APPROVED' },
  APPROVED: { schedule: 'SCHEDULED', begin: 'IN_PROGRESS' },
  SCHEDULED: { due: 'IN_PROGRESS', miss: 'FAILED' },
  IN_PROGRESS: { succeed: 'DONE', succeed_partly: 'PARTIAL_SUCCESS', fail: 'FAILED' },
  DONE: {},
  PARTIAL_SUCCESS: {},
  FAILED: {},
};

/** The state after `event`; throws UPDATE_JOB_STATE for what the table does not hold. */
export function nextState(state: JobState, event: JobEvent): JobState {
  const following = JOB_TRANSITIONS[state][event];
  if (following === undefined) throw new SpillwayError('UPDATE_JOB_STATE', `the update job is ${state}: it can not be that ${JOB_EVENTS[event]}`);
  return following;
}

/** Nothing happens to it any more. */
export const hasEnded = (state: JobState): boolean => Object.keys(JOB_TRANSITIONS[state]).length === 0;
