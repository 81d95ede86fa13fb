/** Every error of the API: exactly `{"error_id", "error_text"}`, as application/json, but for services that have words of their own. */
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { LIMITS } from '../config.js';
import { coded, ERRORS, SpillwayError, type ErrorCode } from '../errors.js';
import { rootOf, type Faults, type Service } from './link.js';

const JSON_TYPE = 'application/json; charset=utf-8';

/** What Fastify finds itself, before any handler of ours. */
const FASTIFY: Record<string, [ErrorCode, string]> = {
  FST_ERR_CTP_BODY_TOO_LARGE: ['BODY_TOO_LARGE', `the request body is larger than ${LIMITS.bodyBytes} bytes`],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: ['MEDIA_TYPE_UNSUPPORTED', 'the request body must be application/json'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: ['REQUEST_INVALID', 'the request body is not as long as Content-Length says'],
  FST_ERR_BAD_URL: ['REQUEST_INVALID', 'the address is not a valid URL'],
};

export function errorBody(code: ErrorCode, text: string): string {
  return JSON.stringify({ error_id: code, error_text: cutText(text) });
}

const cutText = (text: string): string => (text.length > LIMITS.errorTextLength ? `${text.slice(0, LIMITS.errorTextLength - 1)}…` : text);
const cut = ({ code, message, metrics }: SpillwayError): SpillwayError => new SpillwayError(code, cutText(message), metrics);

/** Gives the app its error handlers; `notFound` and defects included. */
export function handleErrors(app: FastifyInstance, services: readonly Service[] = []): void {
  const all = services.flatMap(({ faults, ...service }) => (faults ? placesOf(service).map((place) => ({ place, faults })) : []));
  app.decorate('faultsAt', (url: string) => {
    const path = url.split('?', 1)[0]!;
    return all.find(({ place }) => path === place || path.startsWith(`${place}/`))?.faults ?? null;
  });
  app.setErrorHandler((error, request, reply) => sendError(error, request, reply));
  app.setNotFoundHandler((request, reply) =>
    sendError(new SpillwayError('ROUTE_NOT_FOUND', `there is nothing at ${pathOf(request)}`), request, reply),
  );
}

/** Where the words of a service hold: at its root, or, where that is everybody's, at the beginnings of its paths. */
function placesOf(service: Service): string[] {
  const root = rootOf(service);
  if (root !== '') return [root];
  const paths = Object.values(service.resources).flatMap(({ self, links }) => Object.values(links).map(({ path = self }) => path));
  return [...new Set(paths.map((path) => `/${path.split('/')[1]!}`))];
}

export function sendError(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const known = knownError(error);
  if (known.code === 'INTERNAL') request.log.error({ err: error }, 'a defect');
  const faults = request.server.faultsAt(request.url);
  const told = faults?.tell(cut(known), pathOf(request)) ?? null;
  const http = told?.status ?? ERRORS[known.code].http;
  if (http === 503 || http === 429) void reply.header('retry-after', known.metrics['retry_after'] ?? LIMITS.retryAfterSeconds);
  if (http === 401 && !isScript(request)) void reply.header('www-authenticate', 'Basic realm="Spillway", charset="UTF-8"');
  return reply
    .code(http)
    .header('content-type', JSON_TYPE)
    .serializer(asIs)
    .send(told === null ? errorBody(known.code, known.message) : JSON.stringify(told.body));
}

/** A browser would ask its user for a password in the middle of a page whose script is refused. */
function isScript({ headers }: FastifyRequest): boolean {
  const mode = headers['sec-fetch-mode'];
  return mode !== undefined && mode !== 'navigate';
}

/** For requests that are no HTTP: Node's parser has given up, and there is only the socket. */
export function answerUnreadable(error: NodeJS.ErrnoException, socket: Socket): void {
  // A handshake that failed has no way for an answer.
  const isBroken = error.code === 'ECONNRESET' || /^ERR_(SSL|TLS)_/.test(error.code ?? '');
  if (isBroken || !socket.writable) return void socket.destroy();
  if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT') return answerAndClose(socket, 'REQUEST_TIMEOUT', 'the request did not arrive in time');
  if (error.code !== 'HPE_HEADER_OVERFLOW') return answerAndClose(socket, 'REQUEST_INVALID', 'the request is not valid HTTP');
  answerAndClose(socket, 'REQUEST_INVALID', `the request line and headers are longer than ${LIMITS.headerBytes} bytes`, 431);
}

/** Ends a connection with an error, where there is no request to answer; one that does not read it is not waited for. */
export function answerAndClose(socket: Socket, code: ErrorCode, text: string, status: number = ERRORS[code].http): void {
  const body = errorBody(code, text);
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    `Content-Type: ${JSON_TYPE}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...(status === 503 ? [`Retry-After: ${LIMITS.retryAfterSeconds}`] : []),
    'Connection: close',
  ];
  socket.on('error', () => undefined);
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
  const linger = setTimeout(() => socket.destroy(), LIMITS.lingerMs).unref();
  socket.once('close', () => clearTimeout(linger));
}

function knownError(error: unknown): SpillwayError {
  const own = coded(error);
  if (own.code !== 'INTERNAL') return own;
  const { code = '', statusCode = 500, message } = error as { code?: string; statusCode?: number; message: string };
  const mapped = FASTIFY[code];
  if (mapped !== undefined) return new SpillwayError(...mapped);
  if (statusCode >= 400 && statusCode < 500) return new SpillwayError('REQUEST_INVALID', message);
  // What went wrong inside is for the log.
  return new SpillwayError('INTERNAL', 'the probe failed in a way it does not know; its log says more');
}

const asIs = (payload: unknown): string => payload as string;
const pathOf = (request: FastifyRequest): string => request.url.split('?', 1)[0]!.slice(0, 200);

declare module 'fastify' {
  interface FastifyInstance {
    /** The words of the service at an address; null: the usual. */
    faultsAt(url: string): Faults | null;
  }
}
