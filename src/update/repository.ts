/**
 * The update packages that a probe keeps, for itself and for others. A package is there whole and proven, or not at all: its
 * file lies in one folder under a name that only its row knows, and a file without a row goes at the next start.
 */
import { createHash, type Hash, type KeyObject } from 'node:crypto';
import { mkdir, open, readdir, stat, unlink, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { OneByOne } from '../buffer/one-by-one.js';
import { isOfFullDisk, SpillwayError } from '../errors.js';
import { FileSink } from '../state/file-sink.js';
import type { StoredPackage, UpdatePackageTable } from '../state/updates.js';
import { newId } from '../task/artifacts.js';
import { UPDATE_LIMITS } from './limits.js';
import { readPackage, type Proven } from './package-reader.js';

export type { StoredPackage } from '../state/updates.js';

export interface RepositoryOptions {
  /** Made where it is missing. */
  folder: string;
  table: UpdatePackageTable;
  /** One of them has to have signed what comes; none: signatures are not looked at. */
  keys: () => readonly KeyObject[];
  limits?: { packageBytes: number; repositoryBytes: number; packages: number };
  /** Hears of failures that nobody waits for. */
  report?: (error: Error) => void;
}

export interface Imported {
  package: StoredPackage;
  /** It was not there before. */
  isNew: boolean;
}

/** Of a file that comes. */
interface Arriving {
  bytes: number;
  hash: Hash;
  crc32: number;
  /** All of it has come. */
  isWhole: boolean;
  /** Why it did not: the first reason. */
  failure: unknown;
  /** Nobody reads it any more; a piece may be on its way yet, for who reads asks ahead. */
  isOver: boolean;
}

/** Whose signature it has is looked at last. */
type Unsigned = Omit<StoredPackage, 'signer'>;

/** Only the probe's own user reads what is in them. */
const FILE_MODE = 0o600;
const PIECE_BYTES = 1 << 20;

export class Repository {
  readonly #kept = new Map<string, StoredPackage>();
  /** By id: how many need it. */
  readonly #pins = new Map<string, number>();
  readonly #changes = new OneByOne();
  readonly #limits;
  readonly #report;
  /** Of packages and of what comes. */
  #bytes = 0;
  #importing = 0;

  private constructor(private readonly options: RepositoryOptions) {
    this.#limits = options.limits ?? UPDATE_LIMITS;
    this.#report = options.report ?? (() => undefined);
  }

  static async open(options: RepositoryOptions): Promise<Repository> {
    await mkdir(options.folder, { recursive: true, mode: 0o700 });
    const repository = new Repository(options);
    await repository.#restore();
    return repository;
  }

  /** In the order in which they came. */
  list(): StoredPackage[] {
    return [...this.#kept.values()];
  }

  find(id: string): StoredPackage | null {
    return this.#kept.get(id) ?? null;
  }

  /** Throws PACKAGE_NOT_FOUND. */
  get(id: string): StoredPackage {
    const found = this.find(id);
    if (!found) throw new SpillwayError('PACKAGE_NOT_FOUND', `there is no update package ${JSON.stringify(id.slice(0, 100))}`);
    return found;
  }

  /** Until the result is called, the package stays what it is. Throws PACKAGE_NOT_FOUND. */
  pin(id: string): () => void {
    this.get(id);
    this.#pins.set(id, (this.#pins.get(id) ?? 0) + 1);
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      const left = this.#pins.get(id)! - 1;
      if (left === 0) this.#pins.delete(id);
      else this.#pins.set(id, left);
    };
  }

  /**
   * Takes in a package: whole, with what its manifest says, signed where keys are configured; for whatever machine. One that is
   * there is not kept twice; another file of the same release takes its place. Rejects with a PACKAGE_ code, TASK_QUOTA,
   * DISK_FULL, TOO_MANY_UPLOADS, or what `bytes` rejects with.
   */
  async import(bytes: AsyncIterable<Uint8Array>, signal?: AbortSignal): Promise<Imported> {
    if (this.#importing >= UPDATE_LIMITS.importsAtOnce)
      throw new SpillwayError('TOO_MANY_UPLOADS', `${UPDATE_LIMITS.importsAtOnce} update packages are being written already`);
    this.#importing++;
    const arriving: Arriving = { bytes: 0, hash: createHash('sha256'), crc32: 0, isWhole: false, failure: null, isOver: false };
    try {
      return await this.#import(bytes, arriving, signal);
    } catch (error) {
      throw asOfDisk(arriving.failure ?? error);
    } finally {
      this.#bytes -= arriving.bytes;
      this.#importing--;
    }
  }

  /** Throws PACKAGE_NOT_FOUND, or PACKAGE_IN_USE where it is pinned. Who reads it reads on. */
  remove(id: string): Promise<void> {
    return this.#changes.run(async () => {
      const known = this.get(id);
      this.#refusePinned(id);
      this.#kept.delete(id);
      this.#bytes -= known.bytes;
      await this.#forget(known);
    });
  }

  /** For reading; it stays readable when it is removed meanwhile. The caller closes it. */
  async read(id: string): Promise<FileHandle> {
    const { file } = this.get(id);
    return open(this.#path(file), 'r').catch((error: unknown) => {
      const why = (error as NodeJS.ErrnoException).code ?? 'unknown';
      throw new SpillwayError('PACKAGE_NOT_FOUND', `the file of the update package ${id} can not be opened (${why})`);
    });
  }

  /** Its file; throws FILE_CHANGED at the end where it is not what was imported. */
  async *bytes(id: string): AsyncGenerator<Uint8Array, void, undefined> {
    const { sha256 } = this.get(id);
    const file = await this.read(id);
    const hash = createHash('sha256');
    try {
      for (;;) {
        const piece = Buffer.allocUnsafe(PIECE_BYTES);
        const { bytesRead } = await file.read(piece, 0, PIECE_BYTES, null);
        if (bytesRead === 0) break;
        hash.update(piece.subarray(0, bytesRead));
        yield piece.subarray(0, bytesRead);
      }
    } finally {
      await file.close();
    }
    if (hash.digest('hex') !== sha256)
      throw new SpillwayError('FILE_CHANGED', `the file of the update package ${id} is not what was imported: delete it, and import it again`);
  }

  async #import(bytes: AsyncIterable<Uint8Array>, arriving: Arriving, signal: AbortSignal | undefined): Promise<Imported> {
    const file = newId();
    const sink = await FileSink.open(this.#path(file), { mode: FILE_MODE });
    try {
      const { manifest, signerAmong } = await readPackage(this.#written(bytes, arriving, sink, signal), { keys: this.options.keys() });
      if (!arriving.isWhole) throw new SpillwayError('PACKAGE_INVALID', 'something stands behind the end of the package');
      const { id, version, platform, architecture, node, createdMs } = manifest;
      const sha256 = arriving.hash.digest('hex');
      const facts = { id, version, platform, architecture, node, bytes: arriving.bytes, sha256, crc32: arriving.crc32 };
      const row: Unsigned = { ...facts, madeMs: createdMs, importedMs: Date.now(), file };
      return await this.#changes.run(() => this.#add(row, signerAmong, sink));
    } finally {
      arriving.isOver = true;
      // Where it was finished, this does nothing.
      await sink.abort();
    }
  }

  async *#written(
    bytes: AsyncIterable<Uint8Array>,
    arriving: Arriving,
    sink: FileSink,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    // Who reads may end it as if it had failed here.
    let isRead = false;
    try {
      for await (const piece of bytes) {
        if (arriving.isOver) return;
        signal?.throwIfAborted();
        this.#reserve(arriving.bytes, piece.length);
        arriving.bytes += piece.length;
        arriving.hash.update(piece);
        arriving.crc32 = crc32(piece, arriving.crc32);
        await sink.write(piece);
        isRead = true;
        yield piece;
        isRead = false;
      }
      arriving.isWhole = true;
    } catch (error) {
      if (!isRead && !arriving.isOver) arriving.failure ??= error;
      throw error;
    }
  }

  async #add(facts: Unsigned, signerAmong: Proven['signerAmong'], sink: FileSink): Promise<Imported> {
    const before = this.find(facts.id);
    if (before?.sha256 === facts.sha256) return { package: before, isNew: false };
    if (!before && this.#kept.size >= this.#limits.packages)
      throw new SpillwayError('TASK_QUOTA', `there are ${this.#kept.size} update packages: no more than ${this.#limits.packages} are kept`);
    await sink.finish();
    let row: StoredPackage;
    try {
      this.#refusePinned(facts.id);
      // By the keys that there are now, not by those of when it began to come.
      row = { ...facts, signer: signerAmong(this.options.keys()) };
      this.options.table.save(row);
    } catch (error) {
      await this.#unlink(facts.file);
      throw error;
    }
    this.#kept.delete(row.id);
    this.#kept.set(row.id, row);
    this.#bytes += row.bytes - (before?.bytes ?? 0);
    if (before) await this.#unlink(before.file);
    return { package: row, isNew: true };
  }

  #refusePinned(id: string): void {
    if (this.#pins.has(id)) throw new SpillwayError('PACKAGE_IN_USE', `an update or an export that has not ended needs the package ${id}`);
  }

  #reserve(before: number, more: number): void {
    const { packageBytes, repositoryBytes } = this.#limits;
    if (before + more > packageBytes) throw new SpillwayError('UPLOAD_TOO_LARGE', `the update package is larger than ${packageBytes} bytes`);
    if (this.#bytes + more > repositoryBytes)
      throw new SpillwayError('TASK_QUOTA', `all update packages together would be larger than ${repositoryBytes} bytes: delete some first`);
    this.#bytes += more;
  }

  async #restore(): Promise<void> {
    const rows = this.options.table.all();
    const known = new Set(rows.map(({ file }) => file));
    for (const name of await readdir(this.options.folder)) if (!known.has(name)) await unlink(this.#path(name));
    for (const row of rows) {
      const size = await stat(this.#path(row.file)).then(
        (found) => found.size,
        () => -1,
      );
      if (size === row.bytes) {
        this.#kept.set(row.id, row);
        this.#bytes += row.bytes;
        continue;
      }
      this.#report(new SpillwayError('FILE_CHANGED', `the file of the update package ${row.id} is not there any more, or cut: it is forgotten`));
      await this.#forget(row);
    }
  }

  /** The file first: on a full disk its space is what the row's removal needs. */
  async #forget({ id, file }: StoredPackage): Promise<void> {
    await this.#unlink(file);
    try {
      this.options.table.remove(id);
    } catch (error) {
      // A restart finds a row without its file, which goes then.
      this.#report(error as Error);
    }
  }

  async #unlink(file: string): Promise<void> {
    await unlink(this.#path(file)).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') this.#report(error as Error);
    });
  }

  #path(file: string): string {
    return join(this.options.folder, file);
  }
}

/** A full disk by its own code, whoever met it. */
function asOfDisk(error: unknown): unknown {
  return isOfFullDisk(error) ? new SpillwayError('DISK_FULL', 'there is no space for the update package') : error;
}
