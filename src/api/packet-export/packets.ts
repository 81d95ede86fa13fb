/** `/packets/items/{+id}`: the packets of an export, as a byte stream. */
import Type from 'typebox';
import type { OutgoingHttpHeaders } from 'node:http';
import type { Sink } from '../../engine/types.js';
import type { ExportService } from '../../export/service.js';
import { GzipSink } from '../../export/gzip-sink.js';
import { HttpSink, clientLeft } from '../../export/http-sink.js';
import { ZstdSink } from '../../export/zstd-sink.js';
import { link, type Link } from '../link.js';
import { chooseCoding, type Coding } from './coding.js';
import { downloadName } from './file-name.js';
import { sendAll, sendIdentity } from './spooled.js';

const Query = Type.Object({ compress: Type.Optional(Type.String({ description: 'zstd, gzip or identity' })) });
const Packets = { description: 'The packets', content: { 'application/octet-stream': { schema: { type: 'string', format: 'binary' } } } };

export function packetsLink(exports: ExportService): Link {
  return link({
    method: 'GET',
    path: '/packets/items/{+id}',
    right: 'reader',
    about: 'Fetch the packets',
    query: Query,
    isQueryOwn: true,
    status: 200,
    answer: null,
    response: { 200: Packets },
    noHead: true,
    handle: async ({ caller, param, query, request, reply }) => {
      const coding = chooseCoding(query.compress, request.headers['accept-encoding']);
      const left = new AbortController();
      reply.raw.once('close', () => {
        if (!reply.raw.writableFinished) left.abort(clientLeft());
      });
      let sink: HttpSink | undefined;
      const stream = (name: string): Sink => {
        sink = new HttpSink(reply.raw, { ...headersOf(name, coding), 'accept-ranges': 'none' }, { onBegin: () => void reply.hijack() });
        return encode(sink, coding);
      };
      try {
        await exports.fetch(param('id'), caller, {
          signal: left.signal,
          open: ({ id, source, format }) => stream(downloadName(source, id, format)),
          send: ({ id, source, format }, spooled, signal) => {
            const name = downloadName(source, id, format);
            return coding === 'identity' ? sendIdentity(reply, spooled, headersOf(name, coding), signal) : sendAll(spooled, stream(name), signal);
          },
        });
      } catch (error) {
        // Nobody is left to be told, or the broken connection tells it.
        if (!left.signal.aborted && sink?.begun !== true) throw error;
        if (sink?.begun !== true) reply.hijack();
      }
      return reply;
    },
  });
}

function headersOf(fileName: string, coding: Coding): OutgoingHttpHeaders {
  return {
    'content-type': 'application/octet-stream',
    'content-disposition': `attachment; filename=${fileName}`,
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
