/**
 * One request to a peer over a connection of its own. Redirects are not followed, and nothing of the environment (a proxy,
 * another resolver) has a say in where it goes. Every wait is bounded; what breaks is one sentence of failure.ts.
 */
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { SpillwayError } from '../errors.js';
import { failed, stopped, unreachable } from './failure.js';
import { PEER_LIMITS } from './limits.js';
import { connectTo, type SecurePeer } from './secure.js';

export interface PeerRequest {
  method: 'GET' | 'POST' | 'DELETE';
  path: string;
  headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  body?: object;
}

export interface PeerAnswer {
  status: number;
  headers: IncomingHttpHeaders;
  /** What arrives, as it does. Ends only where the answer was whole. */
  body: AsyncIterable<Buffer>;
}

/** How long things may take; PEER_LIMITS says why. */
export interface Patience {
  connectMs: number;
  idleMs: number;
  totalMs: number;
}

export const PATIENCE: Patience = { connectMs: PEER_LIMITS.connectMs, idleMs: PEER_LIMITS.idleMs, totalMs: PEER_LIMITS.answerMs };

/**
 * Sends the request and lets `take` read the answer; then the connection ends. Rejects with PEER_UNREACHABLE, PEER_FAILED, what
 * `take` throws, or why `signal` aborted.
 */
export async function exchange<T>(
  peer: SecurePeer,
  wish: PeerRequest,
  { signal, patience = PATIENCE }: { signal: AbortSignal; patience?: Patience },
  take: (answer: PeerAnswer) => Promise<T>,
): Promise<T> {
  const stop = new AbortController();
  const cancel = (): void => stop.abort(stopped(peer, signal));
  const after = (ms: number, error: () => SpillwayError): NodeJS.Timeout => setTimeout(() => stop.abort(error()), ms);
  if (signal.aborted) throw stopped(peer, signal);
  signal.addEventListener('abort', cancel, { once: true });
  const whole = after(patience.totalMs, () => failed(peer, `did not come to an end within ${patience.totalMs / 1000} s`));
  const connecting = after(patience.connectMs, () => unreachable(peer, `it did not answer within ${patience.connectMs / 1000} s`));
  /** Waits for the peer alone: while `take` is at work, its silence is ours. */
  const heard = async <R>(waiting: Promise<R>): Promise<R> => {
    const idle = after(patience.idleMs, () => failed(peer, `was silent for ${patience.idleMs / 1000} s`));
    try {
      return await orAborted(waiting, stop.signal);
    } catch (error) {
      if (stop.signal.aborted) throw stop.signal.reason;
      throw error instanceof SpillwayError ? error : failed(peer, brokenBy(error as Error));
    } finally {
      clearTimeout(idle);
    }
  };
  let close = (): void => undefined;
  try {
    const socket = await connectTo(peer, stop.signal);
    clearTimeout(connecting);
    close = () => socket.destroy();
    const response = await heard(answerTo(socket, peer, wish));
    const { statusCode: status = 0, headers } = response;
    if (status >= 300 && status < 400) throw failed(peer, 'answers with a redirect, which is not followed');
    if ((headers['content-encoding'] ?? 'identity') !== 'identity') throw failed(peer, 'answers in a coding that was not asked for');
    return await take({ status, headers, body: piecesOf(response, heard) });
  } finally {
    clearTimeout(whole);
    clearTimeout(connecting);
    signal.removeEventListener('abort', cancel);
    close();
  }
}

/** Not `Promise.race`: that would keep every piece until the signal goes. */
function orAborted<R>(waiting: Promise<R>, signal: AbortSignal): Promise<R> {
  return new Promise((resolve, reject) => {
    const halt = (): void => reject(signal.reason as Error);
    if (signal.aborted) halt();
    signal.addEventListener('abort', halt, { once: true });
    void waiting.then(resolve, reject).finally(() => signal.removeEventListener('abort', halt));
  });
}

function answerTo(
  socket: Awaited<ReturnType<typeof connectTo>>,
  { ip, port }: SecurePeer,
  { method, path, headers, body }: PeerRequest,
): Promise<IncomingMessage> {
  const text = body === undefined ? undefined : JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const sent = request({
      // Without an agent: nothing else is ever sent here, and it ends with the answer.
      createConnection: () => socket,
      host: ip,
      port,
      method,
      path,
      maxHeaderSize: PEER_LIMITS.headerBytes,
      headers: {
        accept: 'application/json, application/octet-stream',
        'accept-encoding': 'identity',
        ...(text !== undefined && { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }),
        ...headers,
      },
    });
    sent.on('error', reject);
    // It asks for another protocol, which nobody wants.
    sent.once('upgrade', () => reject(new Error('an upgrade')));
    sent.once('response', (response) => {
      // Until it is read: its end may come first.
      response.on('error', () => undefined);
      resolve(response);
    });
    sent.end(text);
  });
}

async function* piecesOf(response: IncomingMessage, heard: <R>(waiting: Promise<R>) => Promise<R>): AsyncGenerator<Buffer> {
  const pieces = response[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  for (;;) {
    const { value, done } = await heard(pieces.next());
    if (done === true) return;
    yield value;
  }
}

function brokenBy(error: Error): string {
  const code = (error as NodeJS.ErrnoException).code ?? '';
  if (code === 'HPE_HEADER_OVERFLOW') return `answers with more than ${PEER_LIMITS.headerBytes} bytes of headers`;
  return code.startsWith('HPE_') ? 'does not answer in HTTP' : 'ended the connection in the middle';
}
