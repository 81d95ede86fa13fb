/** The table of a task's states, cell by cell. */
import { describe, expect, it } from 'vitest';
import { type SpillwayError } from '../../src/errors.js';
import { isEnded, next, TASK_EVENTS, TASK_STATES, TASK_TRANSITIONS, type TaskEvent, type TaskState } from '../../src/task/states.js';

const ALLOWED = `
  awaiting_approval approve pending
  awaiting_approval schedule scheduled
  awaiting_approval cancel cancelled
  awaiting_approval lose awaiting_approval
  scheduled due pending
  scheduled cancel cancelled
  scheduled lose scheduled
  pending schedule scheduled
  pending begin running
  pending fail failed
  pending cancel cancelled
  pending lose failed
  pending resume pending
  running succeed done
  running succeed_partly partial
  running fail failed
  running cancel cancelling
  running lose failed
  running resume pending
  cancelling succeed done
  cancelling succeed_partly partial
  cancelling fail failed
  cancelling stop cancelled
  cancelling lose cancelled`;

const allowed = new Map(
  ALLOWED.trim()
    .split('\n')
    .map((line) => line.trim().split(' ') as [TaskState, TaskEvent, TaskState])
    .map(([from, event, to]) => [`${from} ${event}`, to]),
);

describe('the states of a task', () => {
  const states = Object.keys(TASK_STATES) as TaskState[];
  const events = Object.keys(TASK_EVENTS) as TaskEvent[];

  it.each(states.flatMap((state) => events.map((event) => [state, event] as const)))('%s: %s', (state, event) => {
    const after = allowed.get(`${state} ${event}`);
    if (after !== undefined) return expect(next(state, event)).toBe(after);
    expect(() => next(state, event)).toThrow(expect.objectContaining({ code: 'TASK_STATE' }) as SpillwayError);
  });

  it('has an end, and everything leads to it', () => {
    const ends = states.filter(isEnded);
    expect(ends).toEqual(['done', 'partial', 'failed', 'cancelled']);
    for (const state of states) {
      const reached = new Set([state]);
      for (const from of reached) for (const to of Object.values(TASK_TRANSITIONS[from])) reached.add(to);
      expect([...reached].some(isEnded)).toBe(true);
    }
  });
});
