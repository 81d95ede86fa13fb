/** What an export must give, by the plainest means: the tests' own reader, one packet after another, nothing clever. */
import type { ErrorCode } from '../../src/errors.js';
import type { ExportRequest } from '../../src/engine/types.js';
import { textOf } from '../../src/filter/languages.js';
import type { Capture, ReadPacket } from './reader.js';

export interface OutPacket {
  timeNs: bigint;
  caplen: number;
  wirelen: number;
  data: string;
  linkType: number;
  /** PCAPNG alone. */
  interface: number;
  drops: bigint;
  comments: string[];
}

export interface Expected {
  packets: OutPacket[];
  read: number;
  inWindows: number;
  cut: number;
  stoppedBy: 'packets' | 'bytes' | 'duration' | null;
  damageAt: number | null;
}

/** Filters that the model can decide too; they compile for every link type. */
export const FILTERS: Record<string, (packet: ReadPacket) => boolean> = {
  'len >= 60': ({ wirelen }) => wirelen >= 60,
  'len < 100': ({ wirelen }) => wirelen < 100,
  'link[0] & 1 = 1': ({ data }) => data.length > 0 && (data[0]! & 1) === 1,
  'link[2:2] != 7': ({ data }) => data.length >= 4 && data.readUInt16BE(2) !== 7,
};

const NS = 1_000_000_000n;
const INT64_MAX = (1n << 63n) - 1n;
const UINT64_MAX = (1n << 64n) - 1n;
const clamped = (ns: bigint): bigint => (ns > INT64_MAX ? INT64_MAX : ns < -INT64_MAX - 1n ? -INT64_MAX - 1n : ns);

export function expectedOf(source: Capture, request: ExportRequest): Expected | ErrorCode {
  const { windows, filters, snapLengthBytes, limits, format } = request;
  const out: Expected = { packets: [], read: 0, inWindows: 0, cut: 0, stoppedBy: null, damageAt: source.damageAt };
  let capturedBytes = 0n;
  let firstNs: bigint | null = null;
  const stopped = (by: Expected['stoppedBy']): Expected => ({ ...out, stoppedBy: by, damageAt: null });
  for (const packet of source.packets) {
    const time = packet.timeNs === null ? null : clamped(packet.timeNs);
    const isIn =
      windows.length === 0 ||
      windows.some(({ startNs, endNs }) => startNs === null && endNs === null) ||
      (time !== null && windows.some(({ startNs, endNs }) => (startNs === null || time >= startNs) && (endNs === null || time < endNs)));
    if (isIn && filters.every((filter) => FILTERS[textOf(filter)]!(packet))) {
      const keep = snapLengthBytes === 0 ? packet.caplen : Math.min(packet.caplen, snapLengthBytes);
      if (limits.capturedBytes > 0n && capturedBytes + BigInt(keep) > limits.capturedBytes) return stopped('bytes');
      if (limits.durationNs > 0n && time !== null && firstNs !== null && time - firstNs >= limits.durationNs) return stopped('duration');
      const refusal = refusalOf(source, packet, time, format, out.packets[0]);
      if (refusal) return refusal;
      out.packets.push(written(source, packet, time, keep, format));
      capturedBytes += BigInt(keep);
      firstNs ??= time;
      if (keep < packet.caplen) out.cut += 1;
    }
    out.read += 1;
    if (isIn) out.inWindows += 1;
    if (limits.packets > 0n && BigInt(out.packets.length) === limits.packets) return stopped('packets');
  }
  return out;
}

/** Without a time a packet is written at the start of its clock. */
function written(source: Capture, packet: ReadPacket, time: bigint | null, keep: number, format: string): OutPacket {
  const tick = format.endsWith('_us') ? 1000n : 1n;
  const isPcapng = format.startsWith('pcapng_');
  const start = isPcapng ? source.interfaces[packet.interface]!.offsetSeconds * NS : 0n;
  const ticks = time === null ? 0n : (time - start) / tick;
  return {
    timeNs: start + tick * (ticks < 0n ? 0n : ticks > UINT64_MAX ? UINT64_MAX : ticks),
    caplen: keep,
    wirelen: packet.wirelen,
    data: packet.data.toString('hex', 0, keep),
    linkType: packet.linkType,
    interface: isPcapng ? packet.interface : 0,
    drops: isPcapng ? packet.drops : 0n,
    comments: isPcapng ? packet.comments : [],
  };
}

/** Why the format can not hold the packet. */
function refusalOf(source: Capture, packet: ReadPacket, time: bigint | null, format: string, first: OutPacket | undefined): ErrorCode | null {
  if (format.startsWith('pcap_')) {
    if (first !== undefined && first.linkType !== packet.linkType) return 'OUTPUT_LINK_TYPES';
    // A fraction of a second and more goes as it is, where its field can hold it.
    const isOdd = packet.nanos >= NS && packet.nanos / (format === 'pcap_us' ? 1000n : 1n) <= 0xffffffffn;
    return time !== null && !isOdd && (time < 0n || time >= NS << 32n) ? 'OUTPUT_TIME_RANGE' : null;
  }
  // A time that was clamped on the way in is clamped on the way out.
  if (time === null || time !== packet.timeNs) return null;
  const sinceOffset = time - source.interfaces[packet.interface]!.offsetSeconds * NS;
  const ticks = sinceOffset / (format.endsWith('_us') ? 1000n : 1n);
  return sinceOffset < 0n || ticks >> 64n > 0n ? 'OUTPUT_TIME_RANGE' : null;
}

/** A packet that the format can not hold for two reasons may be refused for either. */
export const refusal = (code: string): string => (code === 'OUTPUT_TIME_RANGE' || code === 'OUTPUT_LINK_TYPES' ? 'the format can not hold it' : code);

/** As the model tells packets. */
export const told = ({ timeNs, caplen, wirelen, data, linkType, drops, comments, ...packet }: ReadPacket): OutPacket => ({
  timeNs: timeNs!,
  caplen,
  wirelen,
  data: data.toString('hex'),
  linkType,
  interface: packet.interface,
  drops,
  comments,
});

/** Where a capture of a merge is damaged. */
export interface Damaged {
  /** Its number in the merge. */
  source: number;
  offsetBytes: number;
  /** Merged packets that come before it is known. */
  after: number;
}

/**
 * Several captures as one: always the packet with the smallest time among the heads, of equal ones that of the capture
 * named first; a packet without a time follows the one before it, or comes first of all. What describes interfaces at the
 * start of a capture comes with its first packet, everything else behind the packet that it stands behind.
 */
export function mergedOf(captures: readonly Capture[]): Capture & { damaged: Damaged[] } {
  const merged: Capture & { damaged: Damaged[] } = {
    container: captures.every(({ container }) => container === 'pcap') ? 'pcap' : 'pcapng',
    packets: [],
    interfaces: [],
    described: [],
    sections: 1,
    damageAt: null,
    damaged: [],
  };
  const START = -INT64_MAX - 1n;
  const sources = captures.map((capture, source) => ({
    ...capture,
    source,
    at: 0,
    key: clamped(capture.packets[0]?.timeNs ?? START),
    ids: [] as number[],
    isOver: false,
  }));
  /** What stands between the last packet taken and the next. */
  const pass = (from: (typeof sources)[number]): void => {
    for (const [i, one] of from.interfaces.entries()) {
      if (from.described[i] !== from.at) continue;
      from.ids[i] = merged.interfaces.length;
      merged.interfaces.push(one);
      merged.described.push(merged.packets.length);
    }
    if (from.at < from.packets.length) return;
    from.isOver = true;
    if (from.damageAt !== null) merged.damaged.push({ source: from.source, offsetBytes: from.damageAt, after: merged.packets.length });
  };
  for (;;) {
    let next: (typeof sources)[number] | null = null;
    for (const one of sources) if (!one.isOver && (next === null || one.key < next.key)) next = one;
    if (next === null) return merged;
    if (next.at === 0) pass(next);
    while (!next.isOver) {
      const packet = next.packets[next.at]!;
      merged.packets.push({ ...packet, interface: next.ids[packet.interface]! });
      next.at += 1;
      pass(next);
      const following = next.packets[next.at];
      if (following === undefined || following.timeNs === null) continue;
      next.key = clamped(following.timeNs);
      break;
    }
  }
}
