/** The segments of one interface of a job, as sources that the engine can read; see native/capture/segment_name.h for names. */
import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { SegmentSource, TimeWindow } from '../engine/types.js';
import { probeIndex } from '../native.js';
import { readMarks } from './marks.js';

const SEGMENT = /^(\d{16})\.pcapng(\.part)?$/;
const EVERYTHING = new BigInt64Array(0);

export interface Segment {
  id: bigint;
  /** "0000000000000007". */
  stem: string;
  sealed: boolean;
}

/** In order of capture. A segment that is just being sealed is listed once. */
export async function listSegments(folder: string): Promise<Segment[]> {
  const found = new Map<string, Segment>();
  for (const name of await readdir(folder)) {
    const match = SEGMENT.exec(name);
    if (!match) continue;
    const [, stem = '', part] = match;
    const sealed = part === undefined;
    if (sealed || !found.has(stem)) found.set(stem, { id: BigInt(stem), stem, sealed });
  }
  return [...found.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
}

/**
 * Sources for what may hold packets in the windows (none: every time); where nothing does, the last segment, so that an
 * export of nothing still knows of what kind it is. `name`: what sentences call the folder.
 */
export async function segmentSources(folder: string, name: string, windows: readonly TimeWindow[]): Promise<SegmentSource[]> {
  // Read first: what is sealed afterwards is whole.
  const marks = await readMarks(folder);
  const sources: SegmentSource[] = [];
  let last: SegmentSource | null = null;
  for (const { id, stem, sealed } of await listSegments(folder)) {
    // Without marks nothing of an open segment is known to be whole; one behind the marks' has only to get its name.
    if (!sealed && (!marks || id > marks.segmentId)) continue;
    const visibleBytes = sealed || id < marks!.segmentId ? null : marks!.visibleBytes;
    if (visibleBytes === 0) continue;
    const indexPath = join(folder, `${stem}.index`);
    const path = join(folder, `${stem}.pcapng`);
    last = { name: `${name}/${stem}.pcapng`, segment: { paths: [`${path}.part`, path], indexPath, id, visibleBytes, lane: folder } };
    if (!sealed || (await mayHold(indexPath, id, windows))) sources.push(last);
  }
  return sources.length === 0 && last ? [last] : sources;
}

/** Whether a sealed segment's packets may lie in the windows; what its index does not tell, it may. */
async function mayHold(indexPath: string, id: bigint, windows: readonly TimeWindow[]): Promise<boolean> {
  if (windows.length === 0) return true;
  const handle = await open(indexPath, 'r').catch(() => null);
  if (!handle) return true;
  try {
    const answer = probeIndex(handle.fd, id, null, EVERYTHING);
    if (typeof answer === 'string' || answer.minTime === null || answer.maxTime === null) return true;
    const { minTime, maxTime } = answer;
    return windows.some(({ startNs, endNs }) => (startNs === null || maxTime >= startNs) && (endNs === null || minTime < endNs));
  } finally {
    await handle.close();
  }
}
