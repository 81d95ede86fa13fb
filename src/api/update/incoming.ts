/** The bytes of what is to be imported: the body of the request, or a file of the probe's file system that the body names. */
import type { FastifyRequest } from 'fastify';
import type { Caller } from '../../access/caller.js';
import { SpillwayError } from '../../errors.js';
import { parseJson } from '../../export/json.js';
import type { FileSystem } from '../../state/filesystem.js';
import { UPDATE_LIMITS } from '../../update/limits.js';
import { readableFile } from '../filesystem/access.js';
import { bodyOf } from '../filesystem/receive.js';

/** Of a body that names a file. */
const NAMING_BYTES_MAX = 16 << 10;
const FS = 'fs/';

/** Resolves to what to read; rejects with what is wrong with the request. */
export async function incoming(request: FastifyRequest, caller: Caller, files: FileSystem): Promise<AsyncIterable<Uint8Array>> {
  if (isJson(request)) return fileAt(await named(request), caller, files);
  if (Number(request.headers['content-length'] ?? 0) > UPDATE_LIMITS.exportBytes)
    throw new SpillwayError('UPLOAD_TOO_LARGE', `what is sent is larger than ${UPDATE_LIMITS.exportBytes} bytes`);
  return bodyOf(request.raw);
}

function isJson({ headers }: FastifyRequest): boolean {
  return headers['content-type']?.split(';', 1)[0]!.trim().toLowerCase() === 'application/json';
}

/** `{"path": "fs/<owner>/<file>"}` */
async function named(request: FastifyRequest): Promise<string> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of bodyOf(request.raw)) {
    length += piece.length;
    if (length > NAMING_BYTES_MAX) throw new SpillwayError('BODY_TOO_LARGE', `a JSON body is larger than ${NAMING_BYTES_MAX} bytes`);
    pieces.push(piece);
  }
  const body = parseJson(Buffer.concat(pieces).toString());
  const { path, ...more } = (typeof body === 'object' && body !== null ? body : {}) as Record<string, unknown>;
  const [stray] = Object.keys(more);
  if (stray !== undefined) throw new SpillwayError('REQUEST_INVALID', `${stray.slice(0, 100)}: no property of this name is known`);
  if (typeof path !== 'string' || !path.startsWith(FS))
    throw new SpillwayError('REQUEST_INVALID', 'path must be that of a file of the probe: fs/<owner>/<file>');
  return path.slice(FS.length);
}

async function* fileAt(id: string, caller: Caller, files: FileSystem): AsyncGenerator<Uint8Array, void, undefined> {
  const { handle } = await files.openEntry(await readableFile(files, caller, id));
  // Closes it at the end, and where the reader gives up.
  for await (const piece of handle.createReadStream()) yield piece as Uint8Array;
}
