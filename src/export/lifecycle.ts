/** The one table of an export's states. Everything that changes a state goes through `next`. */
import { SpillwayError } from '../errors.js';
import type { State } from './schema.js';

export const EVENTS = {
  initialise: 'the source is opened and the filters are compiled',
  prepared: 'that is done, and the export waits for a decision of its client; or the spool is complete, or holds what it may',
  start: 'the export runs: to its file, into its spool, or as soon as its client fetches it',
  stream: 'the client fetches the packets',
  again: 'the client fetches once more what is spooled',
  finish: 'the output is whole, and where a client fetches it, the client has its end',
  empty: 'the output is whole, and the source has no packet in the time range',
  pause: 'the client left before the end of what is spooled, or wanted a part of it',
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
  RUNNING: { prepared: 'READY', stream: 'STREAMING', finish: 'DONE', empty: 'NODATA', fail: 'ERRORS' },
  STREAMING: { finish: 'DONE', empty: 'NODATA', pause: 'READY', leave: 'ERRORS', enough: 'DONE', fail: 'ERRORS' },
  DONE: { again: 'STREAMING' },
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

/** What there was to do is done: the export only waits to be removed, or to be fetched once more. */
export function isFinal(state: State): boolean {
  return !('fail' in TRANSITIONS[state]);
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
