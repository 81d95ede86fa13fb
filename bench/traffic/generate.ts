/** Makes one pcap file of seeded traffic. A file of n bytes is the beginning of every longer one of the same profile and seed. */
import { layOut } from './layout.js';
import { START_SECONDS, type ProfileName } from './profile.js';
import { Random } from './random.js';
import { Stamper } from './stamper.js';

export interface TrafficRequest {
  profile: ProfileName;
  seed: number;
  /** The file ends with the first packet that brings it to this length or past it. */
  bytes: number;
}

export interface TrafficFacts {
  bytes: number;
  packets: number;
  /** Packets that hold the rare host and the rare port. */
  rarePairs: number;
  firstNs: bigint;
  lastNs: bigint;
}

const CHUNK_BYTES = 4 << 20;
/** Layouts in turn, by lot: enough that a file does not visibly repeat, few enough to build in no time. */
const LAYOUTS = 8;
const SNAP_LENGTH = 262_144;
const LINK_TYPE_ETHERNET = 1;

/** The header of a little-endian pcap file with microseconds. */
function fileHeader(): Buffer {
  const header = Buffer.alloc(24);
  header.writeUInt32LE(0xa1b2c3d4, 0);
  header.writeUInt16LE(2, 4);
  header.writeUInt16LE(4, 6);
  header.writeUInt32LE(SNAP_LENGTH, 16);
  header.writeUInt32LE(LINK_TYPE_ETHERNET, 20);
  return header;
}

/** Hands the file to `write` piece by piece; a piece is valid until `write` returns. */
export function generate({ profile, seed, bytes }: TrafficRequest, write: (piece: Buffer) => void): TrafficFacts {
  const random = new Random(seed * 2 + (profile === 'imix' ? 0 : 1));
  const layouts = Array.from({ length: LAYOUTS }, () => layOut(profile, CHUNK_BYTES, random));
  const stamper = new Stamper(random);
  const header = fileHeader();
  write(header);
  let written = header.length;
  while (written < bytes) {
    const layout = layouts[random.below(LAYOUTS)]!;
    let records = layout.records;
    // The records of the last chunk that are needed: the first whose end reaches the length asked for.
    if (written + layout.offset[records]! > bytes) records = 1 + layout.offset.subarray(1).findIndex((end) => written + end >= bytes);
    stamper.stamp(layout, records);
    const length = layout.offset[records]!;
    write(layout.bytes.subarray(0, length));
    written += length;
  }
  return {
    bytes: written,
    packets: stamper.packets,
    rarePairs: stamper.pairs,
    firstNs: BigInt(START_SECONDS) * 1_000_000_000n,
    lastNs: stamper.lastNs,
  };
}
