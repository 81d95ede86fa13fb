/** Reads request bodies: JSON in UTF-8, with exact integers. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { SpillwayError } from '../errors.js';
import { parseJson } from '../export/json.js';

/** Clients name the charset or leave it out; JSON has only one. */
const CHARSET = /;\s*charset\s*=\s*"?([^";\s]+)"?/i;

export function readBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, async (request: FastifyRequest, body: Buffer) => {
    const [, charset = 'utf-8'] = CHARSET.exec(request.headers['content-type'] ?? '') ?? [];
    if (!/^utf-?8$/i.test(charset)) throw new SpillwayError('MEDIA_TYPE_UNSUPPORTED', `the charset ${charset} is not served: JSON is UTF-8`);
    // Clients send the type with every request, also with those that have no body.
    if (body.length === 0) return undefined;
    return parseJson(decode(body));
  });
}

function decode(body: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(body);
  } catch {
    throw new SpillwayError('REQUEST_INVALID', 'the body is not JSON: it is not valid UTF-8');
  }
}
