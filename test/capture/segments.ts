/** Reads what a capture leaves: segments, marks, losses. Apart from the code that writes them. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface StoredPacket {
  time: bigint;
  caplen: number;
  wirelen: number;
  data: Buffer;
}

/** All enhanced packet blocks of a little-endian PCAPNG file, or of its first bytes. */
export function packetsOf(file: Buffer): StoredPacket[] {
  const packets: StoredPacket[] = [];
  let at = 0;
  while (at < file.length) {
    const type = file.readUInt32LE(at);
    const size = file.readUInt32LE(at + 4);
    if (size < 12 || size % 4 !== 0 || at + size > file.length || file.readUInt32LE(at + size - 4) !== size)
      throw new Error(`no whole block at ${at}`);
    if (type === 6) {
      const caplen = file.readUInt32LE(at + 20);
      packets.push({
        time: (BigInt(file.readUInt32LE(at + 12)) << 32n) | BigInt(file.readUInt32LE(at + 16)),
        caplen,
        wirelen: file.readUInt32LE(at + 24),
        data: file.subarray(at + 28, at + 28 + caplen),
      });
    }
    at += size;
  }
  return packets;
}

export const sealedNames = (folder: string): string[] =>
  existsSync(folder)
    ? readdirSync(folder)
        .filter((name) => name.endsWith('.pcapng'))
        .sort()
    : [];

/** All packets of an interface's sealed segments, in order. */
export const sealedPackets = (folder: string): StoredPacket[] => sealedNames(folder).flatMap((name) => packetsOf(readFileSync(join(folder, name))));

const HEADERS = 14 + 20 + 8;
const TAG_PROTOCOLS = new Set([0x8100, 0x88a8]);

/** The number that the sender put into a frame. */
export function numberOf({ data }: Pick<StoredPacket, 'data'>): number {
  let tags = 0;
  while (TAG_PROTOCOLS.has(data.readUInt16BE(12 + tags))) tags += 4;
  return Number(data.readBigUInt64LE(HEADERS + tags));
}
export const storedNumbers = (folder: string): number[] => sealedPackets(folder).map(numberOf);

export interface Marks {
  segmentId: bigint;
  visibleBytes: bigint;
  durableBytes: bigint;
  packets: bigint;
  packetsStored: bigint;
}

/** The newer of the two slots; the layout is that of native/capture/marks.h. */
export function marksOf(folder: string): Marks {
  const page = readFileSync(join(folder, 'marks'));
  if (page.toString('latin1', 0, 8) !== 'SPILMARK') throw new Error('no marks');
  const at = page.readBigUInt64LE(64) > page.readBigUInt64LE(192) ? 64 : 192;
  const word = (offset: number): bigint => page.readBigUInt64LE(at + offset);
  return { segmentId: word(8), visibleBytes: word(16), durableBytes: word(24), packets: word(32), packetsStored: word(56) };
}

const KINDS = ['', 'ring', 'queue', 'disk', 'link_down', 'link_gone', 'stopped'];

export interface StoredLoss {
  kind: string;
  start: bigint;
  end: bigint;
  /** null where it is not known. */
  packets: number | null;
}

/** The record of losses; the layout is that of native/capture/losses.h. */
export function lossesOf(folder: string): StoredLoss[] {
  const file = readFileSync(join(folder, 'losses'));
  const losses: StoredLoss[] = [];
  for (let at = 16; at + 48 <= file.length; at += 48) {
    const packets = file.readBigUInt64LE(at + 32);
    losses.push({
      kind: KINDS[file.readUInt8(at + 4)] ?? 'unknown',
      start: file.readBigInt64LE(at + 16),
      end: file.readBigInt64LE(at + 24),
      packets: packets === 0xffff_ffff_ffff_ffffn ? null : Number(packets),
    });
  }
  return losses;
}

export const lostPackets = (folder: string): number => lossesOf(folder).reduce((sum, { packets }) => sum + (packets ?? 0), 0);

/** first, first + 1, … */
export const upTo = (first: number, count: number): number[] => Array.from({ length: count }, (_, i) => first + i);
