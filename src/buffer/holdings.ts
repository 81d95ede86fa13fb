/** What the buffer of a job holds: the times of its packets, and its bytes. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Catalog, type Catalogs, listSegments, type Segment } from './catalog.js';
import { larger, smaller } from './clip-segments.js';
import { interfaceFolders, type Job } from './jobs.js';
import { type Marks, readMarks } from './marks.js';

export interface Holding {
  /** Smallest and largest time of a packet, as far as that is known. */
  firstNs: bigint | null;
  lastNs: bigint | null;
  /** Of segments, as far as they can be read. */
  bytes: number;
  /** That the disk has given for it, indexes and what is taken beforehand included. */
  diskBytes: number;
}

interface Size {
  bytes: number;
  diskBytes: number;
}

/** Sizes and facts are asked between two turns of everybody else. */
const TURN = 64;
/** stat(2) tells in blocks of this size. */
const BLOCK_BYTES = 512;

export class Holdings {
  /** Of finished segments, by path: these never change. */
  readonly #sizes = new Map<string, Map<string, Size>>();

  constructor(private readonly catalogs: Catalogs) {}

  async of(job: Job): Promise<Holding> {
    const all: Holding = { firstNs: null, lastNs: null, bytes: 0, diskBytes: 0 };
    for (const { path } of await interfaceFolders(job)) await this.#add(this.catalogs.of(path), all);
    return all;
  }

  async #add(catalog: Catalog, all: Holding): Promise<void> {
    // Read first: what is sealed afterwards is listed as such.
    const marks = await readMarks(catalog.folder);
    const segments = await listSegments(catalog.folder);
    const known = this.#sizes.get(catalog.folder) ?? new Map<string, Size>();
    const kept = new Map<string, Size>();
    for (const [i, segment] of segments.entries()) {
      if (i % TURN === TURN - 1) await new Promise(setImmediate);
      const size = known.get(segment.stem) ?? (await sizeOf(catalog.folder, segment, marks));
      if (segment.sealed) kept.set(segment.stem, size);
      const facts = catalog.factsOf(segment) ?? openTimes(segment, marks);
      all.firstNs = smaller(all.firstNs, facts.minTimeNs);
      all.lastNs = larger(all.lastNs, facts.maxTimeNs);
      all.bytes += size.bytes;
      all.diskBytes += size.diskBytes;
    }
    this.#sizes.set(catalog.folder, kept);
    catalog.keepOnly(segments);
  }
}

function openTimes({ id, sealed }: Segment, marks: Marks | null): { minTimeNs: bigint | null; maxTimeNs: bigint | null } {
  if (sealed || id !== marks?.segmentId || marks.packets === 0n) return { minTimeNs: null, maxTimeNs: null };
  return { minTimeNs: marks.smallestNs, maxTimeNs: marks.largestNs };
}

async function sizeOf(folder: string, { id, stem, sealed }: Segment, marks: Marks | null): Promise<Size> {
  const name = join(folder, stem);
  const [file, index] = await Promise.all([stat(`${name}.pcapng${sealed ? '' : '.part'}`), stat(`${name}.index`)].map(unlessGone));
  const bytes = !sealed && id === marks?.segmentId ? marks.visibleBytes : (file?.size ?? 0);
  return { bytes, diskBytes: ((file?.blocks ?? 0) + (index?.blocks ?? 0)) * BLOCK_BYTES };
}

async function unlessGone<T>(found: Promise<T>): Promise<T | null> {
  try {
    return await found;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
