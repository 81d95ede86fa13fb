/** The task that exports packages of the repository: one ZIP of their files as they are. */
import { crc32 } from 'node:zlib';
import { into } from '../bundle/into.js';
import type { Sink } from '../engine/types.js';
import type { Ended, TaskKind, Work } from '../task/task.js';
import { UPDATE_LIMITS } from './limits.js';
import { packageName } from './package-name.js';
import { INDEX_NAME, indexOf } from './repository-index.js';
import type { Repository, StoredPackage } from './repository.js';
import { storedZipBytes, writeStoredZip, type FileToStore } from './stored-zip.js';

/** Packages with an index of them in front, or packages alone. */
export const EXPORT_CONTENTS = ['all', 'payloads'] as const;
export type ExportContent = (typeof EXPORT_CONTENTS)[number];

export interface ExportInput {
  /** When it was asked for, in seconds since the epoch; no other export has the same. */
  number: number;
  /** Of the ZIP. */
  name: string;
  content: ExportContent;
  /** Ids, in the order of the repository. */
  packages: readonly string[];
  totalBytes: number;
}

export interface ExportResult {
  artifact: string;
  bytes: number;
}

/** What is in the ZIP already. */
export interface Packed {
  packages: number;
  bytes: number;
}

export type ExportKind = TaskKind<ExportInput, null, ExportResult> & {
  /** How large one may be, and all of them together. */
  artifactBytes: number;
  /** Of a task that runs; of another one, nothing. */
  packed(task: string): Packed;
};

const HOUR_MS = 3_600_000;

export type ExportedFrom = Pick<Repository, 'get' | 'bytes'>;

export function exportKind(repository: ExportedFrom): ExportKind {
  const packed = new Map<string, Packed>();
  return {
    name: 'repository-export',
    isCancellable: true,
    runningAtOnce: 1,
    activeAtOnce: 4,
    // All that a repository may hold, over a slow disk.
    runMs: HOUR_MS,
    keptMs: 24 * HOUR_MS,
    artifactsKeptMs: 24 * HOUR_MS,
    artifactBytes: UPDATE_LIMITS.exportBytes,
    packed: (task) => packed.get(task) ?? { packages: 0, bytes: 0 },
    run: async (work) => {
      const far: Packed = { packages: 0, bytes: 0 };
      packed.set(work.id, far);
      return run(work, repository, far).finally(() => packed.delete(work.id));
    },
  };
}

/** What the ZIP of these packages holds. */
export function filesToStore(
  repository: Pick<ExportedFrom, 'bytes'>,
  packages: readonly StoredPackage[],
  { number, content }: Moment,
): FileToStore[] {
  const files = packages.map((each) => {
    const { id, bytes, crc32: sum } = each;
    return { path: packageName(each), bytes, crc32: sum, read: () => repository.bytes(id) };
  });
  // Of nothing at all there is no archive that every reader takes for whole.
  if (content === 'payloads' && files.length > 0) return files;
  const index = indexOf(packages, number * 1000);
  return [{ path: INDEX_NAME, bytes: index.length, crc32: crc32(index), read: () => one(index) }, ...files];
}

type Moment = Pick<ExportInput, 'number' | 'content'>;

/** How large the ZIP will be. */
export function exportBytes(packages: readonly StoredPackage[], moment: Moment): number {
  const unread = { bytes: () => one(Buffer.alloc(0)) };
  return storedZipBytes(filesToStore(unread, packages, moment));
}

async function run({ input, signal, ...work }: Work<ExportInput, null>, repository: ExportedFrom, far: Packed): Promise<Ended<ExportResult>> {
  const packages = input.packages.map((id) => repository.get(id));
  const files = filesToStore(repository, packages, input);
  const { id, bytes } = await into(await work.artifact(input.name, {}), async (sink) => {
    const counted: Sink = {
      ...sink,
      write: async (piece) => {
        signal.throwIfAborted();
        await sink.write(piece);
        far.bytes += piece.length;
        work.progress((100 * far.bytes) / input.totalBytes, `${far.packages} of ${packages.length} packages`);
      },
    };
    let left = files.length;
    const told = (): void => void (far.packages = Math.max(0, packages.length - --left));
    const written = writeStoredZip(counted, files, new Date(input.number * 1000), told);
    // A disk that hangs does not keep it from being cancelled.
    await Promise.race([written, aborted(signal)]);
  });
  return { state: 'done', result: { artifact: id, bytes } };
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true }));
}

async function* one(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield bytes;
}
