/** What an address does not serve. */
import type { FastifyInstance, HTTPMethods } from 'fastify';
import { SpillwayError } from '../errors.js';

/** Answers every method that an address does not serve with 405 and the list of those it does. */
export function refuseOtherMethods(app: FastifyInstance, url: string, served: readonly HTTPMethods[]): void {
  const allow = served.join(', ');
  app.route({
    method: app.supportedMethods.filter((method) => !served.includes(method)),
    url,
    // Before the body is looked at: it does not matter here.
    onRequest: async (request, reply) => {
      void reply.header('allow', allow);
      throw new SpillwayError('METHOD_NOT_ALLOWED', `${request.method} is not possible here: use ${allow}`);
    },
    handler: () => undefined,
  });
}
