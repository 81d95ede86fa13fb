/** The words of the JSON-RPC: codes of errors, and the sentences that their ids stand for. */
import { SpillwayError, type ErrorCode } from '../../errors.js';

export const RPC_CODES = [
  'rpc_invalid_request',
  'rpc_invalid_parameter',
  'rpc_method_not_found',
  'rpc_permission_denied',
  'rpc_server_error',
  'rpc_temporarily_unavailable',
  'rpc_async_action_in_progress',
  'async_action_end_error',
  'async_action_lost',
  'remote_call_error',
] as const;
export type RpcCode = (typeof RPC_CODES)[number];

/** A `{name}` stands for the parameter of the message. */
export const MESSAGES = {
  request_invalid: 'The request can not be read: {reason}.',
  parameter_missing: 'The parameter {parameter} is missing.',
  parameter_unknown: 'No parameter is called {parameter}.',
  parameter_invalid: 'The parameter {parameter} is not valid: {reason}.',
  process_unknown: 'There is no process {process_id}.',
  method_unknown: 'There is no method {method}.',
  permission_missing: 'The method {method} takes the role admin.',
  login_needed: 'Log in first.',
  session_over: 'The session has ended: log in again.',
  login_failed: 'The user name or the password is wrong.',
  login_locked: 'Too many wrong passwords: try again later.',
  action_in_progress: 'The action has not ended yet.',
  action_failed: 'The action failed: {reason}.',
  action_lost: 'The action was lost: the probe was started anew while it ran.',
  not_remote: 'The method {method} is not supported over remote access.',
  remote_failed: 'The other probe could not be asked: {reason}.',
  server_busy: 'The probe can not do this now: {reason}.',
  server_error: 'The probe failed in a way it does not know; its log says more.',
  credentials_unencrypted: 'The package holds names and password hashes of users, and is not encrypted.',
} as const;
export type MessageId = keyof typeof MESSAGES;

export interface RpcFault {
  code: RpcCode;
  message_id: MessageId;
  message_params?: Record<string, string>;
  log?: string;
  suberrors?: RpcFault[];
}

export type RpcWarning = Pick<RpcFault, 'message_id' | 'message_params'>;

/** A call that is answered with an error. */
export class RpcError extends Error {
  constructor(readonly fault: RpcFault) {
    super(fault.code);
    this.name = 'RpcError';
  }
}

export function refuse(code: RpcCode, message_id: MessageId, message_params?: Record<string, string>): RpcError {
  return new RpcError({ code, message_id, ...(message_params && { message_params }) });
}

/** Whatever a method throws. */
export function faultOf(error: unknown): RpcFault {
  if (error instanceof RpcError) return error.fault;
  if (!(error instanceof SpillwayError)) return { code: 'rpc_server_error', message_id: 'server_error' };
  const [code, message_id] = FAULTS[error.code] ?? (['rpc_server_error', 'server_error'] as const);
  return message_id === 'server_error' ? { code, message_id } : { code, message_id, message_params: { reason: error.message } };
}

const FAULTS: Partial<Record<ErrorCode, readonly [RpcCode, MessageId]>> = {
  REQUEST_INVALID: ['rpc_invalid_request', 'request_invalid'],
  MEDIA_TYPE_UNSUPPORTED: ['rpc_invalid_request', 'request_invalid'],
  BODY_TOO_LARGE: ['rpc_invalid_request', 'request_invalid'],
  AUTH_REQUIRED: ['rpc_permission_denied', 'login_needed'],
  AUTH_INVALID_SESSION: ['rpc_permission_denied', 'session_over'],
  AUTH_INVALID_CREDENTIALS: ['rpc_permission_denied', 'login_failed'],
  AUTH_LOCKED: ['rpc_temporarily_unavailable', 'login_locked'],
  AUTH_BUSY: ['rpc_temporarily_unavailable', 'server_busy'],
  TOO_MANY_TASKS: ['rpc_async_action_in_progress', 'action_in_progress'],
  TASK_QUOTA: ['rpc_temporarily_unavailable', 'server_busy'],
  PEER_UNREACHABLE: ['remote_call_error', 'remote_failed'],
  PEER_FAILED: ['remote_call_error', 'remote_failed'],
};
