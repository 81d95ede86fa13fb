/** The HTTP server: what it refuses, how it reads and answers, and its routes. Built apart from listening. */
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import Fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify';
import { LIMITS } from '../config.js';
import { writeJson } from '../export/json.js';
import type { ExportService } from '../export/service.js';
import { readBodies } from './body.js';
import { documentApi } from './docs.js';
import { answerUnreadable, handleErrors, sendError } from './errors.js';
import { guard } from './guards.js';
import { exportRoutes } from './packet-export/export.js';
import { exportsRoutes } from './packet-export/exports.js';
import { packetsRoutes } from './packet-export/packets.js';
import { validatorCompiler } from './validation.js';

export interface AppOptions {
  service: ExportService;
  /** Host names that requests may use besides this machine's own, in lower case. */
  names: readonly string[];
  /** Fastify's logger options; false: none. */
  logger: NonNullable<FastifyServerOptions['logger']>;
  version: string;
}

export async function buildApp({ service, names, logger, version }: AppOptions): Promise<FastifyInstance> {
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
  addRoutes(app, service);
  return app;
}

function addRoutes(app: FastifyInstance, service: ExportService): void {
  const api = app.withTypeProvider<TypeBoxTypeProvider>();
  exportsRoutes(api, service);
  exportRoutes(api, service);
  packetsRoutes(api, service);
}
