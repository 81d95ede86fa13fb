/** What the buffer of each job holds: its segments, and for a verbose package each of them. */
import { readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { listSegments, type Segment, type SegmentFacts } from '../../buffer/catalog.js';
import { larger, smaller } from '../../buffer/clip-segments.js';
import { interfaceFolders } from '../../buffer/jobs.js';
import { readMarks, type Marks } from '../../buffer/marks.js';
import { formatRfc3339 } from '../../units.js';
import type { Collector, CollectorContext } from '../collector.js';
import type { ProbeFacts } from '../facts.js';
import { BOUNDS } from '../limits.js';
import { Breath, jsonLines } from '../pieces.js';

/** Asked of the system at once. */
const AT_ONCE = 32;

export function bufferMap(facts: ProbeFacts): Collector {
  return {
    name: 'buffer-map',
    section: 'status',
    file: 'status/buffer-map.jsonl',
    about: 'For each job and interface: segments, bytes, times and indexes; verbose: each segment',
    ...BOUNDS.bufferMap,
    collect: (context) => jsonLines(interfaces(facts, context), context.signal),
  };
}

async function* interfaces(facts: ProbeFacts, context: CollectorContext): AsyncGenerator<unknown> {
  for (const job of await facts.jobs.list()) {
    try {
      for (const { path } of await interfaceFolders(job)) yield* segmentsOf(facts, job.name, path, context);
    } catch (error) {
      context.signal.throwIfAborted();
      yield { job: job.name, error: (error as Error).message };
    }
  }
}

/** Segments, where they are wanted, and then what they are together. */
async function* segmentsOf({ clips }: ProbeFacts, job: string, folder: string, { verbosity, signal }: CollectorContext): AsyncGenerator<unknown> {
  const about = { job, interface: basename(folder) };
  const catalog = clips.catalogs.of(folder);
  const breath = new Breath(signal);
  // Read first: what is sealed afterwards is listed as such.
  const marks = await readMarks(folder);
  const segments = await listSegments(folder);
  const names = new Set(await readdir(folder));
  const all = { bytes: 0, indexes: 0, sealed: 0, minTimeNs: null as bigint | null, maxTimeNs: null as bigint | null };
  for (let at = 0; at < segments.length; at += AT_ONCE) {
    const some = segments.slice(at, at + AT_ONCE);
    const sizes = await Promise.all(some.map((segment) => bytesOf(folder, segment, marks)));
    for (const [i, segment] of some.entries()) {
      if (breath.isDue) await breath.take();
      const facts = catalog.factsOf(segment) ?? openFacts(segment, marks);
      const bytes = sizes[i]!;
      const hasIndex = names.has(`${segment.stem}.index`);
      all.bytes += bytes ?? 0;
      all.indexes += Number(hasIndex);
      all.sealed += Number(segment.sealed);
      all.minTimeNs = smaller(all.minTimeNs, facts?.minTimeNs ?? null);
      all.maxTimeNs = larger(all.maxTimeNs, facts?.maxTimeNs ?? null);
      if (verbosity !== 'verbose') continue;
      yield { ...about, segment: segment.stem, sealed: segment.sealed, bytes, index: hasIndex, packets: facts?.packets ?? null, ...timesOf(facts) };
    }
  }
  const { bytes, indexes, sealed } = all;
  yield { ...about, segments: segments.length, sealed, indexes, pins: pinsIn(names), bytes, ...timesOf(all), state: marks?.state ?? null };
}

function pinsIn(names: ReadonlySet<string>): number {
  let pins = 0;
  for (const name of names) if (name.includes('.pin-')) pins += 1;
  return pins;
}

function openFacts({ id, sealed }: Segment, marks: Marks | null): SegmentFacts | null {
  if (sealed || id !== marks?.segmentId || marks.packets === 0n) return null;
  return { packets: Number(marks.packets), minTimeNs: marks.smallestNs, maxTimeNs: marks.largestNs };
}

/** null where it is gone meanwhile. Of one under construction only what can be read counts: the file is longer. */
async function bytesOf(folder: string, { id, stem, sealed }: Segment, marks: Marks | null): Promise<number | null> {
  if (!sealed && id === marks?.segmentId) return marks.visibleBytes;
  return stat(join(folder, `${stem}.pcapng${sealed ? '' : '.part'}`)).then(
    ({ size }) => size,
    () => null,
  );
}

function timesOf(facts: Pick<SegmentFacts, 'minTimeNs' | 'maxTimeNs'> | null): { first: string | null; last: string | null } {
  const text = (ns: bigint | null | undefined): string | null => (ns === null || ns === undefined ? null : formatRfc3339(ns));
  return { first: text(facts?.minTimeNs), last: text(facts?.maxTimeNs) };
}
