/**
 * A file that appears whole or not at all: written under another name in the same folder, synchronised, then renamed.
 * Whatever fails, nothing is left.
 */
import { constants } from 'node:fs';
import { link, open, rename, unlink, type FileHandle } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Sink } from '../engine/types.js';
import { isOfFullDisk, SpillwayError } from '../errors.js';
import { partName } from './part-files.js';
import { syncFolder } from './sync-folder.js';

const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;

export interface FileSinkOptions {
  /** Survive a power loss: synchronise the file and its folder. Default: true. */
  fsync?: boolean;
  /** Permissions of the file before the umask. Default: 0o666. */
  mode?: number;
  /** Whether the file may take the place of another of its name. Default: true; else `finish` fails with EEXIST. */
  replaces?: boolean;
}

export class FileSink implements Sink {
  private constructor(
    private readonly path: string,
    private readonly part: string,
    private readonly file: FileHandle,
    private readonly fsync: boolean,
    private readonly replaces: boolean,
  ) {}

  /** Starts a file at `path` (absolute; what is there now stays until the new one is whole). */
  static async open(path: string, options: FileSinkOptions = {}): Promise<FileSink> {
    const part = join(dirname(path), partName());
    const file = await open(part, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, options.mode ?? 0o666).catch((error: unknown) => {
      throw failed(path, error);
    });
    return new FileSink(path, part, file, options.fsync ?? true, options.replaces ?? true);
  }

  async write(bytes: Uint8Array): Promise<void> {
    try {
      for (let done = 0; done < bytes.length;) {
        const { bytesWritten } = await this.file.write(bytes, done, bytes.length - done);
        done += bytesWritten;
      }
    } catch (error) {
      throw failed(this.path, error);
    }
  }

  async finish(): Promise<void> {
    try {
      if (this.fsync) await this.file.sync();
      await this.file.close();
      await this.#appear();
      if (this.fsync) await syncFolder(dirname(this.path));
    } catch (error) {
      await this.abort();
      throw failed(this.path, error);
    }
  }

  /** A link, unlike `rename`, never takes the place of another file. */
  async #appear(): Promise<void> {
    if (this.replaces) return rename(this.part, this.path);
    await link(this.part, this.path);
    await unlink(this.part);
  }

  async abort(): Promise<void> {
    // Closed before, or renamed before: both leave nothing to do.
    await this.file.close().catch(() => undefined);
    await unlink(this.part).catch(() => undefined);
  }
}

function failed(path: string, error: unknown): SpillwayError {
  const { code, message } = error as NodeJS.ErrnoException;
  const why = isOfFullDisk(error) ? 'there is no space left' : (code ?? message);
  return new SpillwayError('OUTPUT_FAILED', `writing the output file ${basename(path)} failed: ${why}`, { errno: code ?? '' });
}
