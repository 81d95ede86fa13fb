/** Checksums of files: made beside everything else, a few at once, and remembered as long as the file is the same. */
import { createHash } from 'node:crypto';
import { LIMITS } from '../../config.js';
import { SpillwayError, coded } from '../../errors.js';
import { Turns } from '../../export/turns.js';
import { identityOf, type OpenEntry } from '../../state/file-entry.js';
import { idOf, type FilePath } from '../../state/file-path.js';
import type { FileSystem } from '../../state/filesystem.js';

interface Sum {
  readonly identity: string;
  readonly sizeBytes: number;
  readonly stop: AbortController;
  hashedBytes: number;
  /** Once it is made. */
  sha256: string | null;
  /** Why it can't be. */
  error: SpillwayError | null;
}

export class Checksums {
  /** By who asked and of what, oldest first. */
  readonly #sums = new Map<string, Sum>();
  readonly #turns = new Turns(LIMITS.runningChecksums);
  readonly #running = new Set<Promise<void>>();

  constructor(private readonly files: FileSystem) {}

  /** Begins one, unless it is there; resolves to how far it is, in percent. */
  async start(asker: string, path: FilePath): Promise<number> {
    const file = await this.files.openEntry(path);
    try {
      const key = keyOf(asker, path);
      const there = this.#sums.get(key);
      if (there?.identity === identityOf(file.stat) && there.error === null) return progressOf(there);
      this.#forget(key);
      if (this.#running.size >= LIMITS.activeChecksums) {
        throw new SpillwayError('TOO_MANY_CHECKSUMS', `${LIMITS.activeChecksums} checksums are waiting to be made`);
      }
      const sum: Sum = {
        identity: identityOf(file.stat),
        sizeBytes: Number(file.stat.size),
        stop: new AbortController(),
        hashedBytes: 0,
        sha256: null,
        error: null,
      };
      this.#sums.set(key, sum);
      if (this.#sums.size > LIMITS.keptChecksums) this.#forget(this.#sums.keys().next().value!);
    } catch (error) {
      await file.handle.close();
      throw error;
    }
    const sum = this.#sums.get(keyOf(asker, path))!;
    const running = this.#make(sum, file).finally(() => this.#running.delete(running));
    this.#running.add(running);
    return progressOf(sum);
  }

  /** In percent. */
  async progress(asker: string, path: FilePath): Promise<number> {
    return progressOf(await this.#find(asker, path));
  }

  async sha256(asker: string, path: FilePath): Promise<string> {
    const sum = await this.#find(asker, path);
    if (sum.sha256 !== null) return sum.sha256;
    throw new SpillwayError('CHECKSUM_RUNNING', `the checksum of ${JSON.stringify(idOf(path))} is not made yet: ${progressOf(sum)}%`);
  }

  /** Ends and forgets one. */
  async remove(asker: string, path: FilePath): Promise<void> {
    if (!this.#forget(keyOf(asker, path))) throw notFound(path);
  }

  /** Ends those being made. */
  async close(): Promise<void> {
    for (const { stop } of this.#sums.values()) stop.abort();
    await Promise.all(this.#running);
  }

  /** Of the file as it is now. */
  async #find(asker: string, path: FilePath): Promise<Sum> {
    const key = keyOf(asker, path);
    const sum = this.#sums.get(key);
    const { stat } = await this.files.lookAt(path);
    if (sum === undefined) throw notFound(path);
    if (sum.identity !== identityOf(stat)) {
      if (this.#sums.get(key) === sum) this.#forget(key);
      throw notFound(path);
    }
    if (sum.error !== null) throw sum.error;
    return sum;
  }

  #forget(key: string): boolean {
    this.#sums.get(key)?.stop.abort();
    return this.#sums.delete(key);
  }

  /** Closes the file. */
  async #make(sum: Sum, file: OpenEntry): Promise<void> {
    const { signal } = sum.stop;
    let isTurn = false;
    try {
      await this.#turns.take(EVERYBODY, signal);
      isTurn = true;
      sum.sha256 = await hash(file, signal, (bytes) => (sum.hashedBytes += bytes));
    } catch (error) {
      sum.error = coded(error);
    } finally {
      if (isTurn) this.#turns.give(EVERYBODY);
      await file.handle.close();
    }
  }
}

/** All share the turns. */
const EVERYBODY = '';

async function hash({ handle, stat, path }: OpenEntry, signal: AbortSignal, hashed: (bytes: number) => void): Promise<string> {
  const sha256 = createHash('sha256');
  const buffer = Buffer.allocUnsafe(LIMITS.fileStepBytes);
  for (;;) {
    signal.throwIfAborted();
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, null);
    if (bytesRead === 0) break;
    sha256.update(buffer.subarray(0, bytesRead));
    hashed(bytesRead);
  }
  if (identityOf(await handle.stat({ bigint: true })) !== identityOf(stat)) {
    throw new SpillwayError('FILE_CHANGED', `${JSON.stringify(idOf(path))} changed while its checksum was made`);
  }
  return sha256.digest('hex');
}

const keyOf = (asker: string, path: FilePath): string => [asker, ...path].join('/');

/** 100 only when it is made. */
function progressOf({ sizeBytes, hashedBytes, sha256 }: Sum): number {
  return sha256 !== null ? 100 : sizeBytes === 0 ? 0 : Math.min(99, Math.floor((hashedBytes / sizeBytes) * 100));
}

function notFound(path: FilePath): SpillwayError {
  return new SpillwayError('CHECKSUM_NOT_FOUND', `there is no checksum of ${JSON.stringify(idOf(path))}, or the file has changed since`);
}
