/** A collection as its clients know it: an operation, with names in PascalCase and nothing else in it. */
import type { SupportInput, SupportResult } from '../../bundle/support-kind.js';
import type { ErrorCode } from '../../errors.js';
import { isEnded, type TaskState } from '../../task/states.js';
import type { Task } from '../../task/task.js';
import type { OperationStatus } from './schema.js';

export type Collecting = Task<SupportInput, SupportResult>;

const STATUS: Record<TaskState, OperationStatus> = {
  awaiting_approval: 'pending',
  scheduled: 'pending',
  pending: 'pending',
  running: 'in-progress',
  cancelling: 'in-progress',
  done: 'completed',
  partial: 'completed',
  failed: 'failed',
  cancelled: 'cancelled',
};

export function operationOf({ id, createdMs, updatedMs, state, progress, step, input, result, error }: Collecting): object {
  return {
    ID: id,
    CreatedAt: rfc3339(createdMs),
    UpdatedAt: rfc3339(updatedMs),
    Status: STATUS[state],
    Percentage: progress,
    CurrentStep: step,
    Request: { Method: 'post', URI: input.request.uri, Body: input.request.body, Cancellable: !isEnded(state) },
    ...((result !== null || error !== null) && {
      Result: { Data: dataOf(result), ...(error !== null && { Error: wordOf(error.code), Details: error.message }) },
    }),
  };
}

function dataOf(result: SupportResult | null): object {
  const { packages, failures } = result ?? { packages: [], failures: [] };
  return {
    packages: packages.map(({ artifact, name, address }) => ({ fileID: artifact, filename: name, switchAddress: address })),
    failures: failures.map(({ address, code, message }) => ({ switchAddress: address, customErrorCode: wordOf(code), description: message })),
  };
}

export const rfc3339 = (ms: number): string => new Date(ms).toISOString();

/** `PEER_UNREACHABLE` is `peer-unreachable`. */
export const wordOf = (code: ErrorCode): string => (code === 'REQUEST_INVALID' ? 'invalid-request' : code.toLowerCase().replaceAll('_', '-'));
