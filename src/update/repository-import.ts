/**
 * What comes to a repository: a package, or the export of another repository, whose packages are taken in one after another as
 * they come. Each is whole and proven, or not there; one that is not ends it, and those before it stay.
 */
import { SpillwayError } from '../errors.js';
import { ByteReader } from './byte-reader.js';
import { UPDATE_LIMITS } from './limits.js';
import type { Imported, Repository } from './repository.js';
import { INDEX_NAME } from './repository-index.js';
import { readStoredEntry, ZIP_MAGIC } from './stored-zip.js';

/** Of a list of a few hundred packages. */
const TAIL_BYTES_MAX = 1 << 20;
const GZIP_MAGIC = [0x1f, 0x8b];

export async function importAll(repository: Repository, bytes: AsyncIterable<Uint8Array>, signal?: AbortSignal): Promise<Imported[]> {
  const reader = new ByteReader(bytes);
  try {
    const begin = await reader.peek(ZIP_MAGIC.length);
    if (GZIP_MAGIC.every((byte, i) => begin[i] === byte)) return [await repository.import(reader.pieces(Infinity), signal)];
    if (!ZIP_MAGIC.every((byte, i) => begin[i] === byte))
      throw new SpillwayError('PACKAGE_INVALID', 'it is neither an update package nor an export of a repository');
    return await importEntries(repository, reader, signal);
  } finally {
    await reader.close();
  }
}

async function importEntries(repository: Repository, reader: ByteReader, signal: AbortSignal | undefined): Promise<Imported[]> {
  const imported: Imported[] = [];
  // An index, and as many packages as a repository has.
  for (let i = 0; ; i++) {
    const entry = await readStoredEntry(reader);
    if (entry === null) break;
    if (i > UPDATE_LIMITS.packages) throw new SpillwayError('PACKAGE_INVALID', `the export holds more than ${UPDATE_LIMITS.packages} packages`);
    if (entry.bytes > UPDATE_LIMITS.packageBytes)
      throw new SpillwayError('UPLOAD_TOO_LARGE', `${entry.path} is larger than ${UPDATE_LIMITS.packageBytes} bytes`);
    const pieces = entry.read();
    if (entry.path !== INDEX_NAME) imported.push(await named(entry.path, repository.import(pieces, signal)));
    // Nothing of it is left before what comes next.
    for await (const piece of pieces) void piece;
  }
  // What stands behind the packages is a list of them, which nobody reads.
  for await (const piece of reader.pieces(TAIL_BYTES_MAX)) void piece;
  if ((await reader.peek(1)).length > 0) throw new SpillwayError('PACKAGE_INVALID', 'too much stands behind the packages of the export');
  return imported;
}

/** Which of them it was that failed. */
async function named(path: string, importing: Promise<Imported>): Promise<Imported> {
  try {
    return await importing;
  } catch (error) {
    if (!(error instanceof SpillwayError)) throw error;
    throw new SpillwayError(error.code, `${path}: ${error.message}`, error.metrics);
  }
}
