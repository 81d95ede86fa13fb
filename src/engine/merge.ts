/**
 * The worker's side of a merge: bounded steps, compressed sources decompressed as they are needed, lanes asked for what follows; slots
 * come by a port, filled ones go back by it.
 */
import { Merge, REPORT, Selection, STATUS } from '../native.js';
import { readBytes, StreamDamage } from './bytes.js';
import { LEAST_MERGE_BUFFER_BYTES, MERGE_BUFFER_BYTES, MERGE_NEWS_BYTES, MIN_TIME_NS, MOST_MERGE_BUFFER_BYTES, STEP_BYTES } from './limits.js';
import { PortQueue } from './port-queue.js';
import {
  CANCELLED,
  CONTROL,
  CONTROL_BYTES_IN,
  type BadBlock,
  type FromStream,
  type LaneRange,
  type LaneRanges,
  type MergeNews,
  type MergePart,
  type MergeTask,
  type ScanResult,
  type ToStream,
} from './tasks.js';

const NOTHING = new Uint8Array(0);

export async function mergeParts(task: MergeTask): Promise<ScanResult> {
  const inbox = new PortQueue<ToStream>(task.port);
  const control = new Int32Array(task.control);
  const sources = new Sources(task);
  const { merge } = sources;
  const slots: Uint8Array[] = [];
  /** Something was asked that only the other side can answer. */
  let isWaiting = false;
  let written = 0;
  let badBlocks: BadBlock[] = [];

  /** What was done since the last time; the slot goes with it. */
  const tell = (status: number, last: boolean): ScanResult => {
    const result = { ...resultOf(merge, task, status, written), badBlocks };
    task.port.postMessage({ result, slot: slots.shift() ?? null, last } satisfies FromStream);
    sources.startCounts();
    written = 0;
    badBlocks = [];
    return result;
  };
  const take = (message: ToStream): void => {
    if ('slot' in message) slots.push(message.slot);
    else isWaiting = false;
    if ('selection' in message) merge.use(new Selection(message.selection));
    if ('lane' in message) sources.answer(message.lane);
  };

  try {
    for (;;) {
      if (Atomics.load(control, CONTROL.cancel) !== 0) return tell(CANCELLED, true);
      const slot = slots[0];
      if (!slot || isWaiting) {
        const message = await inbox.next();
        if (!message) return tell(CANCELLED, true);
        take(message);
        continue;
      }
      const status = merge.step(slot, written, STEP_BYTES);
      written += merge.outLength();
      sources.countBytes();
      switch (status) {
        case STATUS.budget:
          if (sources.untoldBytes < MERGE_NEWS_BYTES) break;
          tell(status, false);
          // On the thread of everybody else, they have their turn.
          await new Promise(setImmediate);
          break;
        case STATUS.needInput:
          await sources.feed(merge.source()!);
          break;
        case STATUS.needNext:
          if (sources.goOn(merge.source()!)) break;
          isWaiting = true;
          tell(status, false);
          break;
        case STATUS.badBlock:
          badBlocks.push({ offset: Number(merge.report[REPORT.detailOffset]), bytes: Number(merge.report[REPORT.detail]), part: merge.source()! });
          break;
        case STATUS.damage:
          await sources.end(merge.source()!);
          tell(status, false);
          break;
        case STATUS.outputFull:
          tell(status, false);
          break;
        case STATUS.needProgram:
        case STATUS.alone:
          isWaiting = true;
          tell(status, false);
          break;
        default:
          return tell(status, true);
      }
    }
  } finally {
    await sources.endAll();
  }
}

/** The native merge and what its sources read from. */
class Sources {
  readonly merge: Merge;
  /** Of compressed sources whose turn has come. */
  readonly #streams = new Map<number, AsyncGenerator<Uint8Array>>();
  /** What was given of lanes, and is still to come. */
  readonly #ranges = new Map<number, { fd: number; ranges: LaneRange[] }>();
  readonly #parts: readonly MergePart[];
  readonly #bufferBytes: number;
  readonly #bytesIn: BigInt64Array;
  /** The lane that was asked for last. */
  #asked = 0;
  /** Input bytes used since the counts began. */
  untoldBytes = 0;
  #ofRanges = 0n;

  constructor({ selection, control, parts, interfaceCount, linkTypeOut, limits, numberFrom }: MergeTask) {
    this.#parts = parts;
    this.#bytesIn = new BigInt64Array(control);
    this.#bufferBytes = Math.floor(Math.max(LEAST_MERGE_BUFFER_BYTES, Math.min(MOST_MERGE_BUFFER_BYTES, MERGE_BUFFER_BYTES / parts.length)));
    this.merge = new Merge(new Selection(selection), interfaceCount, linkTypeOut);
    for (const part of parts) this.#add(part);
    if (limits) this.merge.limit(limits.packets, limits.capturedBytes, limits.durationNs, limits.firstTimeNs);
    this.merge.numberFrom(numberFrom);
  }

  #add(part: MergePart): void {
    const { kind, firstTimeNs } = part;
    if (kind === 'lane') return this.merge.addLane(firstTimeNs);
    if (kind === 'stream') return this.merge.addStream(firstTimeNs);
    const { fd, sizeBytes, place } = part;
    this.merge.addRange(fd, place?.offset ?? 0, sizeBytes, place?.state ?? null, place?.base ?? 0, firstTimeNs, this.#bufferBytes);
  }

  startCounts(): void {
    this.merge.startCounts();
    this.#ofRanges = 0n;
    this.untoldBytes = 0;
  }

  /** Adds what the last step took of plain files. */
  countBytes(): void {
    const taken = this.merge.report[REPORT.end]!;
    this.#count(Number(taken - this.#ofRanges));
    this.#ofRanges = taken;
  }

  readonly #count = (bytes: number): void => {
    this.untoldBytes += bytes;
    Atomics.add(this.#bytesIn, CONTROL_BYTES_IN, BigInt(bytes));
  };

  /** Gives a lane what it was given already; false where the other side has to be asked. */
  goOn(lane: number): boolean {
    this.#asked = lane;
    const given = this.#ranges.get(lane);
    const next = given?.ranges[0];
    if (!given || !next) return false;
    if (next.floorNs > MIN_TIME_NS) {
      this.merge.idle(lane, next.floorNs);
      next.floorNs = MIN_TIME_NS;
      return true;
    }
    given.ranges.shift();
    this.merge.next(lane, given.fd, next.start, next.end, next.state, next.interfaceBase, this.#bufferBytes, next.sums);
    return true;
  }

  /** Of the other side, for the lane that was asked for last. */
  answer(lane: LaneRanges | { idleUntilNs: bigint } | null): void {
    if (lane === null) return this.merge.finish(this.#asked);
    if ('idleUntilNs' in lane) return this.merge.idle(this.#asked, lane.idleUntilNs);
    this.#ranges.set(this.#asked, { fd: lane.fd, ranges: lane.ranges.map((range) => ({ ...range })) });
  }

  /** Gives a stream what follows, or tells that nothing does. */
  async feed(part: number): Promise<void> {
    const { fd, compression } = this.#parts[part] as MergePart & { kind: 'stream' };
    let stream = this.#streams.get(part);
    if (!stream) {
      const input = { fd, compression, pipe: false, bufferBytes: this.#bufferBytes };
      stream = readBytes(input, new AbortController().signal, this.#count);
      this.#streams.set(part, stream);
    }
    try {
      const next = await stream.next();
      this.merge.feed(part, next.done ? NOTHING : next.value, next.done === true);
    } catch (error) {
      if (!(error instanceof StreamDamage)) throw error;
      this.merge.fault(part, error.message);
    }
  }

  /** Nothing more is wanted of what was begun. */
  async end(part: number): Promise<void> {
    await this.#streams.get(part)?.return(undefined);
    this.#streams.delete(part);
  }

  async endAll(): Promise<void> {
    for (const part of this.#streams.keys()) await this.end(part);
  }
}

function resultOf(merge: Merge, { parts }: MergeTask, status: number, outLength: number): ScanResult {
  return {
    status,
    report: merge.report.slice(),
    outLength,
    state: NOTHING,
    damage: status === STATUS.damage ? merge.damageText() : '',
    needed: merge.needed(),
    info: null,
    merge: newsOf(merge, parts, status),
  };
}

function newsOf(merge: Merge, parts: readonly MergePart[], status: number): MergeNews {
  const about = merge.source();
  if (status !== STATUS.alone && status !== STATUS.needNext) return { about, over: [], place: null, base: null };
  const over = [...parts.keys()].filter((part) => merge.over(part));
  const place = about === null || status !== STATUS.alone ? null : merge.place(about);
  const base = about === null || status !== STATUS.needNext ? null : merge.interfaceBase(about);
  return { about, over, place: place && { offset: place.offset, state: place.state, base: place.interfaceBase }, base };
}
