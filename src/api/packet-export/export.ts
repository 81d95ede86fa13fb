/** `/exports/items/{+id}`: one export. */
import { refuseOtherMethods, type Api } from '../resource.js';
import { ErrorBody, Export } from '../../export/schema.js';
import type { ExportService } from '../../export/service.js';
import { ADMIN } from '../../state/data-folder.js';
import { BASE, TAGS, Id, given } from './base.js';
import Type from 'typebox';

export function exportRoutes(app: Api, service: ExportService): void {
  const url = `${BASE}/exports/items/*`;
  const failures = { '4xx': ErrorBody };

  app.get(url, { schema: { tags: TAGS, summary: 'Watch an export', params: Id, response: { 200: Export, ...failures } } }, async (request) =>
    service.get(request.params['*'], ADMIN),
  );

  app.put(
    url,
    { schema: { tags: TAGS, summary: 'Change the mode', params: Id, body: Export, response: { 200: Export, ...failures } } },
    async (request) => service.replace(request.params['*'], ADMIN, given(request.body)),
  );

  app.delete(
    url,
    { schema: { tags: TAGS, summary: 'Remove an export', params: Id, response: { 204: Type.Null(), ...failures } } },
    async (request, reply) => {
      await service.remove(request.params['*'], ADMIN);
      return reply.code(204).send(null);
    },
  );

  refuseOtherMethods(app, url, ['GET', 'HEAD', 'PUT', 'DELETE']);
}
