/** A package as tar.gz. */
import type { Sink } from '../engine/types.js';
import { SpillwayError } from '../errors.js';
import { FILE_BYTES_MAX, type Archive } from './archive.js';
import { tarStream } from './tar-stream.js';

/** Only its owner reads what is unpacked. */
const MODE = 0o600;

/** The sink is neither finished nor aborted here. */
export async function tarArchive(sink: Sink, modified: Date): Promise<Archive> {
  const tar = await tarStream(sink, modified);
  return {
    add: async (path, bytes) => {
      const parts = await gathered(path, bytes);
      const size = parts.reduce((sum, { length }) => sum + length, 0);
      await tar.add({ path, size, mode: MODE }, each(parts));
    },
    finish: () => tar.finish(),
  };
}

/** tar says a file's size before its bytes. */
async function gathered(path: string, bytes: AsyncIterable<Uint8Array>): Promise<Uint8Array[]> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of bytes) {
    length += part.length;
    if (length > FILE_BYTES_MAX) throw new SpillwayError('INTERNAL', `${path} is larger than a file of a package may be`);
    parts.push(part);
  }
  return parts;
}

async function* each(parts: readonly Uint8Array[]): AsyncGenerator<Uint8Array, void, undefined> {
  yield* parts;
}
