/** Packets as large as a record may be, larger than an output slot, from files and streams. */
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { SLOT_BYTES } from '../../src/engine/limits.js';
import { NgBlocks, pcapFile } from '../support/build.js';
import { cutInto } from '../support/cutting.js';
import { request, runExport } from '../support/engine.js';
import { makePipe } from '../support/pipe.js';
import { readCapture } from '../support/reader.js';
import { temporaryFolder } from '../support/temporary.js';

// What a slot holds is the main thread's to say, so this may be told to it beside worker threads, too.
vi.mock('../../src/engine/limits.js', async (original) => (await import('../support/cutting.js')).changeable(await original()));

const folder = temporaryFolder();
const BLOCK_MAX_BYTES = 16 << 20;
/** The most that an enhanced packet block can hold, all in all 16 MiB. */
const LARGEST = BLOCK_MAX_BYTES - 32;

const data = (size: number, byte: number): Buffer => Buffer.alloc(size, byte);
const blocks = new NgBlocks();
const packets = [data(60, 1), data(LARGEST, 2), data(61, 3), data(LARGEST - 1, 4), data(62, 5)];
const pcapng = Buffer.concat([
  blocks.section(),
  blocks.interface(),
  ...packets.map((bytes, i) => blocks.enhanced({ ticks: BigInt(i), data: bytes })),
]);
const lengths = (bytes: Buffer): number[] => readCapture(bytes).packets.map(({ caplen }) => caplen);

describe('large packets', () => {
  beforeAll(() => cutInto({ SLOT_BYTES: 9 << 20 }));

  it('are larger than a slot', () => expect(LARGEST).toBeGreaterThan(SLOT_BYTES));

  it.each([0, 2])(
    'go through whole, in every format (%i workers)',
    async (workers) => {
      const path = folder.write('large.pcapng', pcapng);
      for (const format of ['pcap_ns', 'pcapng_us', 'pcapng_ns'] as const) {
        const { bytes, receipt } = await runExport(request(path, { format }), { workers });
        expect(receipt.damage).toEqual([]);
        const { packets: out, interfaces } = format === 'pcap_ns' ? readLong(bytes) : readCapture(bytes);
        expect(interfaces).toHaveLength(1);
        expect(out.map(({ caplen }) => caplen)).toEqual(packets.map(({ length }) => length));
        for (const [i, packet] of out.entries()) expect(packet.data.equals(packets[i]!)).toBe(true);
      }
    },
    60_000,
  );

  /** A pcap reader believes a length over 262,144 only where the header says so. */
  function readLong(bytes: Buffer): ReturnType<typeof readCapture> {
    const copy = Buffer.from(bytes);
    copy.writeUInt32LE(BLOCK_MAX_BYTES, 16);
    return readCapture(copy);
  }

  it('go into a pcap that our own reader reads again', async () => {
    const path = folder.write('large.pcapng', pcapng);
    const { bytes } = await runExport(request(path, { format: 'pcap_us' }));
    const again = await runExport(request(folder.write('again.pcap', bytes), { format: 'pcap_us' }));
    expect(again.receipt).toMatchObject({ damage: [], packets_exported: 5n });
  }, 60_000);

  it('come by a pipe', async () => {
    const pipe = makePipe(folder.path);
    pipe.writeEnd.end(pcapng);
    const { bytes, receipt } = await runExport(request([{ fd: pipe.readEnd, name: '-' }], { format: 'pcapng_us' }));
    expect(receipt).toMatchObject({ packets_exported: 5n, damage: [] });
    expect(lengths(bytes)).toEqual(packets.map(({ length }) => length));
  }, 60_000);

  it('beyond 16 MiB are damage, in both formats', async () => {
    const ng = Buffer.concat([
      blocks.section(),
      blocks.interface(),
      blocks.enhanced({ ticks: 1n, data: data(60, 1) }),
      blocks.enhanced({ ticks: 2n, data: data(LARGEST + 1, 2) }),
    ]);
    const pcap = pcapFile(
      [data(60, 1), data(BLOCK_MAX_BYTES + 1, 2)].map((bytes) => ({ seconds: 1, fraction: 1, data: bytes })),
      { snapLength: 0x7fffffff },
    );
    for (const bytes of [ng, pcap]) {
      const { receipt } = await runExport(request(folder.write('beyond', bytes), { format: 'pcapng_ns' }));
      expect(receipt).toMatchObject({ packets_exported: 1n, truncated: true, damage: [{ file: 'beyond' }] });
    }
  }, 60_000);

  it('over 262,144 bytes are believed in pcap where the header says so', async () => {
    const one = { seconds: 1, fraction: 1, data: data(300_000, 1) };
    const run = async (snapLength: number) =>
      (await runExport(request(folder.write('snap.pcap', pcapFile([one], { snapLength })), { format: 'pcapng_ns' }))).receipt;
    expect(await run(300_000)).toMatchObject({ packets_exported: 1n, damage: [] });
    expect(await run(262_144)).toMatchObject({ packets_exported: 0n, damage: [{ offsetBytes: 24, reason: expect.stringContaining('300000') }] });
  });

  it('cut to a snap length need no room', async () => {
    const { bytes } = await runExport(request(folder.write('large.pcapng', pcapng), { format: 'pcap_us', snapLengthBytes: 96 }));
    expect(lengths(bytes)).toEqual([60, 96, 61, 96, 62]);
  });
});
