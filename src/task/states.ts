/** The one table of a task's states. Everything that changes a state goes through `next`. */
import { SpillwayError } from '../errors.js';

export const TASK_STATES = {
  awaiting_approval: 'somebody has to allow it first',
  scheduled: 'it waits for its time',
  pending: 'it waits for a turn',
  running: 'it runs',
  cancelling: 'it was told to end, and has not yet',
  done: 'all of it succeeded',
  partial: 'some of it succeeded',
  failed: 'none of it did',
  cancelled: 'it was ended before its end',
} as const;

export type TaskState = keyof typeof TASK_STATES;

export const TASK_EVENTS = {
  approve: 'somebody allows it',
  schedule: 'it is given a time',
  due: 'its time has come',
  begin: 'it has a turn',
  succeed: 'all that was to be done is done',
  succeed_partly: 'some of it is done, and the rest failed',
  fail: 'nothing of it could be done, or it took too long',
  cancel: 'whoever may ends it',
  stop: 'what was told to end has ended',
  lose: 'the server ended meanwhile',
  resume: 'the server ended meanwhile, and the next one goes on with it',
} as const;

export type TaskEvent = keyof typeof TASK_EVENTS;

/** State and event to the state that follows; what is not here is not allowed. */
export const TASK_TRANSITIONS: Record<TaskState, Partial<Record<TaskEvent, TaskState>>> = {
  awaiting_approval: { approve: 'pending', schedule: 'scheduled', cancel: 'cancelled', lose: 'awaiting_approval' },
  scheduled: { due: 'pending', cancel: 'cancelled', lose: 'scheduled' },
  pending: { schedule: 'scheduled', begin: 'running', fail: 'failed', cancel: 'cancelled', lose: 'failed', resume: 'pending' },
  running: { succeed: 'done', succeed_partly: 'partial', fail: 'failed', cancel: 'cancelling', lose: 'failed', resume: 'pending' },
  // What came to its end before it saw that it was to end has its result.
  cancelling: { succeed: 'done', succeed_partly: 'partial', fail: 'failed', stop: 'cancelled', lose: 'cancelled' },
  done: {},
  partial: {},
  failed: {},
  cancelled: {},
};

/** The state after `event`; throws TASK_STATE for what the table does not hold. */
export function next(state: TaskState, event: TaskEvent): TaskState {
  const following = TASK_TRANSITIONS[state][event];
  if (following === undefined) throw new SpillwayError('TASK_STATE', `${event} is not possible: the task is ${state.replace('_', ' ')}`);
  return following;
}

/** Nothing happens to it any more. */
export const isEnded = (state: TaskState): boolean => Object.keys(TASK_TRANSITIONS[state]).length === 0;
