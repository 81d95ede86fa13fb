/** Services alone, without a probe around them. */
import type { FastifyInstance } from 'fastify';
import type { Caller } from '../../src/access/caller.js';
import { buildApp } from '../../src/api/app.js';
import type { Service } from '../../src/api/link.js';

/** `caller`: who everybody is taken for. */
export async function serveAs(caller: () => Caller, services: Service[]): Promise<FastifyInstance> {
  const { app } = await buildApp({
    services,
    gate: { admit: async () => caller(), audit: { note: () => undefined } },
    own: { names: [], addresses: () => [] },
    tls: null,
    logger: false,
    version: '0',
  });
  return app;
}
