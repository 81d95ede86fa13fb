import { describe, expect, it } from 'vitest';
import { EVENTS, TRANSITIONS, isFinal, next, type Event } from '../../src/export/lifecycle.js';
import { STATES, type State } from '../../src/export/schema.js';

/** Every cell, written out once more: `-` is refused. Columns: initialise prepared start stream again finish empty pause leave enough fail. */
const CELLS: Record<State, string> = {
  UNINITIALIZED: 'INITIALIZING - - - - - - - - - ERRORS',
  INITIALIZING: '- READY RUNNING - - - - - - - ERRORS',
  READY: '- - RUNNING STREAMING - - - - - - ERRORS',
  RUNNING: '- READY - STREAMING - DONE NODATA - - - ERRORS',
  STREAMING: '- - - - - DONE NODATA READY ERRORS DONE ERRORS',
  DONE: '- - - - STREAMING - - - - - -',
  NODATA: '- - - - - - - - - - -',
  ERRORS: '- - - - - - - - - - -',
};

const events = Object.keys(EVENTS) as Event[];
const cells = STATES.flatMap((state) => CELLS[state].split(' ').map((to, i) => [state, events[i]!, to] as const));

describe('the lifecycle', () => {
  it('has a row for every state and a column for every event', () => {
    expect(Object.keys(TRANSITIONS).sort()).toEqual([...STATES].sort());
    expect(events).toEqual(['initialise', 'prepared', 'start', 'stream', 'again', 'finish', 'empty', 'pause', 'leave', 'enough', 'fail']);
    expect(cells.length).toBe(STATES.length * events.length);
  });

  it.each(cells)('%s + %s: %s', (state, event, to) => {
    if (to !== '-') expect(next(state, event)).toBe(to);
    else
      expect(() => next(state, event)).toThrow(expect.objectContaining({ code: 'EXPORT_STATE', message: expect.stringContaining(`state ${state}`) }));
  });

  it('ends in three states', () => {
    expect(STATES.filter(isFinal)).toEqual(['DONE', 'NODATA', 'ERRORS']);
  });

  it('refuses packets too early in the words that clients retry on', () => {
    expect(() => next('UNINITIALIZED', 'stream')).toThrow('state is not RUNNING: state UNINITIALIZED');
  });
});
