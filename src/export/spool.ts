/**
 * What exports in BUFFER_STREAM have ready: one file each, of the identity stream, in a folder with a bounded size. An
 * output that is larger than its room waits with the rest for its client, who then gets both, one behind the other, and once.
 */
import { mkdir, open, readdir, stat, unlink, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import type { Sink } from '../engine/types.js';
import { SpillwayError } from '../errors.js';

/** Bytes for all spools, and for one. */
export interface SpoolLimits {
  totalBytes: number;
  eachBytes: number;
}

/** A spool that is complete, as it is kept over a restart. */
export interface SpoolFacts {
  sizeBytes: number;
  /** Hex digits. */
  sha256: string;
}

/** Private: captures hold what people sent. */
const MODE = 0o600;
const PUMP_BYTES = 512 << 10;

export class SpoolRoom {
  #usedBytes = 0;

  private constructor(
    private readonly folder: string,
    private readonly limits: SpoolLimits,
  ) {}

  static async open(folder: string, limits: SpoolLimits): Promise<SpoolRoom> {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    return new SpoolRoom(folder, limits);
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  async create(id: string): Promise<Spool> {
    const path = join(this.folder, id);
    const file = await open(path, 'wx+', MODE).catch((error: unknown) => {
      throw failed(error);
    });
    return new Spool(this, path, file);
  }

  /** One of an earlier run; null where its file is not what it was. */
  async restore(id: string, facts: SpoolFacts): Promise<Spool | null> {
    const path = join(this.folder, id);
    const found = await stat(path).catch(() => null);
    if (found?.isFile() !== true || found.size !== facts.sizeBytes) return null;
    this.#usedBytes += facts.sizeBytes;
    return new Spool(this, path, null, facts);
  }

  /** Removes what belongs to no export. */
  async sweep(ids: ReadonlySet<string>): Promise<void> {
    for (const name of await readdir(this.folder)) if (!ids.has(name)) await unlink(join(this.folder, name)).catch(() => undefined);
  }

  /** Room for some bytes more of a spool that has `before`; false: there is none. */
  take(before: number, bytes: number): boolean {
    if (before + bytes > this.limits.eachBytes || this.#usedBytes + bytes > this.limits.totalBytes) return false;
    this.#usedBytes += bytes;
    return true;
  }

  give(bytes: number): void {
    this.#usedBytes -= bytes;
  }
}

export class Spool implements Sink {
  #sizeBytes = 0;
  #facts: SpoolFacts | null;
  #isFull = false;
  #removed: Promise<void> | null = null;
  #onFull: () => void = () => undefined;
  /** Who takes what does not fit. */
  #taker: Sink | null = null;
  #waiting: { resolve: (sink: Sink) => void; reject: (error: Error) => void } | null = null;

  /** `file` is the spool's own; null when it is complete. */
  constructor(
    private readonly room: SpoolRoom,
    private readonly path: string,
    private file: FileHandle | null,
    facts: SpoolFacts | null = null,
  ) {
    this.#facts = facts;
    this.#sizeBytes = facts?.sizeBytes ?? 0;
  }

  /** Null until the whole output is in it. */
  get facts(): SpoolFacts | null {
    return this.#facts;
  }

  /** Bytes of the output that it holds. */
  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** A part of the output has gone to a client, and is not here. */
  get isPassed(): boolean {
    return this.#taker !== null;
  }

  /** Calls `then` when there is no room for more, at most once. */
  onFull(then: () => void): void {
    this.#onFull = then;
  }

  async write(bytes: Uint8Array): Promise<void> {
    if (!this.#isFull && (await this.#keep(bytes))) return;
    const taker = this.#taker ?? (await this.#takerToCome());
    await taker.write(bytes);
  }

  async finish(): Promise<void> {
    if (this.#taker) return this.#taker.finish();
    await this.#close();
  }

  /** What was written is no use any more. Never rejects. */
  async abort(): Promise<void> {
    this.#waiting?.reject(new SpillwayError('CANCELLED', 'the output was given up'));
    this.#waiting = null;
    await this.#taker?.abort();
    await this.remove();
  }

  /** Everything is in it; only after `finish`, and where nothing was passed on. */
  complete(sha256: string): void {
    this.#facts = { sizeBytes: this.#sizeBytes, sha256 };
  }

  /** Hands over what is in it, then what comes. The sink is finished or aborted with the output. */
  async passTo(sink: Sink): Promise<void> {
    const handle = this.file;
    if (!handle) throw new SpillwayError('INTERNAL', 'a complete spool has nothing to pass on');
    for (let at = 0; at < this.#sizeBytes;) {
      const room = Buffer.allocUnsafe(Math.min(PUMP_BYTES, this.#sizeBytes - at));
      const { bytesRead } = await handle.read(room, 0, room.length, at);
      if (bytesRead === 0) throw new SpillwayError('OUTPUT_FAILED', 'the spool is shorter than what was written to it');
      await sink.write(room.subarray(0, bytesRead));
      at += bytesRead;
    }
    this.#taker = sink;
    this.#waiting?.resolve(sink);
    this.#waiting = null;
  }

  /** For reading; the caller closes it. */
  openFile(): Promise<FileHandle> {
    return open(this.path, 'r').catch((error: unknown) => {
      throw failed(error);
    });
  }

  /** Resolves when the file is gone. */
  remove(): Promise<void> {
    return (this.#removed ??= this.#remove());
  }

  async #remove(): Promise<void> {
    await this.#close();
    await unlink(this.path).catch(() => undefined);
    this.room.give(this.#sizeBytes);
  }

  /** False where there is no room for it. */
  async #keep(bytes: Uint8Array): Promise<boolean> {
    if (!this.room.take(this.#sizeBytes, bytes.length)) return this.#fill();
    try {
      for (let done = 0; done < bytes.length;) {
        const { bytesWritten } = await this.file!.write(bytes, done, bytes.length - done, this.#sizeBytes + done);
        done += bytesWritten;
      }
    } catch (error) {
      this.room.give(bytes.length);
      const { code } = error as NodeJS.ErrnoException;
      // A disk without room is as good as a spool without.
      if (code === 'ENOSPC' || code === 'EDQUOT') return this.#fill();
      throw failed(error);
    }
    this.#sizeBytes += bytes.length;
    return true;
  }

  #fill(): false {
    this.#isFull = true;
    this.#onFull();
    return false;
  }

  #takerToCome(): Promise<Sink> {
    if (this.#removed) return Promise.reject(new SpillwayError('CANCELLED', 'the output was given up'));
    return new Promise((resolve, reject) => (this.#waiting = { resolve, reject }));
  }

  async #close(): Promise<void> {
    const { file } = this;
    this.file = null;
    await file?.close().catch(() => undefined);
  }
}

function failed(error: unknown): SpillwayError {
  const { code, message } = error as NodeJS.ErrnoException;
  return new SpillwayError('OUTPUT_FAILED', `the spool can not be used: ${code ?? message}`, { errno: code ?? '' });
}
