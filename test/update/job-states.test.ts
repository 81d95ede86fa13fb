/** The table of an update job's states, cell by cell. */
import { describe, expect, it } from 'vitest';
import { type SpillwayError } from '../../src/errors.js';
import { hasEnded, JOB_EVENTS, JOB_STATES, JOB_TRANSITIONS, nextState, type JobEvent, type JobState } from '../../src/update/job-states.js';

const ALLOWED = `
  DRAFT ask PENDING_APPROVAL
  DRAFT approve APPROVED
  PENDING_APPROVAL approve APPROVED
  APPROVED schedule SCHEDULED
  APPROVED begin IN_PROGRESS
  SCHEDULED due IN_PROGRESS
  SCHEDULED miss FAILED
  IN_PROGRESS succeed DONE
  IN_PROGRESS succeed_partly PARTIAL_SUCCESS
  IN_PROGRESS fail FAILED`;

const allowed = new Map(
  ALLOWED.trim()
    .split('\n')
    .map((line) => line.trim().split(' ') as [JobState, JobEvent, JobState])
    .map(([from, event, to]) => [`${from} ${event}`, to]),
);

describe('the states of an update job', () => {
  const states = Object.keys(JOB_STATES) as JobState[];
  const events = Object.keys(JOB_EVENTS) as JobEvent[];

  it.each(states.flatMap((state) => events.map((event) => [state, event] as const)))('%s: %s', (state, event) => {
    const after = allowed.get(`${state} ${event}`);
    if (after !== undefined) return expect(nextState(state, event)).toBe(after);
    expect(() => nextState(state, event)).toThrow(expect.objectContaining({ code: 'UPDATE_JOB_STATE' }) as SpillwayError);
  });

  it('have ends, and everything leads to one', () => {
    expect(states.filter(hasEnded)).toEqual(['DONE', 'PARTIAL_SUCCESS', 'FAILED']);
    for (const state of states) {
      const reached = new Set([state]);
      for (const from of reached) for (const to of Object.values(JOB_TRANSITIONS[from])) reached.add(to);
      expect([...reached].some(hasEnded)).toBe(true);
    }
  });
});
