/** The segments of an interface's folder that a clip holds: choosing and pinning them, and what they hold by now. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Catalog, listSegments, mayHold, type Segment, type SegmentFacts } from './catalog.js';
import type { ClipRange } from './clip-wish.js';
import { EndWatch } from './end.js';
import { type Marks, readMarks } from './marks.js';
import { pinSegment } from './pins.js';

const LOOK_MS = 50;

export interface Pin {
  word: string;
  endsNs: bigint | null;
}

/** What pinned segments hold. */
export interface HeldSegments {
  /** Segments and their indexes; by path, since clips may share them. */
  bytes: Map<string, number>;
  /** Segments that are gone, though they were pinned. */
  missing: number;
  /** Smallest and largest time of their packets, as far as that is known. */
  firstNs: bigint | null;
  lastNs: bigint | null;
}

/**
 * Pins what may hold packets of the range; resolves to the stems. A packet may come to be visible half a second after its
 * time, so where the range has just ended, this takes until then.
 */
export async function pinRange(catalog: Catalog, range: ClipRange, { word, endsNs }: Pin): Promise<string[]> {
  const pinned = new Set<string>();
  // It gives up by itself, whether a capture runs or not.
  const watch = new EndWatch(range.endNs, () => Promise.resolve(true));
  for (;;) {
    // Read first: what is sealed afterwards is listed.
    const marks = await readMarks(catalog.folder);
    const isOver = await watch.hasCome(marks);
    for (const { stem } of await segmentsOf(catalog, marks, range))
      if (!pinned.has(stem) && (await pinSegment(catalog.folder, stem, word, endsNs))) pinned.add(stem);
    if (isOver) return [...pinned].sort();
    await sleep(LOOK_MS);
  }
}

async function segmentsOf(catalog: Catalog, marks: Marks | null, range: ClipRange): Promise<Segment[]> {
  const all = await listSegments(catalog.folder);
  const selected = await catalog.select(all, [range]);
  return selected.filter(({ id, sealed }) => {
    if (sealed || (marks && id < marks.segmentId)) return true;
    const open = openFacts(id, marks);
    return open !== null && mayHold(open, [range]);
  });
}

/** Of a segment under construction, what can be read of it; null where nothing can. */
function openFacts(id: bigint, marks: Marks | null): SegmentFacts | null {
  if (!marks || id !== marks.segmentId || marks.packets === 0n) return null;
  return { packets: Number(marks.packets), minTimeNs: marks.smallestNs, maxTimeNs: marks.largestNs };
}

export async function heldSegments(catalog: Catalog, stems: readonly string[]): Promise<HeldSegments> {
  const marks = await readMarks(catalog.folder);
  const there = new Map((await listSegments(catalog.folder)).map((segment) => [segment.stem, segment]));
  const held: HeldSegments = { bytes: new Map(), missing: 0, firstNs: null, lastNs: null };
  for (const stem of stems) {
    const segment = there.get(stem);
    if (!segment) {
      held.missing += 1;
      continue;
    }
    const facts = segment.sealed ? catalog.factsOf(segment) : openFacts(segment.id, marks);
    held.firstNs = smaller(held.firstNs, facts?.minTimeNs ?? null);
    held.lastNs = larger(held.lastNs, facts?.maxTimeNs ?? null);
    held.bytes.set(join(catalog.folder, stem), await bytesOf(catalog.folder, segment, marks));
  }
  return held;
}

/** Of a segment under construction only what can be read counts: the file is longer. */
async function bytesOf(folder: string, { id, stem, sealed }: Segment, marks: Marks | null): Promise<number> {
  if (!sealed && id === marks?.segmentId) return marks.visibleBytes;
  const names = [`${stem}.pcapng`, `${stem}.index`];
  const sizes = await Promise.all(
    names.map((name) =>
      stat(join(folder, name)).then(
        ({ size }) => size,
        () => 0,
      ),
    ),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

export function smaller(a: bigint | null, b: bigint | null): bigint | null {
  return a === null || (b !== null && b < a) ? b : a;
}

export function larger(a: bigint | null, b: bigint | null): bigint | null {
  return a === null || (b !== null && b > a) ? b : a;
}
