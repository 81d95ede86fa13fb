/** Which segments of an interface's folder hold which times. What a finished segment's index tells never changes, and is kept. */
import { closeSync, openSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { TimeWindow } from '../engine/types.js';
import { probeIndex } from '../native.js';

/** See native/capture/segment_name.h for names. */
const SEGMENT = /^(\d{16})\.pcapng(\.part)?$/;
const EVERY_TIME = new BigInt64Array(0);
/** Indexes are asked between two turns of everybody else. */
const TURN = 64;

export interface Segment {
  id: bigint;
  /** "0000000000000007". */
  stem: string;
  sealed: boolean;
  /** Where it was asked for, of one that grows no more. */
  packets?: number;
}

/** Of a finished segment; times are null where no packet has one. */
export interface SegmentFacts {
  packets: number;
  minTimeNs: bigint | null;
  maxTimeNs: bigint | null;
}

export function sealedName(id: bigint): string {
  return `${String(id).padStart(16, '0')}.pcapng`;
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

export class Catalog {
  readonly #facts = new Map<bigint, SegmentFacts>();

  constructor(readonly folder: string) {}

  /** Those that may hold packets in the windows (none: every time), by what their indexes say; what has none may. */
  async select(segments: readonly Segment[], windows: readonly TimeWindow[]): Promise<Segment[]> {
    if (windows.length === 0) return [...segments];
    const selected: Segment[] = [];
    for (const [i, segment] of segments.entries()) {
      if (i % TURN === TURN - 1) await new Promise(setImmediate);
      const facts = this.factsOf(segment);
      if (!facts || mayHold(facts, windows)) selected.push(segment);
    }
    return selected;
  }

  /** null for one that is not finished, or whose index can't be read. */
  factsOf({ id, stem, sealed }: Segment): SegmentFacts | null {
    const known = this.#facts.get(id);
    if (known || !sealed) return known ?? null;
    const facts = readFacts(join(this.folder, `${stem}.index`), id);
    if (facts) this.#facts.set(id, facts);
    return facts;
  }

  /** Forgets what is no longer there. */
  keepOnly(segments: readonly Segment[]): void {
    const there = new Set(segments.map(({ id }) => id));
    for (const id of this.#facts.keys()) if (!there.has(id)) this.#facts.delete(id);
  }
}

/** Those of all folders that are asked about: what one export has learnt, the next need not ask. */
export class Catalogs {
  readonly #catalogs = new Map<string, Catalog>();

  of(folder: string): Catalog {
    const catalog = this.#catalogs.get(folder) ?? new Catalog(folder);
    this.#catalogs.set(folder, catalog);
    return catalog;
  }
}

function readFacts(path: string, id: bigint): SegmentFacts | null {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch {
    return null;
  }
  try {
    const answer = probeIndex(fd, id, null, EVERY_TIME);
    if (typeof answer === 'string') return null;
    return { packets: answer.packets, minTimeNs: answer.minTime, maxTimeNs: answer.maxTime };
  } finally {
    closeSync(fd);
  }
}

export function mayHold({ minTimeNs, maxTimeNs }: SegmentFacts, windows: readonly TimeWindow[]): boolean {
  if (minTimeNs === null || maxTimeNs === null) return true;
  return windows.some(({ startNs, endNs }) => (startNs === null || maxTimeNs >= startNs) && (endNs === null || minTimeNs < endNs));
}
