/** npm.packet_export 1.3: its resources and links. */
import Type from 'typebox';
import { link, type Service } from '../link.js';
import type { Given } from '../../export/handle.js';
import { Export, Exports, Filters, MetricsList, TimeInterval } from '../../export/schema.js';
import type { ExportService } from '../../export/service.js';
import { packetsLink } from './packets.js';

const ITEM = '/exports/items/{+id}';
const Query = Type.Object({ path: Type.Optional(Type.String({ description: 'Only exports of this source' })) });

export function packetExport(exports: ExportService): Service {
  return {
    name: 'npm.packet_export',
    version: '1.3',
    title: 'Packet Export',
    resources: {
      exports: {
        schema: Exports,
        about: 'Collection of exports on the device.',
        self: '/exports',
        links: {
          get: link({
            method: 'GET',
            right: 'reader',
            about: 'List exports',
            query: Query,
            status: 200,
            answer: Exports,
            handle: async ({ caller, query }) => ({ items: await exports.list(caller, query.path) }),
          }),
          create: link({
            method: 'POST',
            right: 'reader',
            about: 'Create an export',
            body: Export,
            status: 201,
            isAudited: false,
            answer: Export,
            handle: async ({ caller, body, request, reply }) => {
              const made = await exports.create(given(body), caller);
              void reply.header('location', `${request.routeOptions.url}/items/${made.id}`);
              return made;
            },
          }),
        },
      },
      export: {
        schema: Export,
        about: 'Configuration, status and statistics of an export.',
        self: ITEM,
        links: {
          get: link({
            method: 'GET',
            right: 'reader',
            about: 'Watch an export',
            status: 200,
            answer: Export,
            handle: ({ caller, param }) => exports.get(param('id'), caller),
          }),
          set: link({
            method: 'PUT',
            right: 'reader',
            about: 'Change the mode',
            body: Export,
            status: 200,
            answer: Export,
            handle: ({ caller, param, body }) => exports.replace(param('id'), caller, given(body)),
          }),
          delete: link({
            method: 'DELETE',
            right: 'reader',
            about: 'Remove an export',
            status: 204,
            isAudited: false,
            answer: null,
            handle: ({ caller, param }) => exports.remove(param('id'), caller),
          }),
          packets: packetsLink(exports),
        },
      },
    },
    types: { filters_list: Filters, time_interval_t: TimeInterval, async_error_metrics_list: MetricsList },
  };
}

/** What counts of an export that a client sends: members that only the probe writes are ignored. */
function given({ config, id: _id, status: _status, receipt: _receipt, ...additions }: Export): Given {
  return { config, additions };
}
