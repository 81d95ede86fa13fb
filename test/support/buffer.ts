/** The folder of an interface as a capture keeps it, without a capture: segments, their indexes, marks and losses. */
import { closeSync, constants, mkdirSync, openSync, renameSync, rmSync, truncateSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { crc32c, IndexFile } from '../../src/native.js';
import { NgBlocks, type NgPacket } from './build.js';

const ng = new NgBlocks();
const STATES = { stopped: 0, capturing: 1 } as const;

export const segmentName = (id: bigint, ending = 'pcapng'): string => `${String(id).padStart(16, '0')}.${ending}`;

/** The page `marks` with one slot filled (native/capture/marks.h). */
export function marksPage(
  values: {
    segmentId: bigint;
    visibleBytes: bigint;
    sequence?: bigint;
    packets?: bigint;
    smallestNs?: bigint;
    largestNs?: bigint;
    packetsStored?: bigint;
    committedAtNs?: bigint;
    state?: keyof typeof STATES;
  },
  page: Buffer = Buffer.alloc(4096),
): Buffer {
  const {
    segmentId,
    visibleBytes,
    sequence = 7n,
    packets = 0n,
    smallestNs = 0n,
    largestNs = 0n,
    packetsStored = 0n,
    committedAtNs = 0n,
    state = 'capturing',
  } = values;
  page.write('SPILMARK', 'latin1');
  page.writeUInt32LE(1, 8);
  page.writeUInt32LE(128, 12);
  const at = sequence % 2n === 0n ? 64 : 192;
  const slot = page.subarray(at, at + 128);
  slot.fill(0);
  slot.writeBigUInt64LE(sequence, 0);
  slot.writeBigUInt64LE(segmentId, 8);
  slot.writeBigUInt64LE(visibleBytes, 16);
  slot.writeBigUInt64LE(packets, 32);
  slot.writeBigInt64LE(smallestNs, 40);
  slot.writeBigInt64LE(largestNs, 48);
  slot.writeBigUInt64LE(packetsStored, 56);
  slot.writeBigInt64LE(committedAtNs, 88);
  slot.writeUInt32LE(STATES[state], 112);
  slot.writeUInt32LE(crc32c(slot.subarray(0, 124), 0), 124);
  return page;
}

/** One record of the file `losses` (native/capture/losses.h). */
export function lossRecord(kind: number, startNs: bigint, endNs: bigint, packets: bigint, segmentId = 0n): Buffer {
  const record = Buffer.alloc(48);
  record[4] = kind;
  record.writeBigUInt64LE(segmentId, 8);
  record.writeBigInt64LE(startNs, 16);
  record.writeBigInt64LE(endNs, 24);
  record.writeBigUInt64LE(packets, 32);
  record.writeUInt32LE(crc32c(record.subarray(4), 0), 0);
  return record;
}

export function lossFile(records: readonly Buffer[]): Buffer {
  const header = Buffer.alloc(16);
  header.write('SPILLOSS', 'latin1');
  header.writeUInt32LE(1, 8);
  header.writeUInt32LE(48, 12);
  return Buffer.concat([header, ...records]);
}

/** Makes the index of a whole segment file, as sealing does. */
export function makeIndex(path: string, sizeBytes: number, indexPath: string, id: bigint): void {
  const fd = openSync(path, 'r');
  try {
    const index = new IndexFile(fd, sizeBytes, indexPath, id);
    let status = 0;
    while (status === 0) status = index.step(1 << 20);
    if (status !== 1 || index.seal() !== 0) throw new Error(`no index of ${path}`);
  } finally {
    closeSync(fd);
  }
}

/** As a capture writes: whoever reads meanwhile finds what was there before. */
function writeInPlace(path: string, bytes: Buffer, at = 0): void {
  const fd = openSync(path, constants.O_WRONLY | constants.O_CREAT, 0o600);
  try {
    writeSync(fd, bytes, 0, bytes.length, at);
  } finally {
    closeSync(fd);
  }
}

/** What an open segment's file has behind its packets: it is made longer ahead of them. */
export const SPARE_BYTES = 4096;

/** Ethernet frames with times that count up are what a segment holds. */
export class FakeBuffer {
  /** The open segment's. */
  id = 0n;
  #bytes: Buffer = Buffer.alloc(0);
  #times: bigint[] = [];
  #stored = 0n;
  #sequence = 1n;
  #page: Buffer = Buffer.alloc(4096);
  #visible = 0;

  constructor(
    readonly folder: string,
    readonly linkType = 1,
  ) {
    mkdirSync(folder, { recursive: true });
  }

  path(ending: string, id = this.id): string {
    return join(this.folder, segmentName(id, ending));
  }

  /** Packets that a reader sees at once. The file is longer, as one that is preallocated. */
  store(packets: readonly NgPacket[], committedAtNs = packets.at(-1)?.ticks ?? 0n): void {
    const written = this.#bytes.length;
    if (written === 0) {
      this.id += 1n;
      this.#bytes = Buffer.concat([ng.section(), ng.interface({ linkType: this.linkType, snapLength: 262144, resolution: 9, name: 'eth0' })]);
    }
    this.#bytes = Buffer.concat([this.#bytes, ...packets.map((packet) => ng.enhanced(packet))]);
    this.#times.push(...packets.map(({ ticks }) => ticks));
    this.#stored += BigInt(packets.length);
    writeInPlace(this.path('pcapng.part'), Buffer.concat([this.#bytes.subarray(written), Buffer.alloc(SPARE_BYTES)]), written);
    this.#visible = this.#bytes.length;
    this.publish(committedAtNs);
  }

  publish(committedAtNs: bigint, state: keyof typeof STATES = 'capturing'): void {
    const [smallestNs = 0n, largestNs = smallestNs] = [...this.#times]
      .sort((a, b) => (a < b ? -1 : 1))
      .filter((_, i, all) => i === 0 || i === all.length - 1);
    const packets = BigInt(this.#times.length);
    const values = { segmentId: this.id, visibleBytes: BigInt(this.#visible), packets, smallestNs, largestNs, packetsStored: this.#stored };
    this.#page = marksPage({ ...values, sequence: ++this.#sequence, committedAtNs, state }, this.#page);
    writeInPlace(join(this.folder, 'marks'), this.#page);
  }

  seal({ index = true } = {}): void {
    truncateSync(this.path('pcapng.part'), this.#bytes.length);
    if (index) makeIndex(this.path('pcapng.part'), this.#bytes.length, this.path('index'), this.id);
    renameSync(this.path('pcapng.part'), this.path('pcapng'));
    this.#bytes = Buffer.alloc(0);
    this.#times = [];
  }

  /** As retention lets go of one. */
  drop(id: bigint): void {
    rmSync(this.path('pcapng', id));
    rmSync(this.path('index', id), { force: true });
  }
}
