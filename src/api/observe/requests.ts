/** Sees every request to its end, whoever answered it and however it ended: one line of the log each, and the counters. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { bodyBytesOf } from '../../export/http-sink.js';

export interface SeenRequest {
  method: string;
  /** As it was declared; `none` where there is nothing at the address. */
  route: string;
  /** 499: the client left before there was an answer. */
  status: number;
  /** Until the answer's headers; null where there were none. */
  firstByteMs: number | null;
}

const CLIENT_LEFT = 499;
/** Levels with a line for each request. */
const LOGGED = ['info', 'debug', 'trace'];
const EXPORT_ROUTE = /^\/api\/npm\.packet_export\/[^/]+\/(?:exports|packets)/;

/** Before all other hooks: what these refuse is seen, too. */
export function watchRequests(app: FastifyInstance, seen: (request: SeenRequest) => void): void {
  const isLogged = LOGGED.includes(app.log.level);
  app.addHook('onRequest', (request, reply, done) => {
    const began = performance.now();
    const firstByteMs = timeOfHeaders(reply.raw, began);
    reply.raw.once('close', () => {
      const { method } = request;
      const route = request.is404 ? 'none' : (request.routeOptions.url ?? 'none');
      const status = reply.raw.headersSent ? reply.raw.statusCode : CLIENT_LEFT;
      seen({ method, route, status, firstByteMs: firstByteMs() });
      if (!isLogged) return;
      const exportId = exportIdOf(request, reply, route);
      // Neither the address as it was sent nor headers: these are where secrets are.
      request.log.info(
        {
          ...(request.caller?.name && { user: request.caller.name }),
          method,
          route,
          status,
          ms: Math.round((performance.now() - began) * 10) / 10,
          bytes: Number(bodyBytesOf(reply.raw) ?? reply.getHeader('content-length') ?? 0),
          ...(exportId !== null && { export_id: exportId }),
          ...(!reply.raw.writableFinished && { broken: true }),
        },
        'request',
      );
    });
    done();
  });
}

/** Everything that answers goes through `writeHead`, also where Node calls it by itself. */
function timeOfHeaders(response: FastifyReply['raw'], began: number): () => number | null {
  let ms: number | null = null;
  const { writeHead } = response;
  response.writeHead = function (this: typeof response, ...given: unknown[]) {
    ms ??= performance.now() - began;
    return Reflect.apply(writeHead, this, given) as typeof response;
  };
  return () => ms;
}

/** By the address, or of one that was just made. */
function exportIdOf(request: FastifyRequest, reply: FastifyReply, route: string): string | null {
  if (!EXPORT_ROUTE.test(route)) return null;
  const id = (request.params as Record<string, string> | undefined)?.['*'];
  return id?.slice(0, 100) ?? /[^/]+$/.exec(String(reply.getHeader('location') ?? ''))?.[0] ?? null;
}
