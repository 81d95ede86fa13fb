/**
 * A chunk of pcap records, laid out once and sent many times: sizes, kinds and payload stay, and `Stamper` writes
 * times, addresses, ports and sequence numbers anew each time. That is what makes the generator as fast as the disk.
 */
import { frameBytes, SHARE, type ProfileName } from './profile.js';
import type { Random } from './random.js';

export const RECORD_HEADER_BYTES = 16;
export const ETHERNET_BYTES = 14;
export const TAG_BYTES = 4;

export const IPV4 = 0;
export const IPV6 = 1;
export const TCP = 0;
export const UDP = 2;

/** Everything a stamp needs of a record: parallel arrays, one element a record. */
export interface Layout {
  readonly bytes: Buffer;
  readonly view: DataView;
  readonly records: number;
  /** Offset of the record header, one more than records: the last is the end. */
  readonly offset: Uint32Array;
  /** Offset of the IP header. */
  readonly ip: Uint32Array;
  /** `IPV4 | IPV6` plus `TCP | UDP`. */
  readonly kind: Uint8Array;
  /** Length of the TCP or UDP payload, and the sum of its 16-bit words for the checksums. */
  readonly payload: Uint16Array;
  readonly payloadSum: Uint32Array;
}

const TCP_HEADER_BYTES = 20;
const UDP_HEADER_BYTES = 8;

export const ipHeaderBytes = (kind: number): number => ((kind & IPV6) === 0 ? 20 : 40);
export const transportHeaderBytes = (kind: number): number => ((kind & UDP) === 0 ? TCP_HEADER_BYTES : UDP_HEADER_BYTES);

/** Lays out as many records as fit in `capacityBytes`. */
export function layOut(profile: ProfileName, capacityBytes: number, random: Random): Layout {
  const bytes = Buffer.alloc(capacityBytes);
  const offset: number[] = [];
  const ip: number[] = [];
  const kind: number[] = [];
  const payload: number[] = [];
  let at = 0;
  for (;;) {
    const tagged = random.below(100) < SHARE.vlan;
    const itsKind = (random.below(100) < SHARE.ipv6 ? IPV6 : IPV4) | (random.below(100) < SHARE.udp ? UDP : TCP);
    const headers = ETHERNET_BYTES + ipHeaderBytes(itsKind) + transportHeaderBytes(itsKind);
    const untagged = Math.max(frameBytes(profile, random), headers);
    const frame = untagged + (tagged ? TAG_BYTES : 0);
    if (at + RECORD_HEADER_BYTES + frame > capacityBytes) break;
    offset.push(at);
    kind.push(itsKind);
    payload.push(untagged - headers);
    ip.push(writeConstants(bytes, at, frame, itsKind, tagged, random));
    at += RECORD_HEADER_BYTES + frame;
  }
  const records = offset.length;
  offset.push(at);
  const layout = {
    bytes,
    view: new DataView(bytes.buffer, bytes.byteOffset, bytes.length),
    records,
    offset: Uint32Array.from(offset),
    ip: Uint32Array.from(ip),
    kind: Uint8Array.from(kind),
    payload: Uint16Array.from(payload),
    payloadSum: new Uint32Array(records),
  };
  for (let n = 0; n < records; n++) layout.payloadSum[n] = wordSum(bytes, offset[n + 1]! - payload[n]!, payload[n]!);
  return layout;
}

/** Writes all that no stamp changes; returns the offset of the IP header. */
function writeConstants(bytes: Buffer, at: number, frame: number, kind: number, tagged: boolean, random: Random): number {
  bytes.writeUInt32LE(frame, at + 8);
  bytes.writeUInt32LE(frame, at + 12);
  const ethernet = at + RECORD_HEADER_BYTES;
  const end = ethernet + frame;
  bytes.writeUIntBE(0x020000000000 + random.below(256), ethernet, 6);
  bytes.writeUIntBE(0x020000010000 + random.below(256), ethernet + 6, 6);
  let ip = ethernet + ETHERNET_BYTES;
  if (tagged) {
    bytes.writeUInt16BE(0x8100, ip - 2);
    bytes.writeUInt16BE(random.between(10, 13), ip);
    ip += TAG_BYTES;
  }
  const isV4 = (kind & IPV6) === 0;
  bytes.writeUInt16BE(isV4 ? 0x0800 : 0x86dd, ip - 2);
  const transport = ip + ipHeaderBytes(kind);
  if (isV4) writeIpv4(bytes, ip, end - ip, kind);
  else writeIpv6(bytes, ip, end - transport, kind);
  if ((kind & UDP) === 0) {
    bytes.writeUInt16BE(0x5010, transport + 12); // no options, ACK
    bytes.writeUInt16BE(0xfaf0, transport + 14); // window
  } else {
    bytes.writeUInt16BE(end - transport, transport + 4);
  }
  fill(bytes, transport + transportHeaderBytes(kind), end, random);
  return ip;
}

/** Random bytes in `[at, end)`. */
function fill(bytes: Buffer, at: number, end: number, random: Random): void {
  let to = at;
  for (; to + 4 <= end; to += 4) bytes.writeInt32LE(random.next() | 0, to);
  for (; to < end; to++) bytes[to] = random.next() & 0xff;
}

function writeIpv4(bytes: Buffer, ip: number, length: number, kind: number): void {
  bytes.writeUInt16BE(0x4500, ip);
  bytes.writeUInt16BE(length, ip + 2);
  bytes.writeUInt16BE(0x4000, ip + 6); // do not fragment
  bytes.writeUInt16BE(0x4000 | ((kind & UDP) === 0 ? 6 : 17), ip + 8);
}

function writeIpv6(bytes: Buffer, ip: number, payloadLength: number, kind: number): void {
  bytes.writeUInt32BE(0x60000000, ip);
  bytes.writeUInt16BE(payloadLength, ip + 4);
  bytes.writeUInt16BE((((kind & UDP) === 0 ? 6 : 17) << 8) | 64, ip + 6);
  bytes.writeUInt32BE(0x20010db8, ip + 8); // 2001:db8::/32, the prefix for documentation
  bytes.writeUInt32BE(0x20010db8, ip + 24);
}

/** Sum of big-endian 16-bit words, an odd last byte as the upper half of one. */
function wordSum(bytes: Buffer, at: number, length: number): number {
  let sum = 0;
  for (let n = 0; n + 1 < length; n += 2) sum += bytes.readUInt16BE(at + n);
  return length % 2 === 0 ? sum : sum + bytes[at + length - 1]! * 256;
}
