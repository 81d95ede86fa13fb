/** The JSON-RPC face of a peer: a session, its calls, and its end. */
import { checkType, membersOf, objectFrom, parseObject, textOf, type Members } from './answers.js';
import { Base64Member } from './base64-member.js';
import { EncodingError } from './base64.js';
import { farewell, type CollectOptions, type CollectPatience } from './collect.js';
import { exchange, type PeerAnswer, type PeerRequest } from './connection.js';
import { failed } from './failure.js';
import { PEER_LIMITS } from './limits.js';
import type { Credentials } from './profiles.js';
import type { SecurePeer } from './secure.js';

export interface RpcCall {
  method: string;
  params?: Members;
  language_code?: string;
}

/** Every code there is. Another one is not repeated: it could be anything. */
const CODES = [
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
];

/** Printable, so that it can stand in a header. */
const TOKEN = /^[\x21-\x7e]{1,4096}$/;

interface SessionOptions {
  signal: AbortSignal;
  patience: CollectPatience;
}

/** Logs in, works, and logs out whatever came of it. */
export async function withSession<T>(
  peer: SecurePeer,
  { username, password }: Credentials,
  options: SessionOptions,
  work: (session: RpcSession) => Promise<T>,
): Promise<T> {
  const login: PeerRequest = { method: 'POST', path: '/cgi-bin/login.cgi', body: { username, password } };
  const token = await exchange(peer, login, options, async (answer) => {
    if (answer.status === 400 || answer.status === 401) throw failed(peer, 'refuses the user name or the password of the profile');
    if (answer.status === 503) throw failed(peer, 'lets nobody log in for a while, after too many wrong passwords');
    checkStatus(peer, answer, 'a login');
    return textOf(peer, await objectFrom(peer, answer), 'token', TOKEN);
  });
  const session = new RpcSession(peer, token, options);
  try {
    return await work(session);
  } finally {
    const logout: PeerRequest = { method: 'POST', path: '/cgi-bin/logout.cgi', headers: { apikey: token }, body: {} };
    await farewell((signal) => exchange(peer, logout, { ...options, signal }, async () => undefined));
  }
}

export class RpcSession {
  constructor(
    private readonly peer: SecurePeer,
    private readonly token: string,
    private readonly options: SessionOptions,
  ) {}

  /** The whole answer, whether it holds a result or an error. */
  call(call: RpcCall): Promise<Members> {
    return exchange(this.peer, this.#request(call), this.options, async (answer) => {
      checkStatus(this.peer, answer, call.method);
      return objectFrom(this.peer, answer);
    });
  }

  /** The result of a call that has to have one. */
  async result(call: RpcCall): Promise<Members> {
    return resultOf(this.peer, call, await this.call(call));
  }

  /** Writes the file that a call answers with; gives its length. `heard` is told how much has come. */
  file(call: RpcCall, { sink, maxBytes }: Pick<CollectOptions, 'sink' | 'maxBytes'>, heard: (bytes: number) => void): Promise<number> {
    const { peer, options } = this;
    const patience = { ...options.patience, totalMs: options.patience.packageMs };
    return exchange(peer, this.#request(call), { ...options, patience }, async (answer) => {
      checkStatus(peer, answer, call.method);
      checkType(peer, answer.headers['content-type'], 'application/json');
      const member = new Base64Member({ maxBytes, maxBesides: PEER_LIMITS.besidesBytes });
      for await (const piece of answer.body) {
        for (const bytes of blaming(peer, () => [...member.take(piece)])) if (bytes.length > 0) await sink.write(bytes);
        heard(member.bytes);
      }
      const rest = parseObject(
        peer,
        blaming(peer, () => member.end()),
      );
      if (!member.hasMember) {
        resultOf(peer, call, rest);
        throw failed(peer, 'answers without a file');
      }
      if (rest['extension'] !== 'zip') throw failed(peer, 'answers with a file that is no zip');
      return member.bytes;
    });
  }

  #request(call: RpcCall): PeerRequest {
    return { method: 'POST', path: '/cgi-bin/rpc.cgi', headers: { apikey: this.token }, body: call };
  }
}

/** What can not be decoded is the peer's failure. */
function blaming<T>(peer: SecurePeer, decode: () => T): T {
  try {
    return decode();
  } catch (error) {
    throw error instanceof EncodingError ? failed(peer, error.message) : error;
  }
}

function checkStatus(peer: SecurePeer, { status }: PeerAnswer, what: string): void {
  if (status === 401) throw failed(peer, 'has ended the session');
  if (status !== 200) throw failed(peer, `answers ${what} with HTTP status ${status}`);
}

function resultOf(peer: SecurePeer, { method }: RpcCall, answer: Members): Members {
  const error = membersOf(answer['error']);
  if (error !== null) {
    const code = CODES.find((each) => each === error['code']);
    throw failed(peer, `answers ${method} with ${code ?? 'an error'}`);
  }
  const result = membersOf(answer['result']);
  if (result === null) throw failed(peer, `answers ${method} without a result`);
  return result;
}
