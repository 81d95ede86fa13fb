/** `/cgi-bin`: the JSON-RPC of diagnostic packages, its login, and what it tells without one. */
import { hostname } from 'node:os';
import Type, { type Static, type TSchema } from 'typebox';
import { addressOf, type Access } from '../../access/access.js';
import { hasRole, type Caller, type Role } from '../../access/caller.js';
import type { Devices } from '../../bundle/devices.js';
import type { DiagnosticKind } from '../../bundle/diagnostic-kind.js';
import { ERRORS, SpillwayError, type ErrorCode } from '../../errors.js';
import type { Tasks } from '../../task/tasks.js';
import { actor } from '../actor.js';
import { link, type Call, type Faults, type Link, type Service } from '../link.js';
import { DiagnosticMethods, type RpcAnswer } from './diagnostic.js';
import { checkParams, Envelope, readCall, type RpcCall } from './envelope.js';
import { sendFile } from './file.js';
import { faultOf, MESSAGES, refuse } from './words.js';

export interface RpcOptions {
  access: Access;
  tasks: Tasks;
  kind: DiagnosticKind;
  devices: Devices;
  /** What anybody is told of this probe. */
  device: { version: string; serial: string };
}

/** What roles are called here, and how much each may. */
const PERMISSIONS: Readonly<Record<Role, number>> = { reader: 1, operator: 5, admin: 10 };

const ROOT = '/cgi-bin';
const RPC = `${ROOT}/rpc.cgi`;

interface Method {
  right: 'public' | 'admin';
  /** Not to be relayed to a peer. */
  isLocal?: boolean;
  /** Written down in the audit. */
  isAudited?: boolean;
  handle(call: RpcCall, caller: Caller, http: Call): Promise<RpcAnswer | null> | RpcAnswer | null;
}

export function rpc({ access, tasks, kind, devices, device }: RpcOptions): Service {
  const diagnostic = new DiagnosticMethods(tasks, kind, devices);
  const told = (result: unknown): Method => ({
    right: 'public',
    handle: ({ params }) => {
      checkParams(params, {});
      return { result };
    },
  });
  const methods: Readonly<Record<string, Method>> = {
    device_ping: told({}),
    device_info_get_public: told({ device_name: hostname(), model: 'Spillway', sw_version: device.version, serial: device.serial }),
    messages_get: told({ messages: MESSAGES }),
    diagnostic_package_start: { right: 'admin', isAudited: true, handle: (call, caller) => diagnostic.start(call, caller) },
    diagnostic_package_status_get: { right: 'admin', isLocal: true, handle: (call) => diagnostic.status(call) },
    diagnostic_package_file_get: {
      right: 'admin',
      isLocal: true,
      isAudited: true,
      handle: async (call, _, { reply }) => {
        const { process, artifact, bytes } = diagnostic.file(call);
        await sendFile(reply, await tasks.artifacts.read(artifact), bytes);
        await diagnostic.remove(process);
        return null;
      },
    },
  };

  const answer = async (http: Call): Promise<unknown> => {
    const { request, body } = http;
    try {
      const key = request.headers['apikey'];
      const call = readCall(body as Static<typeof Envelope>);
      const method = Object.hasOwn(methods, call.method) ? methods[call.method]! : null;
      // A key that is none is refused whatever is asked with it; relaying makes this probe ask another.
      const isOpen = key === undefined && method?.right === 'public' && call.target === null;
      const caller = isOpen ? http.caller : access.ownerOf(key === undefined ? undefined : String(key), request.raw);
      if (!method) throw refuse('rpc_method_not_found', 'method_unknown', { method: call.method.slice(0, 100) });
      if (!isOpen && (method.right === 'admin' || call.target !== null) && !hasRole(caller, 'admin'))
        throw refuse('rpc_permission_denied', 'permission_missing', { method: call.method });
      const local = call.target === null || devices.isOwn(call.target);
      const given = local ? await method.handle(call, caller, http) : await relay(call, method, http);
      if (method.isAudited === true)
        access.audit.note({
          ...actor({ caller, request }),
          action: call.method,
          what: call.target ?? String(call.params['target'] ?? RPC),
        });
      return given === null ? null : { ...given, ...stamp() };
    } catch (error) {
      if (http.reply.sent || (error instanceof SpillwayError && ERRORS[error.code].http === 401)) throw error;
      const fault = faultOf(error);
      if (fault.code === 'rpc_server_error') request.log.error({ err: error }, 'a defect');
      return { error: fault, ...stamp() };
    }
  };

  const relay = async (call: RpcCall, { isLocal }: Method, { request, body }: Call): Promise<RpcAnswer> => {
    if (isLocal === true) throw refuse('rpc_invalid_request', 'not_remote', { method: call.method });
    const { target, ...rest } = body as Record<string, unknown>;
    const peer = peerOf(call.target ?? String(target), devices);
    const left = new AbortController();
    request.raw.once('close', () => left.abort(new SpillwayError('CLIENT_LEFT', 'the client left')));
    const answered = (await peer.relay(rest, left.signal)) as RpcAnswer;
    const { result, error, warnings } = answered;
    return { ...(result !== undefined && { result }), ...(error && { error }), ...(warnings && { warnings }) };
  };

  return {
    name: 'spillway.rpc',
    version: '1.0',
    title: 'Diagnostic packages (JSON-RPC)',
    root: ROOT,
    faults,
    resources: {
      login: {
        schema: Session,
        about: 'Logging in and out.',
        self: '/login.cgi',
        links: {
          login: post('/login.cgi', 'Begin a session', Login, Session, async ({ body, request, reply }) => {
            const { username, password } = body as Static<typeof Login>;
            const user = await access.login(username, password, addressOf(request.raw));
            void reply.header('cache-control', 'no-store');
            const role = access.isOpen ? 'admin' : access.users.get(user).role;
            return { token: access.logins.begin(user), role: { name: role, permission: PERMISSIONS[role] } };
          }),
          logout: post('/logout.cgi', 'End the session', null, Type.Object({}), ({ request }) => {
            const key = request.headers['apikey'];
            const { name } = access.ownerOf(key === undefined ? undefined : String(key), request.raw);
            if (key !== undefined) access.logins.end(String(key));
            access.audit.note({ who: name, action: 'logout', what: 'session', address: addressOf(request.raw) });
            return {};
          }),
        },
      },
      rpc: {
        schema: Answer,
        about: 'Calls.',
        self: '/rpc.cgi',
        links: { call: post('/rpc.cgi', `Call a method: ${Object.keys(methods).join(', ')}`, Envelope, Answer, answer) },
      },
    },
  };
}

function peerOf(address: string, devices: Devices): ReturnType<Devices['peer']> {
  try {
    return devices.peer(address, null);
  } catch (error) {
    throw refuse('rpc_invalid_parameter', 'parameter_invalid', { parameter: 'target', reason: (error as Error).message });
  }
}

/** Everybody may; who asks is found out by the key that the call carries. */
function post(path: string, about: string, body: TSchema | null, answer: Link['answer'], handle: (call: Call) => unknown): Link {
  return link({ method: 'POST', path, right: 'public', about, ...(body && { body }), status: 200, answer, handle });
}

const stamp = () => ({ device: { tstamp: Math.floor(Date.now() / 1000) } });

const Login = Type.Object(
  { username: Type.String({ description: 'Name of the user' }), password: Type.String({ description: 'Password' }) },
  { description: 'Who logs in.' },
);
const Fault = Type.Object({ code: Type.String(), message_id: Type.String() }, { description: 'Why a call failed' });
const Answer = Type.Object(
  {
    result: Type.Optional(Type.Unknown({ description: 'What the method gives' })),
    error: Type.Optional(Fault),
    warnings: Type.Optional(Type.Array(Type.Object({ message_id: Type.String() }))),
    device: Type.Object({ tstamp: Type.Integer({ description: 'Seconds since the epoch' }) }),
  },
  { description: 'The answer to a call: a result, an error, or both.' },
);
const Session = Type.Object(
  {
    token: Type.String({ description: 'To be sent as the header apikey' }),
    role: Type.Object({ name: Type.String(), permission: Type.Integer({ description: '1 to 10' }) }),
  },
  { description: 'A session.' },
);

/** At the door; where they are other than everywhere else. */
const STATUS: Partial<Record<ErrorCode, number>> = { AUTH_INVALID_CREDENTIALS: 400, AUTH_LOCKED: 503 };

/** A call that can't be read is answered as one that failed; at the door, by status. */
const faults: Faults = {
  schema: Answer,
  tell: (error, path) => {
    const isCall = path === RPC && (error.code === 'REQUEST_INVALID' || error.code === 'MEDIA_TYPE_UNSUPPORTED');
    return { status: isCall ? 200 : (STATUS[error.code] ?? ERRORS[error.code].http), body: { error: faultOf(error), ...stamp() } };
  },
};
