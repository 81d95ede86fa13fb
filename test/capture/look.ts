/** Looking at an interface's folder as a crash leaves it: which packets are visible, each of them held against what was sent. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Frames } from './sending.js';
import { marksOf, packetsOf, type Marks } from './segments.js';

/** Numbers from `first` up to `end`, without a hole. */
export interface Run {
  first: number;
  end: number;
}

export interface Look {
  runs: Run[];
  marks: Marks;
  /** Whole packets of earlier segments that lie behind the visible end of the open one, at the places of its own. */
  stale: number;
}

export const countOf = (runs: readonly Run[]): number => runs.reduce((sum, { first, end }) => sum + end - first, 0);

/** Adds a run behind the others. Throws where its numbers are not above theirs: packets of before are there again. */
function append(runs: Run[], { first, end }: Run): void {
  const last = runs.at(-1);
  if (last && first < last.end) throw new Error(`packet ${first} comes behind packet ${last.end - 1}`);
  if (last?.end === first) last.end = end;
  else runs.push({ first, end });
}

export class Buffered {
  /** By name; what is sealed never changes. */
  readonly #sealed = new Map<string, Run[]>();

  constructor(
    readonly folder: string,
    readonly frames: Frames,
  ) {}

  /** Throws where a packet is not as it was sent, or out of order. */
  look(): Look {
    const marks = marksOf(this.folder);
    const runs: Run[] = [];
    let stale = 0;
    for (const name of readdirSync(this.folder).sort()) {
      const [, id, part] = /^(\d{16})\.pcapng(\.part)?$/.exec(name) ?? [];
      if (id === undefined) continue;
      const open = part !== undefined && BigInt(id) === marks.segmentId;
      if (part !== undefined && BigInt(id) > marks.segmentId) continue;
      const known = this.#sealed.get(name);
      const file = known ? null : readFileSync(join(this.folder, name));
      const visible = open ? Number(marks.visibleBytes) : undefined;
      const found = known ?? this.#read(name, file!.subarray(0, visible));
      if (part === undefined) this.#sealed.set(name, found);
      for (const run of found) append(runs, run);
      if (open) stale += this.#behind(file!, visible!, runs.at(-1)?.end ?? 0);
    }
    return { runs, marks, stale };
  }

  /** The packets of a sealed segment, as the last look found them. */
  sealed(name: string): readonly Run[] {
    return this.#sealed.get(name) ?? [];
  }

  #read(name: string, bytes: Buffer): Run[] {
    const runs: Run[] = [];
    packetsOf(bytes).forEach((packet, i) => {
      const number = this.frames.read(packet);
      if (number === null) throw new Error(`packet ${i} of ${name} is not as it was sent`);
      append(runs, { first: number, end: number + 1 });
    });
    return runs;
  }

  #behind(file: Buffer, visible: number, end: number): number {
    const size = 32 + Math.ceil(this.frames.size / 4) * 4;
    let at = visible;
    // Nothing visible, and the whole of an earlier segment still there: behind its header.
    while (at + 12 <= file.length && file.readUInt32LE(at) !== 6 && file.readUInt32LE(at) !== 0) at += file.readUInt32LE(at + 4);
    let count = 0;
    for (; at + size <= file.length; at += size) {
      if (file.readUInt32LE(at) !== 6 || file.readUInt32LE(at + 4) !== size || file.readUInt32LE(at + size - 4) !== size) break;
      const number = this.frames.read(packetsOf(file.subarray(at, at + size))[0]!);
      if (number !== null && number < end) count++;
    }
    return count;
  }
}
