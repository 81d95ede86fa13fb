/** `/packets/items/{+id}`: the packets of an export, as a byte stream. */
import Type from 'typebox';
import type { OutgoingHttpHeaders } from 'node:http';
import type { Sink } from '../../engine/types.js';
import { ErrorBody } from '../../export/schema.js';
import type { ExportService } from '../../export/service.js';
import { GzipSink } from '../../export/gzip-sink.js';
import { HttpSink, clientLeft } from '../../export/http-sink.js';
import { ZstdSink } from '../../export/zstd-sink.js';
import { ADMIN } from '../../state/data-folder.js';
import { refuseOtherMethods, type Api } from '../resource.js';
import { BASE, TAGS, Id } from './base.js';
import { chooseCoding, type Coding } from './coding.js';
import { downloadName } from './file-name.js';

const Query = Type.Object({ compress: Type.Optional(Type.String({ description: 'zstd, gzip or identity' })) });
const Packets = Type.String({ format: 'binary', description: 'The capture' });

export function packetsRoutes(app: Api, service: ExportService): void {
  const url = `${BASE}/packets/items/*`;
  const response = { 200: { description: 'The packets', content: { 'application/octet-stream': { schema: Packets } } }, '4xx': ErrorBody };

  app.get(
    url,
    { exposeHeadRoute: false, schema: { tags: TAGS, summary: 'Fetch the packets', params: Id, querystring: Query, response } },
    async (request, reply) => {
      const coding = chooseCoding(request.query.compress, request.headers['accept-encoding']);
      const left = new AbortController();
      reply.raw.once('close', () => {
        if (!reply.raw.writableFinished) left.abort(clientLeft());
      });
      let sink: HttpSink | undefined;
      const open = (id: string, source: string, format: Parameters<typeof downloadName>[2]): Sink => {
        const headers = headersOf(downloadName(source, id, format), coding);
        sink = new HttpSink(reply.raw, headers, () => void reply.hijack());
        return encode(sink, coding);
      };
      try {
        await service.fetch(request.params['*'], ADMIN, { signal: left.signal, open });
      } catch (error) {
        // Nobody is left to be told, or the broken connection tells it.
        if (!left.signal.aborted && sink?.begun !== true) throw error;
        if (sink?.begun !== true) reply.hijack();
      }
      return reply;
    },
  );

  refuseOtherMethods(app, url, ['GET']);
}

function headersOf(fileName: string, coding: Coding): OutgoingHttpHeaders {
  return {
    'content-type': 'application/octet-stream',
    'content-disposition': `attachment; filename=${fileName}`,
    'accept-ranges': 'none',
    'cache-control': 'no-store',
    vary: 'Accept-Encoding',
    ...(coding !== 'identity' && { 'content-encoding': coding }),
  };
}

function encode(sink: Sink, coding: Coding): Sink {
  if (coding === 'gzip') return new GzipSink(sink);
  if (coding === 'zstd') return new ZstdSink(sink);
  return sink;
}
