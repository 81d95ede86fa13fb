/**
 * An interface's segments as one source: those that are there, in order of capture, and where it is followed also what is still to
 * come. One segment is open at a time: no reader holds back more than that of what a full buffer must let go of.
 */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Lane, Loss, Skip, Stretch, Surveyed, Turn } from '../engine/lane.js';
import { MAX_TIME_NS, MIN_TIME_NS } from '../engine/limits.js';
import type { Beginning } from '../engine/open-source.js';
import type { TimeWindow } from '../engine/types.js';
import { SpillwayError } from '../errors.js';
import { NS_PER_MS } from '../units.js';
import { Catalog, listSegments, sealedName, type Segment } from './catalog.js';
import { endAt, EndWatch, idleUntil, type End, type Until } from './end.js';
import { lossesWithin, readLosses } from './losses.js';
import { readMarks, type Marks } from './marks.js';
import { MissedCount } from './missed.js';
import { openIndex, SegmentFile } from './segment-file.js';
import { SegmentHold } from './segment-hold.js';

/** How often a capture is looked at that has nothing new. */
const LOOK_MS = 50;

/** What has come in one go from so many bytes on is held against its checksums; less was written a moment ago. */
const CHECKED_GROWTH_BYTES = 16 << 20;

export interface LaneOptions {
  /** What sentences and receipts call the interface. */
  name: string;
  /** None: every time. */
  windows: readonly TimeWindow[];
  /** Of these capture's losses are told; default: `windows`. */
  lossWindows?: readonly TimeWindow[];
  until: Until;
  /** A capture runs. */
  isCaptured: () => Promise<boolean>;
  catalog?: Catalog;
}

/** The segment that is being read. */
interface Present {
  segment: Segment;
  file: SegmentFile;
  /** Up to here it was given out. */
  end: number;
  /** null before anything of it was given out. */
  beginning: Beginning | null;
}

export class BufferLane implements Lane {
  readonly name: string;
  /** Known of what grows no more. */
  bytesTotal: number | null = null;
  readonly #folder: string;
  readonly #options: LaneOptions;
  readonly #catalog: Catalog;
  readonly #watch: EndWatch;
  readonly #missed: MissedCount;
  /** To be read, in order; and all that was at first. */
  #queue: Segment[] = [];
  #first: readonly Segment[] = [];
  /** What holds them before their turns. */
  readonly #holds = new Map<bigint, SegmentHold>();
  /** The largest id that was listed. */
  #lastId = -1n;
  #end: End | null = null;
  #present: Present | null = null;
  /** Turns that come first. */
  readonly #told: Exclude<Turn, null>[] = [];
  /** The reader's state behind the header of the segment before. */
  #state: Uint8Array | null = null;
  /** An open file that lends its header to one whose own can't be read. */
  #lender: SegmentFile | null = null;
  #idleUntilNs = MIN_TIME_NS;
  /** Nothing older is in the buffer. */
  #sinceNs = MIN_TIME_NS;

  private constructor(folder: string, options: LaneOptions) {
    this.name = options.name;
    this.#folder = folder;
    this.#options = options;
    this.#catalog = options.catalog ?? new Catalog(folder);
    this.#watch = new EndWatch(options.until, options.isCaptured);
    this.#missed = new MissedCount(this.#catalog);
  }

  static async open(folder: string, options: LaneOptions): Promise<BufferLane> {
    const lane = new BufferLane(folder, options);
    const { marks, all } = await lane.#list();
    const first = all[0] && lane.#catalog.factsOf(all[0]);
    lane.#sinceNs = first?.minTimeNs ?? marks?.smallestNs ?? MIN_TIME_NS;
    if (options.until === 'now') {
      lane.#end = marks ? endAt(folder, marks) : { id: MAX_TIME_NS, bytes: null, atNs: MAX_TIME_NS };
      lane.#first = [...lane.#queue];
      lane.bytesTotal = lane.#queue.reduce((sum, segment) => sum + lane.#sizeOf(segment), 0);
    }
    return lane;
  }

  /** Whether there is anything to read, now or later. */
  get isEmpty(): boolean {
    return this.#options.until === 'now' && this.#queue.length === 0 && this.#lastId < 0n;
  }

  async look(): Promise<Beginning | null> {
    const told: Exclude<Turn, null>[] = [];
    for (;;) {
      const turn = await this.next(null);
      if (turn !== null && !('idleUntilNs' in turn)) told.push(turn);
      if (turn && !('idleUntilNs' in turn) && !('source' in turn)) continue;
      this.#told.unshift(...told);
      return turn && 'source' in turn ? turn.source.beginning : null;
    }
  }

  async next(skip: Skip | null): Promise<Turn> {
    for (;;) {
      const told = this.#told.shift();
      if (told) return told;
      const present = this.#present;
      if (present) {
        const more = await this.#more(present);
        if (more === 'waits') return this.#idle();
        if (more !== 'whole') {
          this.#told.push(...more);
          continue;
        }
      }
      if (this.#queue.length === 0 && (!this.#end || this.#lastId < this.#end.id)) await this.#list();
      // Only now: what was read can be told from what was missed as long as it is held.
      await this.#closePresent();
      const segment = this.#queue.shift();
      if (!segment && this.#end) return null;
      if (!segment) {
        if (!(await this.#lookAtMarks())) return this.#idle();
        continue;
      }
      if (this.#end && segment.id > this.#end.id) return null;
      if (!skip || !(await this.#isSkipped(segment, skip))) await this.#begin(segment);
    }
  }

  async *survey(): AsyncGenerator<Surveyed> {
    const present = this.#present ? [this.#present.segment] : [];
    for (const segment of [...present, ...this.#queue]) {
      const sizeBytes = this.#sizeOf(segment);
      const file = await SegmentFile.open(this.#folder, this.name, segment);
      const source = file?.source(sizeBytes, null);
      try {
        if (source?.index) yield { name: this.name, fd: source.fd, index: source.index, sizeBytes, isPcapng: true };
        else yield { sizeBytes, isBounded: true };
      } finally {
        await file?.close();
      }
    }
    if (this.#options.until !== 'now') yield { sizeBytes: 0, isBounded: false };
  }

  async twin(): Promise<BufferLane> {
    if (this.#options.until !== 'now') throw new SpillwayError('INTERNAL', `${this.name}: a lane that goes on can not be read twice`);
    for (const segment of this.#queue) {
      if (this.#holds.has(segment.id)) continue;
      const hold = await SegmentHold.of(this.#folder, segment);
      if (!hold) throw this.#overwritten(segment);
      this.#holds.set(segment.id, hold);
    }
    const twin = new BufferLane(this.#folder, this.#options);
    twin.#queue = [...this.#first];
    twin.#lastId = this.#lastId;
    twin.#end = this.#end;
    twin.#sinceNs = this.#sinceNs;
    twin.bytesTotal = this.bytesTotal;
    return twin;
  }

  /** What comes from now on is not wanted. */
  endNow(): void {
    this.#watch.endNow();
  }

  changed(): Promise<void> {
    return sleep(LOOK_MS);
  }

  async losses(): Promise<Loss[]> {
    const { windows, lossWindows = windows } = this.#options;
    const all = await readLosses(this.#folder, this.name);
    const within = lossesWithin(all, [{ startNs: this.#sinceNs, endNs: this.#end?.atNs ?? null }]);
    return lossWindows.length === 0 ? within : lossesWithin(within, lossWindows);
  }

  async close(): Promise<void> {
    this.#queue = [];
    this.#end ??= { id: 0n, bytes: 0, atNs: MIN_TIME_NS };
    for (const hold of this.#holds.values()) await hold.close();
    this.#holds.clear();
    await this.#closePresent();
  }

  /** Puts what has come since the last time in the queue. */
  async #list(): Promise<{ marks: Marks | null; all: Segment[] }> {
    // Read first: what is sealed afterwards is whole.
    const marks = await readMarks(this.#folder);
    const there = await listSegments(this.#folder);
    // Without marks nothing of an open segment is known to be whole.
    const all = there.filter(({ id, sealed }) => sealed || (marks && (id < marks.segmentId || (id === marks.segmentId && marks.visibleBytes > 0))));
    if (this.#options.until !== 'now' && marks) this.#tellMissed(this.#missed.sinceLast(all, marks));
    const fresh = all.filter(({ id }) => id > this.#lastId);
    this.#lastId = fresh.at(-1)?.id ?? this.#lastId;
    for (const segment of await this.#catalog.select(fresh, this.#options.windows)) {
      const facts = this.#options.until === 'now' ? null : this.#catalog.factsOf(segment);
      this.#queue.push(facts ? { ...segment, packets: facts.packets } : segment);
    }
    this.#catalog.keepOnly(all);
    return { marks, all };
  }

  /** What can be read of the present segment behind what was given out. */
  async #more(present: Present): Promise<Exclude<Turn, null>[] | 'whole' | 'waits'> {
    if (present.file.isKept) return 'whole';
    const { size, isWhole } = await this.#reach(present);
    if (size > present.end) return this.#giveOut(present, size);
    return isWhole ? 'whole' : 'waits';
  }

  /** How far the present segment can be read by now. */
  async #reach({ segment: { id }, file, end }: Present): Promise<{ size: number; isWhole: boolean }> {
    if (file.sealed) return this.#whole(id, file);
    const marks = this.#end ? null : await readMarks(this.#folder);
    await this.#note(marks);
    if (this.#end && id <= this.#end.id) return this.#whole(id, file);
    if (!marks || id < marks.segmentId) return this.#whole(id, file);
    // What is not under construction any more has its length; its marks may be those of a capture that was started since.
    if (marks.visibleBytes <= end && !(await file.isPart())) return this.#whole(id, file);
    return { size: marks.visibleBytes, isWhole: false };
  }

  #whole(id: bigint, file: SegmentFile): { size: number; isWhole: boolean } {
    const size = this.#end?.id === id ? this.#end.bytes : null;
    return { size: size ?? file.size(), isWhole: true };
  }

  async #giveOut(present: Present, size: number): Promise<Exclude<Turn, null>[]> {
    const { file, beginning, end } = present;
    present.end = size;
    if (beginning) {
      const source = file.source(size, beginning);
      if (size - end < CHECKED_GROWTH_BYTES) source.index = null;
      return [{ source, goesOn: { offset: end, state: beginning.state } }];
    }
    const first = await file.firstBlock(size);
    const turns: Exclude<Turn, null>[] = first.damage ? [{ damage: first.damage }] : [];
    if (!first.beginning) return turns;
    present.beginning = first.beginning;
    const { state, offset } = first.beginning;
    const continues = this.#state !== null && Buffer.compare(this.#state, state) === 0;
    if (first.damage && !continues) {
      const header = await this.#borrowHeader(state);
      if (!header) return [{ damage: file.allOf(first.damage) }];
      turns.push(header);
    }
    this.#state = state;
    const goesOn = continues || first.damage ? { offset, state } : null;
    turns.push({ source: file.source(size, first.beginning), goesOn, ...(file.sealed && { keep: () => file.keep() }) });
    return turns;
  }

  /** The header of another segment of the same interface, and nothing behind it: it describes the interface in the output. */
  async #borrowHeader(state: Uint8Array): Promise<Stretch | null> {
    for (const segment of this.#queue) {
      const file = await SegmentFile.open(this.#folder, this.name, segment);
      const first = file && segment.sealed ? await file.firstBlock(file.size()) : null;
      if (file && first?.beginning && !first.damage && Buffer.compare(first.beginning.state, state) === 0) {
        this.#lender = file;
        return { source: { ...file.source(first.beginning.offset, first.beginning), index: null }, goesOn: null };
      }
      await file?.close();
    }
    return null;
  }

  async #isSkipped(segment: Segment, skip: Skip): Promise<boolean> {
    if (!segment.sealed) return false;
    const index = await openIndex(this.#folder, segment.stem, segment.id, this.name);
    if (!index) return false;
    try {
      return skip(index, this.#sizeOf(segment));
    } finally {
      await index.close();
    }
  }

  async #begin(segment: Segment): Promise<void> {
    const file = await SegmentFile.open(this.#folder, this.name, segment);
    await this.#holds.get(segment.id)?.close();
    this.#holds.delete(segment.id);
    if (file) this.#present = { segment, file, end: 0, beginning: null };
    else if (this.#options.until === 'now') throw this.#overwritten(segment);
    // Of one that was open when it was listed, the next listing tells.
    else this.#tellMissed(BigInt(segment.packets ?? 0));
  }

  #overwritten({ id }: Segment): SpillwayError {
    return new SpillwayError('SOURCE_OVERWRITTEN', `${this.name}/${sealedName(id)}: the buffer has let go of it`);
  }

  #tellMissed(missedPackets: bigint | null): void {
    if (missedPackets === 0n) return;
    const startNs = this.#idleUntilNs === MIN_TIME_NS ? this.#sinceNs : this.#idleUntilNs;
    this.#told.push({ missedPackets, startNs, endNs: BigInt(Date.now()) * NS_PER_MS });
  }

  /** What a look at the marks tells: how far the capture is, and whether that is the end. */
  async #note(marks: Marks | null): Promise<void> {
    if (marks) this.#idleUntilNs = maxOf(this.#idleUntilNs, idleUntil(marks));
    if (this.#end || !(await this.#watch.hasCome(marks))) return;
    this.#end = marks ? endAt(this.#folder, marks) : { id: this.#lastId, bytes: null, atNs: BigInt(Date.now()) * NS_PER_MS };
  }

  /** True where that is the end. */
  async #lookAtMarks(): Promise<boolean> {
    await this.#note(await readMarks(this.#folder));
    return this.#end !== null;
  }

  #idle(): Turn {
    return { idleUntilNs: this.#idleUntilNs };
  }

  #sizeOf({ id, sealed }: Segment): number {
    if (this.#end?.id === id && this.#end.bytes !== null) return this.#end.bytes;
    const name = sealedName(id);
    return statSync(join(this.#folder, sealed ? name : `${name}.part`), { throwIfNoEntry: false })?.size ?? 0;
  }

  async #closePresent(): Promise<void> {
    const open = [this.#present?.file, this.#lender];
    this.#present = this.#lender = null;
    for (const file of open) await file?.close();
  }
}

function maxOf(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}
