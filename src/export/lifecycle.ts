/** The one table of an export's states. Everything that changes a state goes through `next`. */
import { SpillwayError } from '../errors.js';
import type { State } from './schema.js';

export const EVENTS = {
  initialise: 'the source is opened and the filters are compiled',
  prepared: 'that is done, and the export waits for a decision of its client',
  start: 'that is done, and the export runs: to its file, or as soon as its client fetches it',
  stream: 'the client fetches the packets',
  finish: 'the output is whole',
  empty: 'the output is whole, and the source has no packet in the time range',
  leave: 'the client left in mid-stream',
  enough: 'the client of a live stream left, which is its end',
  fail: 'a failure of ours, or the server ends',
} as const;

export type Event = keyof typeof EVENTS;

/** State and event to the state that follows; what is not here is not allowed. */
export const TRANSITIONS: Record<State, Partial<Record<Event, State>>> = {
  UNINITIALIZED: { initialise: 'INITIALIZING', fail: 'ERRORS' },
  INITIALIZING: { prepared: 'READY', start: 'RUNNING', fail: 'ERRORS' },
  READY: { start: 'RUNNING', stream: 'STREAMING', fail: 'ERRORS' },
  RUNNING: { stream: 'STREAMING', finish: 'DONE', fail: 'ERRORS' },
  STREAMING: { finish: 'DONE', empty: 'NODATA', leave: 'ERRORS', enough: 'DONE', fail: 'ERRORS' },
  DONE: {},
  NODATA: {},
  ERRORS: {},
};

/** The state after `event`; refuses what the table does not hold. */
export function next(state: State, event: Event): State {
  const following = TRANSITIONS[state][event];
  if (following === undefined) {
    const needed = event === 'stream' ? 'state is not RUNNING: ' : `${event} is not possible: `;
    throw new SpillwayError('EXPORT_STATE', `${needed}state ${state}`);
  }
  return following;
}

/** Nothing follows: the export only waits to be removed. */
export function isFinal(state: State): boolean {
  return Object.keys(TRANSITIONS[state]).length === 0;
}

/** The table as docs/api.md shows it, its columns aligned. */
export function transitionsAsMarkdown(): string {
  const events = Object.keys(EVENTS) as Event[];
  const states = Object.keys(TRANSITIONS) as State[];
  const rows = [['', ...events], ...states.map((state) => [`\`${state}\``, ...events.map((event) => TRANSITIONS[state][event] ?? '')])];
  const widths = ['', ...events].map((_, column) => Math.max(3, ...rows.map((row) => row[column]!.length)));
  const line = (cells: string[]): string => `| ${cells.map((cell, i) => cell.padEnd(widths[i]!)).join(' | ')} |`;
  const [head, ...body] = rows;
  return [line(head!), line(widths.map((width) => '-'.repeat(width))), ...body.map(line)].join('\n');
}
