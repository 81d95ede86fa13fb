/**
 * Indexes of capture files that are not ours. An index is made the first time a file is asked a question, beside the
 * export that asks, and kept in the data folder; it holds for the file as it was: the same device, inode, size, times of
 * modification and change, and the same first and last 64 KiB.
 */
import { closeSync, openSync } from 'node:fs';
import { mkdir, open, readdir, rename, rm, stat, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { getSystemErrorName } from 'node:util';
import type { FileIndex, Indexes } from '../engine/indexes.js';
import { runIndexTask } from '../engine/pool.js';
import { CONTROL, CONTROL_BYTES } from '../engine/tasks.js';
import { probeIndex } from '../native.js';
import { fingerprint, type Fingerprint } from './file-fingerprint.js';

/** Indexes that are kept; the oldest go. One is about 1% to 4% of its file. */
const KEPT_INDEXES = 1000;

export interface FileIndexesOptions {
  /** Told of an index that could not be made. */
  report?: (error: Error) => void;
}

export class FileIndexes implements Indexes {
  readonly #folder: string;
  readonly #report: (error: Error) => void;
  /** By name: those being made. */
  readonly #making = new Map<string, Promise<void>>();
  readonly #control = new SharedArrayBuffer(CONTROL_BYTES);
  /** Indexes are made one after another. */
  #last: Promise<void> = Promise.resolve();

  /** `folder` is made when the first index is. */
  constructor(folder: string, { report = () => undefined }: FileIndexesOptions = {}) {
    this.#folder = folder;
    this.#report = report;
  }

  async of(fd: number): Promise<FileIndex | null> {
    try {
      const file = await fingerprint(fd);
      if (!file) return null;
      const index = this.#open(file);
      if (index === null) await this.#want(fd, file);
      return index;
    } catch (error) {
      this.#report(error as Error);
      return null;
    }
  }

  /** Resolves when every index that was asked for is made, or could not be. */
  async settled(): Promise<void> {
    while (this.#making.size > 0) await Promise.all(this.#making.values());
  }

  /** Gives up those being made. */
  async close(): Promise<void> {
    Atomics.store(new Int32Array(this.#control), CONTROL.cancel, 1);
    await this.settled();
  }

  #open({ id, name }: Fingerprint): FileIndex | null {
    let fd: number;
    try {
      fd = openSync(join(this.#folder, name), 'r');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
      throw error;
    }
    // Asked for nothing in particular, it tells whether it can be asked at all.
    if (typeof probeIndex(fd, id, null, new BigInt64Array(0)) === 'string') {
      closeSync(fd);
      return null;
    }
    return { fd, id, close: async () => closeSync(fd) };
  }

  async #want(fd: number, file: Fingerprint): Promise<void> {
    if (this.#making.has(file.name) || this.#closing()) return;
    // The same file, whatever its name is by now, and for as long as it takes.
    const handle = await open(`/proc/self/fd/${fd}`, 'r');
    if (this.#making.has(file.name) || this.#closing()) return handle.close();
    const made = this.#last.then(() => this.#make(handle, file)).catch((error: unknown) => this.#report(error as Error));
    this.#last = made;
    this.#making.set(
      file.name,
      made.finally(() => this.#making.delete(file.name)),
    );
  }

  #closing(): boolean {
    return Atomics.load(new Int32Array(this.#control), CONTROL.cancel) !== 0;
  }

  async #make(handle: FileHandle, { id, name, sizeBytes }: Fingerprint): Promise<void> {
    const target = join(this.#folder, name);
    const unfinished = `${target}.making`;
    try {
      if (this.#closing()) return;
      await mkdir(this.#folder, { recursive: true, mode: 0o700 });
      await this.#makeRoom();
      const errno = await runIndexTask({ control: this.#control, fd: handle.fd, sizeBytes, path: unfinished, id });
      if (errno > 0) throw new Error(`an index could not be made: ${getSystemErrorName(-errno)}`);
      // A file that changed meanwhile has another index than this.
      if (errno === 0 && (await fingerprint(handle.fd))?.id === id) await rename(unfinished, target);
    } finally {
      await handle.close();
      await rm(unfinished, { force: true });
    }
  }

  async #makeRoom(): Promise<void> {
    const all = await readdir(this.#folder);
    // What another run left unfinished; in this one, one index is made at a time.
    for (const name of all) if (!name.endsWith('.index')) await rm(join(this.#folder, name), { force: true });
    const names = all.filter((name) => name.endsWith('.index'));
    if (names.length < KEPT_INDEXES) return;
    const ages = await Promise.all(names.map(async (name) => ({ name, at: (await stat(join(this.#folder, name))).mtimeMs })));
    ages.sort((a, b) => a.at - b.at);
    for (const { name } of ages.slice(0, names.length - KEPT_INDEXES + 1)) await rm(join(this.#folder, name), { force: true });
  }
}
