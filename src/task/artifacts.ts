/**
 * Files that tasks make: whole or invisible, within a quota, and gone when their time is over. They lie in one folder of the
 * data folder under their ids; a file without its row is one that was not finished, and goes at the next start.
 */
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, open, readdir, stat, unlink, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { SpillwayError } from '../errors.js';
import { FileSink } from '../state/file-sink.js';
import type { ArtifactTable, StoredArtifact } from '../state/tasks.js';
import { Expiry, type Clocks } from './expiry.js';
import { TASK_LIMITS } from './limits.js';
import type { ArtifactSink } from './task.js';

export interface Artifact extends Omit<StoredArtifact, 'about'> {
  about: Readonly<Record<string, string>>;
}

export interface Making {
  /** Id of the task. */
  task: string;
  name: string;
  about: Record<string, string>;
  keptMs: number;
  /** Default: the limit of every artifact. */
  maxBytes?: number | undefined;
}

export interface ArtifactsOptions {
  /** Made where it is missing. */
  folder: string;
  table: ArtifactTable;
  limits?: { artifactsBytes: number; artifactBytes: number; artifacts: number };
  /** Hears of failures that nobody waits for. */
  report?: (error: Error) => void;
  clocks?: Clocks;
}

/** Only the probe's own user reads what is in them. */
const FILE_MODE = 0o600;

export class Artifacts {
  readonly #kept = new Map<string, Artifact>();
  readonly #expiry: Expiry;
  readonly #limits;
  readonly #report;
  /** Of finished files and of those that are written. */
  #bytes = 0;
  #making = 0;

  private constructor(
    private readonly folder: string,
    private readonly table: ArtifactTable,
    { limits = TASK_LIMITS, report = () => undefined, clocks }: ArtifactsOptions,
  ) {
    this.#limits = limits;
    this.#report = report;
    this.#expiry = new Expiry(table, (id) => void this.remove(id), report, clocks);
  }

  static async open(options: ArtifactsOptions): Promise<Artifacts> {
    const { folder, table } = options;
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const artifacts = new Artifacts(folder, table, options);
    await artifacts.#restore();
    return artifacts;
  }

  /** Oldest first. */
  list(): Artifact[] {
    return [...this.#kept.values()];
  }

  find(id: string): Artifact | null {
    return this.#kept.get(id) ?? null;
  }

  /** What all of them together may still grow by. */
  get freeBytes(): number {
    return this.#limits.artifactsBytes - this.#bytes;
  }

  /** When it is let go of, by the clock on the wall. */
  expiresMs(id: string): number | null {
    return this.#expiry.whenMs(id);
  }

  /** For reading; it stays readable when it is removed meanwhile. The caller closes it. */
  async read(id: string): Promise<FileHandle> {
    return open(this.#path(id), 'r').catch((error: unknown) => {
      throw new SpillwayError(
        'ARTIFACT_NOT_FOUND',
        `the package ${id} is not there any more (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`,
      );
    });
  }

  /** Begins a file. Nobody sees it before `finish`. Rejects with TASK_QUOTA, also from `write`. */
  async make({ task, name, about, keptMs, maxBytes = this.#limits.artifactBytes }: Making): Promise<ArtifactSink> {
    if (this.#kept.size + this.#making >= this.#limits.artifacts)
      throw new SpillwayError('TASK_QUOTA', `there are ${this.#kept.size} packages: no more than ${this.#limits.artifacts} are kept`);
    const id = newId();
    this.#making++;
    const file = await FileSink.open(this.#path(id), { mode: FILE_MODE }).catch((error: unknown) => {
      this.#making--;
      throw error;
    });
    const hash = createHash('sha256');
    let bytes = 0;
    let isOver = false;
    const over = (keeps: boolean): void => {
      if (isOver) return;
      isOver = true;
      this.#making--;
      if (!keeps) this.#bytes -= bytes;
    };
    return {
      id,
      write: async (piece) => {
        this.#reserve(bytes, piece.length, maxBytes);
        bytes += piece.length;
        hash.update(piece);
        await file.write(piece);
      },
      finish: async () => {
        try {
          await file.finish();
          this.#add({ id, task, name, bytes, sha256: hash.digest('hex'), createdMs: Date.now(), about }, keptMs);
        } catch (error) {
          await unlink(this.#path(id)).catch(() => undefined);
          over(false);
          throw error;
        }
        over(true);
      },
      abort: async () => {
        over(false);
        await file.abort();
      },
    };
  }

  /** Resolves when the file is gone. Who reads it reads on. */
  async remove(id: string): Promise<void> {
    const known = this.#kept.get(id);
    if (!known) return;
    this.#forget(known);
    await unlink(this.#path(id)).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') this.#report(error as Error);
    });
  }

  /** Lets go of what is over; a timer does it else. */
  look(): void {
    this.#expiry.look();
  }

  close(): void {
    this.#expiry.close();
  }

  #add(artifact: Artifact, keptMs: number): void {
    this.table.add({ ...artifact, about: JSON.stringify(artifact.about) }, keptMs);
    this.#kept.set(artifact.id, artifact);
    this.#expiry.start(artifact.id, keptMs);
  }

  #forget({ id, bytes }: Artifact): void {
    this.#expiry.stop(id);
    this.#kept.delete(id);
    this.#bytes -= bytes;
    try {
      this.table.remove(id);
    } catch (error) {
      // A restart finds a row without its file, which goes then.
      this.#report(error as Error);
    }
  }

  #reserve(before: number, more: number, maxBytes: number): void {
    const { artifactsBytes } = this.#limits;
    if (before + more > maxBytes) throw new SpillwayError('TASK_QUOTA', `the package would be larger than ${maxBytes} bytes`);
    if (this.#bytes + more > artifactsBytes)
      throw new SpillwayError('TASK_QUOTA', `all packages together would be larger than ${artifactsBytes} bytes: delete some first`);
    this.#bytes += more;
  }

  async #restore(): Promise<void> {
    const rows = this.table.all();
    const known = new Set(rows.map(({ id }) => id));
    for (const name of await readdir(this.folder)) if (!known.has(name)) await unlink(join(this.folder, name));
    for (const { about, expiresMs, leftMs, ...row } of rows) {
      const size = await stat(this.#path(row.id)).then(
        (found) => found.size,
        () => -1,
      );
      this.#kept.set(row.id, { ...row, about: JSON.parse(about) as Record<string, string> });
      this.#bytes += row.bytes;
      if (size === row.bytes) this.#expiry.restore(row.id, expiresMs, leftMs);
      else await this.remove(row.id);
    }
  }

  #path(id: string): string {
    return join(this.folder, id);
  }
}

/** 24 hex digits. */
export const newId = (): string => randomBytes(12).toString('hex');
