/** The OpenAPI page at `/docs`, made from the schemas that the routes check with; it loads nothing from elsewhere. */
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';
import type { Gate } from './routes.js';

const DOCS = '/docs';
const CONTENT_POLICY = "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'self'; frame-ancestors 'none'";

/** Before the routes are added. */
export async function documentApi(app: FastifyInstance, version: string, gate: Gate): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.0.3',
      info: { title: 'Spillway', description: 'Exports of packets', version },
    },
    hideUntagged: true,
    transform: ({ schema, url }) => ({ schema: withoutStars(schema), url: url.replace('*', ':id') }),
    transformObject: (document) => shown('openapiObject' in document ? document.openapiObject : document.swaggerObject) as object,
  });
  await app.register(async (page) => {
    page.addHook('onRequest', async (request) => void (await gate.admit(request, 'reader')));
    await page.register(swaggerUi, {
      routePrefix: DOCS,
      staticCSP: CONTENT_POLICY,
      uiConfig: { validatorUrl: null, supportedSubmitMethods: ['get', 'put', 'post', 'delete'] },
    });
  });
}

/** The parameter behind a wildcard has no name of its own; readers know it as `id`. */
function withoutStars<S>(schema: S): S {
  // Routes without any schema come by as well.
  const { params } = (schema ?? {}) as { params?: { properties?: Record<string, unknown>; required?: string[] } };
  const id = params?.properties?.['*'];
  return id === undefined ? schema : { ...schema, params: { ...params, required: ['id'], properties: { id } } };
}

/** A uint64 has no JSON Schema type of its own while it is checked, since it may be a `bigint`; it is shown as an integer. */
function shown(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shown);
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.fromEntries(Object.entries(value).map(([name, member]) => [name, shown(member)]));
  return members['format'] === 'uint64' ? { type: 'integer', ...members } : members;
}
