/** tar (ustar) inside gzip. */
import { once } from 'node:events';
import { createGzip } from 'node:zlib';
import type { Sink } from '../engine/types.js';
import { SpillwayError } from '../errors.js';
import { FILE_BYTES_MAX, type Archive } from './archive.js';

/** Only its owner reads what is unpacked. */
const MODE = 0o600;

/** The sink is neither finished nor aborted here. */
export async function tarArchive(sink: Sink, modified: Date): Promise<Archive> {
  const { createTarPacker } = await import('modern-tar');
  const { readable, controller } = createTarPacker();
  const gzip = createGzip();
  const written = (async () => {
    for await (const bytes of gzip as AsyncIterable<Uint8Array>) await sink.write(bytes);
  })();
  const packed = (async () => {
    for await (const bytes of readable) if (!gzip.write(bytes)) await Promise.race([once(gzip, 'drain'), written]);
    gzip.end();
  })();
  // What fails there is told by the next `add`, or by `finish`.
  let hasFailed = false;
  const ended = Promise.all([packed, written]);
  ended.catch(() => {
    hasFailed = true;
    gzip.destroy();
  });
  return {
    add: async (path, bytes) => {
      const body = await gathered(path, bytes);
      if (hasFailed) await ended;
      const writer = controller.add({ name: path, size: body.length, mode: MODE, mtime: modified, type: 'file' }).getWriter();
      await Promise.race([writer.write(body).then(() => writer.close()), ended]);
    },
    finish: async () => {
      controller.finalize();
      await ended;
    },
  };
}

async function gathered(path: string, bytes: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of bytes) {
    length += part.length;
    if (length > FILE_BYTES_MAX) throw new SpillwayError('INTERNAL', `${path} is larger than a file of a package may be`);
    parts.push(part);
  }
  return Buffer.concat(parts, length);
}
