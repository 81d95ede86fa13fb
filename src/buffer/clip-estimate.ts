/** About what a clip has inside its range: whole blocks of what it holds. */
import { closeSync, openSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { MIN_TIME_NS } from '../engine/limits.js';
import type { ClipRange } from './clip-wish.js';
import { probeIndex } from '../native.js';
import { type Catalogs, listSegments, type Segment } from './catalog.js';
import type { Clip, PinnedSegments } from './clip-file.js';
import { lossesWithin, readLosses } from './losses.js';
import { type Marks, readMarks } from './marks.js';

export interface ClipEstimate {
  packets: number;
  bytes: number;
  /** What capture lost in the range, as far as it was counted. */
  dropped: bigint;
  /** Some of what was pinned is there. */
  isHeld: boolean;
}

export async function estimateClip({ job, startNs, endNs, pinned }: Clip, catalogs: Catalogs): Promise<ClipEstimate> {
  const window = { startNs, endNs };
  const sum: ClipEstimate = { packets: 0, bytes: 0, dropped: 0n, isHeld: false };
  for (const part of pinned ?? []) await add(join(job.folder, part.folder), part, window, catalogs, sum);
  return sum;
}

async function add(folder: string, { stems }: PinnedSegments, window: ClipRange, catalogs: Catalogs, sum: ClipEstimate): Promise<void> {
  const marks = await readMarks(folder);
  const there = new Map((await listSegments(folder)).map((segment) => [segment.stem, segment]));
  for (const segment of stems.map((stem) => there.get(stem)).filter((each) => each !== undefined)) {
    sum.isHeld = true;
    const { packets, bytes } = await inside(folder, segment, marks, window, catalogs);
    sum.packets += packets;
    sum.bytes += bytes;
  }
  for (const { packets } of lossesWithin(await readLosses(folder, ''), [window])) sum.dropped += packets ?? 0n;
}

async function inside(
  folder: string,
  segment: Segment,
  marks: Marks | null,
  window: ClipRange,
  catalogs: Catalogs,
): Promise<{ packets: number; bytes: number }> {
  const { id, stem, sealed } = segment;
  // Of the segment under construction all that can be read counts.
  if (!sealed) return id === marks?.segmentId ? { packets: Number(marks.packets), bytes: marks.visibleBytes } : { packets: 0, bytes: 0 };
  const facts = catalogs.of(folder).factsOf(segment);
  if (!facts) return { packets: 0, bytes: 0 };
  const { packets, minTimeNs, maxTimeNs } = facts;
  const isWhole = minTimeNs !== null && maxTimeNs !== null && (window.startNs === null || minTimeNs >= window.startNs) && maxTimeNs < window.endNs;
  return isWhole ? { packets, bytes: (await stat(join(folder, `${stem}.pcapng`))).size } : blocksInside(join(folder, `${stem}.index`), id, window);
}

function blocksInside(path: string, id: bigint, { startNs, endNs }: ClipRange): { packets: number; bytes: number } {
  const fd = openSync(path, 'r');
  try {
    const windows = BigInt64Array.of(startNs ?? MIN_TIME_NS, endNs);
    const answer = probeIndex(fd, id, null, windows, { descriptions: false });
    return typeof answer === 'string' ? { packets: 0, bytes: 0 } : { packets: answer.packets - answer.skippedPackets, bytes: answer.bytes };
  } finally {
    closeSync(fd);
  }
}
