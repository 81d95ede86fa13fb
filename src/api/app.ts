/** The HTTP server: what it refuses, how it reads and answers, and its routes. Built apart from listening. */
import Fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify';
import { LIMITS } from '../config.js';
import { writeJson } from '../export/json.js';
import { readBodies } from './body.js';
import { documentApi } from './docs.js';
import { answerUnreadable, handleErrors, sendError } from './errors.js';
import { guard } from './guards.js';
import type { Service } from './link.js';
import { addRoutes, type Gate } from './routes.js';
import { validatorCompiler } from './validation.js';

export interface AppOptions {
  services: readonly Service[];
  gate: Gate;
  /** Host names that requests may use besides this machine's own, in lower case. */
  names: readonly string[];
  /** Fastify's logger options; false: none. */
  logger: NonNullable<FastifyServerOptions['logger']>;
  version: string;
}

export async function buildApp({ services, gate, names, logger, version }: AppOptions): Promise<FastifyInstance> {
  const app = Fastify({
    logger,
    bodyLimit: LIMITS.bodyBytes,
    // Node would answer a missing Host itself, without our body.
    http: { maxHeaderSize: LIMITS.headerBytes, requireHostHeader: false },
    clientErrorHandler: answerUnreadable,
    frameworkErrors: (error, request, reply) => void sendError(error, request, reply),
    return503OnClosing: false,
    forceCloseConnections: true,
  });
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(() => writeJson);
  handleErrors(app);
  guard(app, names);
  readBodies(app);
  await documentApi(app, version);
  app.decorateRequest('caller', null);
  addRoutes(app, services, gate);
  return app;
}
