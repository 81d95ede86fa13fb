/** The words of the repository's API: what it tells of exports, and of errors. */
import Type from 'typebox';
import { ERRORS, type ErrorCode } from '../../errors.js';
import type { TaskState } from '../../task/states.js';
import type { Packed } from '../../update/export-kind.js';
import type { Export } from '../../update/repository-exports.js';
import type { Faults } from '../link.js';

const Text = (description: string) => Type.String({ description });
const Count = (description: string) => Type.Integer({ minimum: 0, description });

const Messages = Type.Object(
  {
    result: Type.Unsafe<Result>({ type: 'string', enum: ['success', 'failure', 'informational'] }),
    messages: Type.Array(Type.Object({ id: Text('A word'), text: Text('A sentence') })),
  },
  { description: 'What became of a request.' },
);
type Result = 'success' | 'failure' | 'informational';

export const ErrorBody = Type.Object({ errorMsg: Messages }, { description: 'Why a request failed.' });
export const Said = Messages;

export const Status = Type.Object(
  {
    current: Text('Name of the ZIP'),
    downloadednum: Count('Packages that are in it'),
    downloadedsize: Count('Its bytes until now'),
    progress: Type.Unsafe<number>({ type: 'integer', enum: [0, 50, 100], description: '0: it waits, 50: it runs, 100: it has ended' }),
    state: Type.Unsafe<string>({ type: 'string', enum: ['running', 'complete', 'canceled', 'error'] }),
    taskIds: Text('Id of the task'),
    total: Count('Packages that will be in it'),
    totalsize: Count('Its bytes at its end'),
    updates: Type.Array(Type.Unknown(), { description: 'Always empty' }),
    errorMsg: Messages,
  },
  { description: 'An export.' },
);

export interface Messages {
  result: Result;
  messages: { id: string; text: string }[];
}

export const said = (result: Result, id: string, text: string): Messages => ({ result, messages: [{ id, text }] });
/** What clients look for when all went well. */
export const SUCCEEDED = said('informational', 'FQXHMUP2500I', 'Repository operation completed successfully.');

/** Clients stop asking at a progress of 100, or at an error. */
const STATES: Record<TaskState, [progress: number, state: string]> = {
  awaiting_approval: [0, 'running'],
  scheduled: [0, 'running'],
  pending: [0, 'running'],
  running: [50, 'running'],
  cancelling: [50, 'running'],
  done: [100, 'complete'],
  partial: [100, 'error'],
  failed: [100, 'error'],
  cancelled: [100, 'canceled'],
};

export function statusOf({ input, state, result, error }: Export, packed: Packed): object {
  const [progress, word] = STATES[state];
  const total = input.packages.length;
  return {
    current: input.name,
    downloadednum: result === null ? packed.packages : total,
    downloadedsize: result === null ? packed.bytes : result.bytes,
    progress,
    state: word,
    taskIds: String(input.number),
    total,
    totalsize: result === null ? input.totalBytes : result.bytes,
    updates: [],
    errorMsg: outcome(word, error),
  };
}

function outcome(state: string, error: Export['error']): Messages {
  if (state === 'complete') return SUCCEEDED;
  if (state === 'running') return { result: 'success', messages: [] };
  const { code, message } = error ?? { code: 'CANCELLED', message: 'the export was cancelled' };
  return said(state === 'error' ? 'failure' : 'informational', code, message);
}

/** Those that its clients know, and those of methods and ranges. */
const KNOWN = [400, 401, 403, 404, 405, 409, 412, 416, 500];
/** Where they are other than everywhere else. */
const STATUS: Partial<Record<ErrorCode, number>> = { AUTH_LOCKED: 403, TASK_QUOTA: 409, TOO_MANY_TASKS: 409, TOO_MANY_UPLOADS: 409 };

/** Of an error's metrics: a status of its own. */
export const OWN_STATUS = 'status';

export const faults: Faults = {
  schema: ErrorBody,
  tell: ({ code, message, metrics }) => {
    const { http } = ERRORS[code];
    const usual = STATUS[code] ?? (KNOWN.includes(http) ? http : http < 500 ? 400 : 500);
    return { status: Number(metrics[OWN_STATUS] ?? usual), body: { errorMsg: said('failure', code, message) } };
  },
};
