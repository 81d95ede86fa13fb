/**
 * What an export will give, before it is run: from the indexes of its sources, from a sample of what they leave over where a
 * filter selects, and by scanning what is small and has no index. `low` and `high` hold; `likely` is a guess between them.
 */
import { SpillwayError } from '../errors.js';
import { REPORT, probeIndex, type IndexAnswer } from '../native.js';
import { ScanContext } from './context.js';
import type { FileIndex } from './indexes.js';
import { LEAST_INDEXED_BYTES, MAX_TIME_NS, MIN_TIME_NS } from './limits.js';
import type { Plan } from './plan.js';
import { borrowPool, type Pool } from './pool.js';
import { scan } from './scan.js';
import { stateAt } from './scan-indexed.js';
import { giveBackSlots, takeSlots } from './slots.js';
import { Totals } from './totals.js';
import { NO_LIMITS } from './types.js';

/** `high` is null where nothing bounds it: a stream, or what is still to come. */
export interface Bounds {
  low: bigint;
  likely: bigint;
  high: bigint | null;
}

export interface Estimate {
  /** Of the output. */
  packets: Bounds;
  /** Of the output stream. */
  bytes: Bounds;
  /** Bytes of the sources that a run will read, and those that their indexes let it leave out. */
  bytesToRead: number;
  bytesSkipped: number;
  /** Of the indexes; of those, what must be read. */
  blocks: number;
  blocksToRead: number;
  /** By the clock, about, where the client takes what it is given. */
  seconds: number;
}

/** A part of a source that has an index. */
export interface Indexed {
  name: string;
  fd: number;
  index: FileIndex;
  sizeBytes: number;
  isPcapng: boolean;
}

/** What is known of a part; counts are of the output but for the last three. */
interface Part {
  packets: Bounds;
  bytes: Bounds;
  bytesToRead: number;
  blocks: number;
  blocksToRead: number;
}

/** A scan reads about so much in a second on one core, and as much is written. Measured, not promised. */
const BYTES_A_SECOND = 1.5e9;
/** Ranges that are sampled, and bytes of each. */
const SAMPLES = 16;
const SAMPLE_BYTES = 256 << 10;
/** Beyond all times: a window that holds nothing. */
const NOWHERE = BigInt64Array.of(MAX_TIME_NS, MAX_TIME_NS);
/** Bytes of output around a packet's own, at least and at most; PCAPNG pads to four. */
const RECORD = { pcap: { low: 16n, high: 16n }, pcapng: { low: 32n, high: 35n } };
/** A file header, or a section without any option; an interface that a pcap file describes; and what a lane may add in statistics. */
const PCAP_HEADER = 24n;
const SECTION = 28n;
const INTERFACE_HIGH = 64n;
const STATISTICS_HIGH = 1024n;

export async function estimate(plan: Plan, kept: Pool | undefined): Promise<Estimate> {
  const pool = borrowPool(1, kept);
  try {
    const parts: Part[] = [];
    for (const one of plan.sources) {
      const { source, lane } = one;
      if (lane) for await (const part of lane.survey()) parts.push('index' in part ? await ofIndex(part, plan, pool) : ofUnknown(part));
      else if (source!.kind === 'file' && source!.index)
        parts.push(await ofIndex({ ...source!, index: source!.index, isPcapng: one.beginning?.info.container === 'pcapng' }, plan, pool));
      else if (source!.kind === 'file' && source!.sizeBytes < LEAST_INDEXED_BYTES)
        parts.push(await byScanning(plan, plan.sources.indexOf(one), pool));
      else parts.push(ofUnknown({ sizeBytes: source!.sizeBytes, isBounded: source!.kind === 'file' }));
    }
    return summed(parts, plan);
  } finally {
    await pool.close();
  }
}

const isPcapng = ({ request }: Plan): boolean => request.format.startsWith('pcapng');

async function ofIndex(part: Indexed, plan: Plan, pool: Pool): Promise<Part> {
  const { index, sizeBytes } = part;
  const { windowsNs, filters, request } = plan;
  const programs = filters.selection(request.format, 0, windowsNs).filters;
  const candidates = ask(index, programs, windowsNs);
  const all = ask(index, null, NOWHERE);
  if (!candidates || !all || candidates.end > sizeBytes) return ofUnknown({ sizeBytes, isBounded: true });
  // Blocks that nothing outside the windows reaches into are wholly inside.
  const inside = windowsNs.length > 0 ? ask(index, null, complementOf(windowsNs)) : null;
  const total = { packets: BigInt(all.packets), captured: BigInt(all.skippedCapturedBytes) };
  const least = inside
    ? {
        packets: BigInt(inside.skippedPackets - inside.skippedUntimed),
        captured: inside.skippedUntimed > 0 ? 0n : BigInt(inside.skippedCapturedBytes),
      }
    : total;
  const most = {
    packets: total.packets - BigInt(candidates.skippedPackets),
    captured: total.captured - BigInt(candidates.skippedCapturedBytes),
  };
  const low = programs === null ? least : { packets: 0n, captured: 0n };
  // Behind what is indexed: an open segment's last block.
  const tail = sizeBytes - candidates.end;
  const record = RECORD[isPcapng(plan) ? 'pcapng' : 'pcap'];
  const cut = cutOf(candidates, request.snapLengthBytes);
  const lowBytes = low.packets * record.low + (low.captured > cut ? low.captured - cut : 0n);
  const snapped = request.snapLengthBytes > 0 ? minOf(most.captured, most.packets * BigInt(request.snapLengthBytes)) : most.captured;
  const packetsHigh = most.packets + BigInt(Math.ceil(tail / 16));
  const kept = most.packets * record.low + snapped + (isPcapng(plan) ? besides(part, all, total, most.packets, cut > 0n) : 0n);
  const bytesHigh = kept + 2n * BigInt(tail);
  const sample = programs === null ? null : await sampled(part, candidates, plan, pool);
  const likelyPackets = sample ? BigInt(Math.round(Number(most.packets) * sample.share)) : (low.packets + most.packets) / 2n;
  const likelyBytes = sample ? BigInt(Math.round(Number(likelyPackets) * sample.bytesEach)) : (lowBytes + kept) / 2n;
  return {
    packets: within({ low: low.packets, likely: likelyPackets, high: packetsHigh }),
    bytes: within({ low: lowBytes, likely: likelyBytes, high: bytesHigh }),
    bytesToRead: candidates.bytes + tail,
    blocks: all.blocks,
    blocksToRead: candidates.sums ? candidates.sums.bounds.length / 2 : 0,
  };
}

function ask({ fd, id }: FileIndex, filters: Parameters<typeof probeIndex>[2], windowsNs: BigInt64Array): IndexAnswer | null {
  const answer = probeIndex(fd, id, filters, windowsNs, { sums: true, descriptions: false });
  return typeof answer === 'string' || answer.blocks === 0 ? null : answer;
}

/** All times that are in no window. */
function complementOf(windowsNs: BigInt64Array): BigInt64Array {
  const bounds = [MIN_TIME_NS, ...windowsNs, MAX_TIME_NS];
  const pairs: bigint[] = [];
  for (let i = 0; i + 1 < bounds.length; i += 2) if (bounds[i]! < bounds[i + 1]!) pairs.push(bounds[i]!, bounds[i + 1]!);
  return pairs.length > 0 ? BigInt64Array.from(pairs) : NOWHERE;
}

/** Bytes that a snap length can take away at most: of a block, what is beyond one packet of that length. */
function cutOf({ sums }: IndexAnswer, snapLengthBytes: number): bigint {
  if (snapLengthBytes === 0 || !sums) return 0n;
  let bytes = 0;
  for (let i = 0; i < sums.bounds.length; i += 2) bytes += Math.max(0, sums.bounds[i + 1]! - sums.bounds[i]! - snapLengthBytes);
  return BigInt(bytes);
}

/**
 * What PCAPNG output may hold besides packets and the blocks around them, at most: padding and, from PCAPNG, what its file has
 * besides those, which is known as a whole.
 */
function besides({ isPcapng: fromPcapng }: Indexed, all: IndexAnswer, total: Counted, packets: bigint, isCut: boolean): bigint {
  const padding = 3n * packets;
  if (!fromPcapng) return padding + INTERFACE_HIGH;
  // A packet in a simple block has no time, and takes 16 bytes more on its way out.
  const others = BigInt(all.end) - 32n * total.packets - total.captured + 32n * BigInt(all.skippedUntimed);
  return maxOf(others, 0n) + (isCut ? padding : 0n);
}

interface Counted {
  packets: bigint;
  /** Sum of captured lengths. */
  captured: bigint;
}

function within({ low, likely, high }: Bounds): Bounds {
  const least = maxOf(low, likely);
  return { low, likely: high === null ? least : minOf(least, high), high };
}

/** Of packets in what is left over: the share that is wanted, and the bytes of output of each that is. */
async function sampled({ fd, name }: Indexed, answer: IndexAnswer, plan: Plan, pool: Pool): Promise<{ share: number; bytesEach: number }> {
  const { request, windowsNs, filters } = plan;
  const count = answer.stateOf.length;
  const slots = takeSlots(1);
  const totals = new Totals();
  try {
    const context = new ScanContext(pool, filters, request.format, request.snapLengthBytes, windowsNs, NO_LIMITS, totals, [], () => undefined);
    for (let i = 0; i < Math.min(count, SAMPLES); i++) {
      const range = Math.floor((i * count) / Math.min(count, SAMPLES));
      const start = answer.ranges[2 * range]!;
      const state = stateAt(answer, range);
      const result = await pool.runs({
        selection: context.selection,
        control: context.control,
        fd,
        ranges: Float64Array.of(start, endOfSample(answer, start, answer.ranges[2 * range + 1]!)),
        state,
        laterState: state ?? new Uint8Array(0),
        sums: null,
        interfaceBase: 0,
        limits: null,
        numberFrom: 0n,
        slot: slots[0]!,
      });
      totals.packetsRead += result.report[REPORT.packetsRead] ?? 0n;
      totals.packetsOut += result.report[REPORT.packetsOut] ?? 0n;
      totals.capturedBytesOut += result.report[REPORT.capturedBytesOut] ?? 0n;
    }
  } catch (error) {
    throw new SpillwayError('SOURCE_UNREADABLE', `${name}: ${(error as Error).message}`);
  } finally {
    giveBackSlots(slots);
  }
  const [read, out, captured] = [Number(totals.packetsRead), Number(totals.packetsOut), Number(totals.capturedBytesOut)];
  const around = Number(RECORD[isPcapng(plan) ? 'pcapng' : 'pcap'].low);
  return { share: read > 0 ? out / read : 0, bytesEach: out > 0 ? captured / out + around : around };
}

/** Some whole blocks of a range. */
function endOfSample({ sums }: IndexAnswer, start: number, end: number): number {
  if (end - start <= SAMPLE_BYTES || !sums) return end;
  for (let i = 1; i < sums.bounds.length; i += 2) if (sums.bounds[i]! >= start + SAMPLE_BYTES) return Math.min(sums.bounds[i]!, end);
  return end;
}

/** A small file without an index is read: what comes out is known then. */
async function byScanning(plan: Plan, place: number, pool: Pool): Promise<Part> {
  const { request, windowsNs, filters, sources } = plan;
  const one = sources[place]!;
  const slots = takeSlots(3);
  const totals = new Totals();
  try {
    const context = new ScanContext(
      pool,
      filters,
      request.format,
      request.snapLengthBytes,
      windowsNs,
      NO_LIMITS,
      totals,
      [...slots],
      () => undefined,
    );
    for await (const _ of scan([one], context));
  } finally {
    giveBackSlots(slots);
  }
  const exactly = (n: bigint): Bounds => ({ low: n, likely: n, high: n });
  return {
    packets: exactly(totals.packetsOut),
    bytes: exactly(totals.outBytes),
    bytesToRead: one.source!.sizeBytes,
    blocks: 0,
    blocksToRead: 0,
  };
}

/** Nothing tells, but that a packet takes at least sixteen bytes of a file. */
function ofUnknown({ sizeBytes, isBounded }: { sizeBytes: number; isBounded: boolean }): Part {
  const high = (n: bigint): bigint | null => (isBounded ? n : null);
  const bytes = BigInt(sizeBytes);
  return {
    packets: { low: 0n, likely: bytes / 500n, high: high(bytes / 16n) },
    bytes: { low: 0n, likely: bytes, high: high(3n * bytes) },
    bytesToRead: sizeBytes,
    blocks: 0,
    blocksToRead: 0,
  };
}

function summed(parts: readonly Part[], plan: Plan): Estimate {
  const { limits } = plan.request;
  const add = (of: (part: Part) => Bounds): Bounds => ({
    low: parts.reduce((sum, part) => sum + of(part).low, 0n),
    likely: parts.reduce((sum, part) => sum + of(part).likely, 0n),
    high: parts.reduce<bigint | null>((sum, part) => (sum === null || of(part).high === null ? null : sum + of(part).high!), 0n),
  });
  const count = (of: (part: Part) => number): number => parts.reduce((sum, part) => sum + of(part), 0);
  const packets = limited(
    add(({ packets }) => packets),
    limits.packets,
  );
  const content = limitedBytes(
    add(({ bytes }) => bytes),
    packets,
    plan,
  );
  const bytesToRead = count((part) => part.bytesToRead);
  return {
    packets: limits.durationNs > 0n || limits.capturedBytes > 0n ? { ...packets, low: 0n } : packets,
    bytes: withHeader(content, plan),
    bytesToRead,
    bytesSkipped: Math.max(0, plan.bytesTotal - bytesToRead),
    blocks: count(({ blocks }) => blocks),
    blocksToRead: count(({ blocksToRead }) => blocksToRead),
    seconds: (bytesToRead + Number(content.likely)) / BYTES_A_SECOND,
  };
}

function limited({ low, likely, high }: Bounds, limit: bigint): Bounds {
  if (limit === 0n) return { low, likely, high };
  return { low: minOf(low, limit), likely: minOf(likely, limit), high: high === null ? limit : minOf(high, limit) };
}

/** Bytes where stop rules leave fewer packets: at least nothing, at most as much as the rule on bytes allows. */
function limitedBytes(bytes: Bounds, packets: Bounds, plan: Plan): Bounds {
  const { limits } = plan.request;
  const stops = limits.packets > 0n || limits.capturedBytes > 0n || limits.durationNs > 0n;
  if (!stops) return bytes;
  const around = RECORD[isPcapng(plan) ? 'pcapng' : 'pcap'].high;
  const capped = limits.capturedBytes > 0n && packets.high !== null ? limits.capturedBytes + around * packets.high + STATISTICS_HIGH : null;
  const high = capped === null ? bytes.high : bytes.high === null ? capped : minOf(capped, bytes.high);
  return { low: 0n, likely: high === null ? bytes.likely : minOf(bytes.likely, high), high };
}

function withHeader({ low, likely, high }: Bounds, plan: Plan): Bounds {
  if (!isPcapng(plan)) return { low: low + PCAP_HEADER, likely: likely + PCAP_HEADER, high: high === null ? null : high + PCAP_HEADER };
  const lanes = BigInt(plan.sources.filter(({ lane }) => lane).length);
  const { section = '', interface: ofInterface = '' } = plan.request.comments ?? {};
  const comments = BigInt(4 * section.length + 4 * ofInterface.length * plan.sources.length);
  const options = BigInt(plan.sources[0]?.beginning?.sectionOptions.length ?? 0) + comments;
  const most = SECTION + options + 8n + lanes * STATISTICS_HIGH;
  return { low: low + SECTION, likely: likely + SECTION, high: high === null ? null : high + most };
}

function minOf(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

function maxOf(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}
