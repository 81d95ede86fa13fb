/** The HTTP server: what it refuses, how it reads and answers, and its routes. Built apart from listening. */
import Fastify, { LogController, type FastifyInstance, type FastifyServerOptions } from 'fastify';
import { LIMITS } from '../config.js';
import { writeJson } from '../export/json.js';
import { limitBodies } from './body-time.js';
import { passRefusedBodies } from './refused-bodies.js';
import { readBodies } from './body.js';
import { Connections } from './connections.js';
import { documentApi } from './docs.js';
import { answerUnreadable, handleErrors, sendError } from './errors.js';
import { guard, type OwnNames } from './guards.js';
import type { Service } from './link.js';
import { type SeenRequest, watchRequests } from './observe/requests.js';
import { addRoutes, type Gate } from './routes.js';
import type { TlsPair } from './tls.js';
import { validatorCompiler } from './validation.js';

export interface AppOptions {
  services: readonly Service[];
  gate: Gate;
  own: OwnNames;
  /** Certificate and key, in PEM; null: plain HTTP. */
  tls: TlsPair | null;
  /** Fastify's logger options; false: none. */
  logger: NonNullable<FastifyServerOptions['logger']>;
  version: string;
  /** Hears of every request when it has ended. */
  seen?: (request: SeenRequest) => void;
}

export interface App {
  app: FastifyInstance;
  connections: Connections;
}

export async function buildApp({ services, gate, own, tls, logger, version, seen = () => undefined }: AppOptions): Promise<App> {
  const http = {
    maxHeaderSize: LIMITS.headerBytes,
    // Node would answer a missing Host itself, without our body.
    requireHostHeader: false,
    headersTimeout: LIMITS.headersMs,
    connectionsCheckingInterval: LIMITS.timeoutsLookMs,
    ...(tls !== null && { handshakeTimeout: LIMITS.headersMs }),
  };
  const app: FastifyInstance = Fastify({
    logger,
    // One line for each request is written where it ends (observe/requests.ts).
    logController: new LogController({ disableRequestLogging: true }),
    keepAliveTimeout: LIMITS.keepAliveMs,
    bodyLimit: LIMITS.bodyBytes,
    // An id that is too long is one that names nothing; what bounds it is the headers' limit.
    routerOptions: { maxParamLength: LIMITS.headerBytes },
    ...(tls === null ? { http } : ({ https: { ...http, ...tls } } as object)),
    clientErrorHandler: answerUnreadable,
    frameworkErrors: (error, request, reply) => void sendError(error, request, reply),
    return503OnClosing: false,
    forceCloseConnections: true,
  });
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(() => writeJson);
  handleErrors(app, services);
  watchRequests(app, seen);
  const connections = new Connections(app.server);
  connections.guard(app);
  guard(app, own);
  limitBodies(app);
  passRefusedBodies(app);
  readBodies(app);
  app.decorateRequest('caller', null);
  await documentApi(app, version, gate);
  addRoutes(app, services, gate);
  return { app, connections };
}
