/** The HTTP server: what it refuses, how it reads and answers, and its routes. Built apart from listening. */
import Fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify';
import { LIMITS } from '../config.js';
import { writeJson } from '../export/json.js';
import { readBodies } from './body.js';
import { documentApi } from './docs.js';
import { answerUnreadable, handleErrors, sendError } from './errors.js';
import { guard, type OwnNames } from './guards.js';
import type { Service } from './link.js';
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
}

export async function buildApp({ services, gate, own, tls, logger, version }: AppOptions): Promise<FastifyInstance> {
  // Node would answer a missing Host itself, without our body.
  const http = { maxHeaderSize: LIMITS.headerBytes, requireHostHeader: false };
  const app: FastifyInstance = Fastify({
    logger,
    bodyLimit: LIMITS.bodyBytes,
    ...(tls === null ? { http } : ({ https: { ...http, ...tls } } as object)),
    clientErrorHandler: answerUnreadable,
    frameworkErrors: (error, request, reply) => void sendError(error, request, reply),
    return503OnClosing: false,
    forceCloseConnections: true,
  });
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(() => writeJson);
  handleErrors(app);
  guard(app, own);
  readBodies(app);
  app.decorateRequest('caller', null);
  await documentApi(app, version, gate);
  addRoutes(app, services, gate);
  return app;
}
