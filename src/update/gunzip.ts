/** What a gzip file holds, as it comes. */
import { pipeline, Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { SpillwayError } from '../errors.js';

const PIECE_BYTES = 64 << 10;

const invalid = (why: string): SpillwayError => new SpillwayError('PACKAGE_INVALID', why);

/** Rejects with PACKAGE_INVALID where it is none, is damaged, cut, or larger than `maxBytes`; with what `bytes` rejects with as it is. */
export async function* gunzipped(bytes: AsyncIterable<Uint8Array>, maxBytes: number): AsyncGenerator<Uint8Array, void, undefined> {
  const gunzip = createGunzip({ chunkSize: PIECE_BYTES });
  const source = { bytes: 0, isRead: false, failure: null as Error | null };
  async function* noted(): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      yield* bytes;
      source.isRead = true;
    } catch (error) {
      source.failure = error as Error;
      throw error;
    }
  }
  // Into this one the decoder's own failure is thrown; the one above ends without a word then.
  async function* counted(): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const piece of noted()) {
      source.bytes += piece.length;
      if (source.bytes > maxBytes) throw invalid(`it is larger than a package may be (${maxBytes} bytes)`);
      yield piece;
    }
  }
  // What fails there comes out of `gunzip`.
  pipeline(Readable.from(counted(), { objectMode: false }), gunzip, () => undefined);
  try {
    yield* gunzip as AsyncIterable<Uint8Array>;
  } catch (error) {
    if (source.failure !== null) throw source.failure;
    throw error instanceof SpillwayError ? error : invalid(`the package is damaged, or none: ${(error as Error).message}`);
  } finally {
    gunzip.destroy();
  }
  // Its decoder takes no notice of what follows.
  if (!source.isRead || gunzip.bytesWritten !== source.bytes) throw invalid('bytes follow the end of the package');
}
