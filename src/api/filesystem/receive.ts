/** New files: what a client sends, or a copy. They appear whole or not at all, and never in the place of another. */
import type { IncomingMessage } from 'node:http';
import { LIMITS } from '../../config.js';
import { SpillwayError } from '../../errors.js';
import { FileSink } from '../../state/file-sink.js';
import { clientLeft } from '../../export/http-sink.js';
import { Turns } from '../../export/turns.js';
import type { OpenEntry } from '../../state/file-entry.js';
import { fileError, noSpace } from '../../state/file-errors.js';
import { idOf, type FilePath } from '../../state/file-path.js';
import type { FileSystem } from '../../state/filesystem.js';

/** Private to the user who runs the probe. */
const FILE_MODE = 0o600;

export class Receiver {
  readonly #turns = new Turns(LIMITS.uploads);

  constructor(private readonly files: FileSystem) {}

  /** Writes the body of a request; what can't be kept of it is let go by. */
  async upload(path: FilePath, request: IncomingMessage): Promise<void> {
    const declared = Number(request.headers['content-length'] ?? 0);
    if (declared > LIMITS.uploadBytes) throw tooLarge(path);
    await this.#write(path, declared, async (write) => {
      let received = 0;
      for await (const chunk of bodyOf(request)) {
        received += chunk.length;
        if (received > LIMITS.uploadBytes) throw tooLarge(path);
        await write(chunk);
      }
    });
  }

  /** `signal` gives up. */
  async copy({ stat, handle, path: from }: OpenEntry, path: FilePath, signal: AbortSignal): Promise<void> {
    const size = Number(stat.size);
    await this.#write(path, size, async (write) => {
      const buffer = Buffer.allocUnsafe(Math.min(LIMITS.fileStepBytes, size));
      for (let at = 0; at < size;) {
        signal.throwIfAborted();
        const { bytesRead } = await handle.read(buffer, 0, Math.min(buffer.length, size - at), at);
        if (bytesRead === 0) break;
        await write(buffer.subarray(0, bytesRead));
        at += bytesRead;
      }
      const now = await handle.stat({ bigint: true });
      if (now.size !== stat.size || now.mtimeNs !== stat.mtimeNs) {
        throw new SpillwayError('FILE_CHANGED', `${JSON.stringify(idOf(from))} changed while it was copied`);
      }
    });
  }

  async #write(path: FilePath, expectedBytes: number, work: (write: (bytes: Uint8Array) => Promise<void>) => Promise<void>): Promise<void> {
    if (!this.#turns.tryTake(EVERYBODY)) throw new SpillwayError('TOO_MANY_UPLOADS', `${LIMITS.uploads} files are being written already`);
    try {
      const place = await this.files.vacancy(path);
      try {
        if (expectedBytes > place.freeBytes) throw noSpace(path);
        const sink = await FileSink.open(place.path, { mode: FILE_MODE, replaces: false });
        try {
          await work((bytes) => sink.write(bytes));
          await sink.finish();
        } catch (error) {
          await sink.abort();
          throw error;
        }
      } catch (error) {
        throw asOfFile(error, path);
      } finally {
        await place.close();
      }
    } finally {
      this.#turns.give(EVERYBODY);
    }
  }
}

/** All share the turns. */
const EVERYBODY = '';

/** The body as it comes; fails when the client leaves, or sends nothing any more. */
export async function* bodyOf(request: IncomingMessage): AsyncGenerator<Uint8Array> {
  // Not destroyed where it is given up: the client is to read why.
  const chunks = request.iterator({ destroyOnReturn: false }) as AsyncIterableIterator<Uint8Array>;
  const given = async (): Promise<IteratorResult<Uint8Array>> => {
    const idle = setTimeout(() => request.destroy(), LIMITS.uploadIdleMs);
    try {
      return await chunks.next();
    } catch {
      throw clientLeft();
    } finally {
      clearTimeout(idle);
    }
  };
  try {
    for (let next = await given(); next.done !== true; next = await given()) yield next.value;
    if (!request.complete) throw clientLeft();
  } finally {
    await chunks.return?.();
  }
}

function tooLarge(path: FilePath): SpillwayError {
  return new SpillwayError('UPLOAD_TOO_LARGE', `${JSON.stringify(idOf(path))} is larger than ${LIMITS.uploadBytes} bytes`);
}

/** What an output file's sink says of the system, as errors of this file. */
function asOfFile(error: unknown, path: FilePath): SpillwayError {
  const errno = error instanceof SpillwayError && error.code === 'OUTPUT_FAILED' ? error.metrics['errno'] : undefined;
  return fileError(errno === undefined ? error : Object.assign(new Error(errno), { code: errno }), path);
}
