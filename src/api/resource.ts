/** What the routes of an address share. */
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyInstance, HTTPMethods } from 'fastify';
import { SpillwayError } from '../errors.js';

/** The type of an app whose routes take their types from their schemas. */
export type Api = FastifyInstance<
  FastifyInstance['server'],
  Parameters<FastifyInstance['routing']>[0],
  Parameters<FastifyInstance['routing']>[1],
  FastifyInstance['log'],
  TypeBoxTypeProvider
>;

/** Answers every method that an address does not serve with 405 and the list of those it does. */
export function refuseOtherMethods(app: Api, url: string, served: readonly HTTPMethods[]): void {
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
