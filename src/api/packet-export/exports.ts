/** `/exports`: the exports of the probe. */
import { refuseOtherMethods, type Api } from '../resource.js';
import { ErrorBody, Export, Exports } from '../../export/schema.js';
import type { ExportService } from '../../export/service.js';
import { ADMIN } from '../../state/data-folder.js';
import { BASE, TAGS, given } from './base.js';
import Type from 'typebox';

const Query = Type.Object({ path: Type.Optional(Type.String({ description: 'Only exports of this source' })) });

export function exportsRoutes(app: Api, service: ExportService): void {
  const url = `${BASE}/exports`;

  app.get(url, { schema: { tags: TAGS, summary: 'List exports', querystring: Query, response: { 200: Exports } } }, async (request) => ({
    items: await service.list(ADMIN, request.query.path),
  }));

  app.post(
    url,
    { schema: { tags: TAGS, summary: 'Create an export', body: Export, response: { 201: Export, '4xx': ErrorBody } } },
    async (request, reply) => {
      const made = await service.create(given(request.body), ADMIN);
      return reply.code(201).header('location', `${url}/items/${made.id}`).send(made);
    },
  );

  refuseOtherMethods(app, url, ['GET', 'HEAD', 'POST']);
}
