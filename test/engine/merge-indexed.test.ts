/** Sources that overlap are read by their indexes, and the output is that of reading all of them. */
import { closeSync, fstatSync, openSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { BufferLane } from '../../src/buffer/lane.js';
import type { FileIndex, Indexes } from '../../src/engine/indexes.js';
import type { ExportRequest, Source } from '../../src/engine/types.js';
import { chance } from '../support/chance.js';
import { FakeBuffer, makeIndex } from '../support/buffer.js';
import { NgBlocks, payload, type NgPacket } from '../support/build.js';
import { request, runExport, type Exported } from '../support/engine.js';
import { temporaryFolder } from '../support/temporary.js';

const folder = temporaryFolder();
const START_NS = 1_700_000_000_000_000_000n;
const SECOND = 1_000_000_000n;
const RARE_PORT = 7;
const FILTER = `udp port ${RARE_PORT}`;
/** Several blocks of an index (64 KiB each) to a segment. */
const PACKETS = 160;

type Random = () => number;
const below = (random: Random, bound: number): number => Math.floor(random() * bound);

function udpFrame(port: number, size: number, seed: number): Buffer {
  const frame = Buffer.concat([Buffer.alloc(42), payload(size, seed)]);
  frame.writeUInt16BE(0x0800, 12);
  frame[14] = 0x45;
  frame.writeUInt16BE(28 + size, 16);
  frame[22] = 64;
  frame[23] = 17;
  frame.writeUInt16BE(port, 34);
  frame.writeUInt16BE(9, 36);
  frame.writeUInt16BE(8 + size, 38);
  return frame;
}

/** Indexes that are there already, by file. */
class Made implements Indexes {
  readonly #paths = new Map<number, { path: string; id: bigint }>();

  add(path: string, id: bigint): void {
    const { ino, size } = statSync(path);
    makeIndex(path, size, `${path}.index`, id);
    this.#paths.set(ino, { path: `${path}.index`, id });
  }
  async of(fd: number): Promise<FileIndex | null> {
    const { path, id } = this.#paths.get(fstatSync(fd).ino)!;
    const own = openSync(path, 'r');
    return { fd: own, id, close: async () => closeSync(own) };
  }
}

/** In about the order of their times; some step back, and a few are wanted. */
function packetsOf(random: Random, count: number, from: bigint): NgPacket[] {
  let time = from;
  return Array.from({ length: count }, (_, n) => {
    time += BigInt(below(random, 2000)) * 1_000_000n;
    const back = random() < 0.03 ? BigInt(below(random, 60)) * SECOND : 0n;
    const port = random() < 0.02 ? RARE_PORT : 1000 + (n % 50);
    return { ticks: time - back, data: udpFrame(port, 1500 + below(random, 4000), n) };
  });
}

interface Lanes {
  indexed: FakeBuffer;
  plain: FakeBuffer;
}

let made = 0;
function makeLanes(random: Random): Lanes {
  const [indexed, plain] = ['indexed', 'plain'].map((kind) => new FakeBuffer(join(folder.path, `${kind}-${made}`))) as [FakeBuffer, FakeBuffer];
  made += 1;
  const segments = 1 + below(random, 4);
  for (let n = 0; n < segments; n++) {
    const packets = packetsOf(random, PACKETS, START_NS + BigInt(n * PACKETS) * SECOND);
    for (const buffer of [indexed, plain]) {
      buffer.store(packets);
      buffer.seal({ index: buffer === indexed });
    }
  }
  return { indexed, plain };
}

const open = async ({ folder: path }: FakeBuffer, name: string): Promise<Source> => ({
  lane: await BufferLane.open(path, { name, windows: [], until: 'now', isCaptured: async () => false }),
  name,
});

function wishesOf(random: Random): Partial<ExportRequest> {
  const at = (): bigint => START_NS + BigInt(below(random, 4 * PACKETS)) * SECOND;
  const [a, b] = [at(), at()];
  const windows = random() < 0.5 ? [] : [{ startNs: a < b ? a : b, endNs: random() < 0.3 ? null : a < b ? b : a }];
  const packets = random() < 0.3 ? BigInt(1 + below(random, 8)) : 0n;
  return {
    windows,
    filters: windows.length > 0 && random() < 0.3 ? [] : [FILTER],
    limits: { packets, capturedBytes: 0n, durationNs: 0n },
    format: random() < 0.5 ? 'pcap_ns' : 'pcapng_ns',
  };
}

/** What does not depend on how much was read. A rule that stops the export leaves unread what an index may have told of. */
function comparable({ bytes, receipt }: Exported): unknown {
  if (receipt.stopped_by === null) return { bytes, receipt };
  const { packets_exported, bytes_exported, crc32c, stopped_by, damage } = receipt;
  return { bytes, packets_exported, bytes_exported, crc32c, stopped_by, damage };
}

describe('sources that overlap, read by their indexes', () => {
  it.each(Array.from({ length: 4 }, (_, seed) => [seed]))('lanes of a buffer, %i', { timeout: 120_000 }, async (seed) => {
    const random = chance(seed);
    const lanes = Array.from({ length: 2 + below(random, 2) }, () => makeLanes(random));
    const wishes = wishesOf(random);
    const outcomes = [];
    for (const kind of ['plain', 'indexed'] as const) {
      const sources = await Promise.all(lanes.map((each, i) => open(each[kind], `lane ${i}`)));
      outcomes.push(comparable(await runExport(request(sources, wishes), { workers: seed % 3 })));
    }
    expect(outcomes[1]).toEqual(outcomes[0]);
  });

  it.each(Array.from({ length: 3 }, (_, seed) => [seed]))(
    'files with packets without a time and several interfaces, %i',
    { timeout: 120_000 },
    async (seed) => {
      const random = chance(1000 + seed);
      const indexes = new Made();
      const paths = Array.from({ length: 2 + below(random, 2) }, (_, i) => {
        const blocks = new NgBlocks();
        const bytes = [blocks.section(), blocks.interface({ linkType: 1, snapLength: 262144, resolution: 9, name: 'eth0' })];
        let interfaces = 1;
        for (const packet of packetsOf(random, 2 * PACKETS, START_NS)) {
          if (random() < 0.01) {
            bytes.push(blocks.interface({ linkType: 1, snapLength: 262144, resolution: 9, name: `eth${interfaces}` }));
            interfaces += 1;
          }
          if (random() < 0.02) bytes.push(blocks.simple(packet.data));
          else bytes.push(blocks.enhanced({ ...packet, interface: below(random, interfaces) }));
        }
        const path = folder.write(`file-${seed}-${i}.pcapng`, Buffer.concat(bytes));
        indexes.add(path, BigInt(i));
        return path;
      });
      const asked = request(
        paths.map((path, i) => ({ path, name: `file ${i}` })),
        wishesOf(random),
      );
      const plain = comparable(await runExport(asked, { workers: seed % 3 }));
      expect(comparable(await runExport(asked, { workers: seed % 3 }, { indexes }))).toEqual(plain);
    },
  );

  it('and what they leave out is not read', async () => {
    const random = chance(5);
    const lanes = [makeLanes(random), makeLanes(random)];
    const name = '0000000000000001';
    const wanted = await runExport(request(await Promise.all(lanes.map(({ plain }, i) => open(plain, `lane ${i}`))), { filters: [FILTER] }), {
      workers: 0,
    });
    // A byte in the middle of a frame, in every block where nothing is wanted: whoever reads it names the block as damaged.
    for (const { indexed } of lanes) {
      const path = join(indexed.folder, `${name}.pcapng`);
      const bytes = readFileSync(path);
      spoilUnwanted(bytes);
      writeFileSync(path, bytes);
    }
    const got = await runExport(request(await Promise.all(lanes.map(({ indexed }, i) => open(indexed, `lane ${i}`))), { filters: [FILTER] }), {
      workers: 0,
    });
    expect(got.bytes).toEqual(wanted.bytes);
    expect(got.receipt.damage).toEqual([]);
  });
});

/** Flips a byte of every frame that is further than a block from all that is wanted. */
function spoilUnwanted(bytes: Buffer): void {
  const records: { at: number; isRare: boolean }[] = [];
  for (let at = 0; at < bytes.length; at += bytes.readUInt32LE(at + 4))
    if (bytes.readUInt32LE(at) === 6) records.push({ at, isRare: bytes.readUInt16BE(at + 28 + 34) === RARE_PORT });
  const rare = records.filter(({ isRare }) => isRare).map(({ at }) => at);
  let spoilt = 0;
  for (const { at } of records) {
    // The first block describes the interface and is always read; a block is 64 KiB, or a frame more.
    if (at < 80_000 || rare.some((other) => Math.abs(other - at) < 80_000)) continue;
    bytes[at + 200]! ^= 0xff;
    spoilt += 1;
  }
  expect(spoilt).toBeGreaterThan(0);
}
