/** `/fileop/download/{+id}`: the bytes of a file. */
import { createHash } from 'node:crypto';
import type { FastifyReply } from 'fastify';
import { identityOf } from '../../state/file-entry.js';
import { nameOf, type FilePath } from '../../state/file-path.js';
import type { FileSystem } from '../../state/filesystem.js';
import { sendFile } from '../send-file.js';

const NAME_MAX = 100;

export async function download(files: FileSystem, path: FilePath, reply: FastifyReply): Promise<void> {
  const { handle, stat } = await files.openEntry(path);
  const etag = createHash('sha256').update(identityOf(stat)).digest('base64url').slice(0, 27);
  await sendFile(reply, handle, { bytes: Number(stat.size), etag, type: 'application/octet-stream', filename: safeName(nameOf(path)) });
}

/** Only `A-Za-z0-9._-`, no quotes: clients cut the header at its `=`. The end of a long name stays, which tells the kind. */
export function safeName(name: string): string {
  const safe = name
    .replace(/[^A-Za-z0-9._-]+/g, '_')
    .slice(-NAME_MAX)
    .replace(/^[._-]+/, '');
  return safe === '' ? 'file' : safe;
}
