/** What stands around the packets: file headers, sections, interfaces, options, and the receipt. */
import { describe, expect, it } from 'vitest';
import { NgBlocks, payload, pcapFile } from '../support/build.js';
import { slowCrc32c } from '../support/crc32c.js';
import { request, runExport } from '../support/engine.js';
import { readCapture } from '../support/reader.js';
import { temporaryFolder } from '../support/temporary.js';

const folder = temporaryFolder();
const run = (bytes: Buffer, wish: object) => runExport(request(folder.write('source', bytes), wish), { workers: 0 });
const five = (shape = {}): Buffer =>
  pcapFile(
    [60, 61, 62, 63, 64].map((size, i) => ({ seconds: 100 + i, fraction: 7, data: payload(size, i), wirelen: 2 * size })),
    shape,
  );

describe('a pcap header', () => {
  it('is little-endian 2.4 with the unit of the format', async () => {
    for (const shape of [{}, { big: true }, { nanos: true }, { big: true, nanos: true }]) {
      const us = (await run(five(shape), { format: 'pcap_us' })).bytes;
      expect(us.subarray(0, 16).toString('hex')).toBe('d4c3b2a1020004000000000000000000');
      const ns = (await run(five(shape), { format: 'pcap_ns' })).bytes;
      expect(ns.subarray(0, 16).toString('hex')).toBe('4d3cb2a1020004000000000000000000');
    }
  });
  it('has the link type and snap length of the source, or what packets are cut to', async () => {
    const header = async (shape: object, wish: object): Promise<number[]> => {
      const { bytes } = await run(five(shape), { format: 'pcap_us', ...wish });
      return [bytes.readUInt32LE(16), bytes.readUInt32LE(20)];
    };
    expect(await header({ snapLength: 4096, linkType: 101 }, {})).toEqual([4096, 101]);
    expect(await header({ snapLength: 4096 }, { snapLengthBytes: 96 })).toEqual([96, 1]);
    expect(await header({ snapLength: 64 }, { snapLengthBytes: 96 })).toEqual([64, 1]);
    expect(await header({ snapLength: 0 }, { snapLengthBytes: 96 })).toEqual([96, 1]);
  });
  it('is that of the first packet written, not of the first interface', async () => {
    const blocks = new NgBlocks();
    const parts = [blocks.section(), blocks.interface({ linkType: 113, snapLength: 10 }), blocks.interface({ linkType: 101, snapLength: 2000 })];
    const { bytes } = await run(Buffer.concat([...parts, blocks.enhanced({ interface: 1, ticks: 1n, data: payload(60) })]), { format: 'pcap_us' });
    expect([bytes.readUInt32LE(16), bytes.readUInt32LE(20)]).toEqual([2000, 101]);
  });
});

describe('PCAPNG out', () => {
  const blocks = new NgBlocks(true);
  const source = Buffer.concat([
    blocks.section('of the first'),
    blocks.interface({ name: 'eth0', resolution: 3, snapLength: 100 }),
    blocks.block(5, payload(20)),
    blocks.enhanced({ ticks: 1000n, data: payload(60), comment: 'a comment', drops: 4n }),
    blocks.obsolete({ ticks: 2000n, data: payload(33), drops: 3n }),
    blocks.section('of the second'),
    blocks.interface({ name: 'wlan0', linkType: 127 }),
    blocks.enhanced({ ticks: 3_000_000n, data: payload(10) }),
  ]);

  it('is one little-endian section that keeps the interfaces and what is said of packets', async () => {
    const { bytes, receipt } = await run(source, { format: 'pcapng_us' });
    expect(bytes.subarray(0, 12).readUInt32LE(8)).toBe(0x1a2b3c4d);
    const out = readCapture(bytes);
    expect(out.sections).toBe(1);
    expect(out.interfaces.map(({ name, linkType, snapLength, ticks }) => ({ name, linkType, snapLength, ticks }))).toEqual([
      { name: 'eth0', linkType: 1, snapLength: 100, ticks: 1_000_000n },
      { name: 'wlan0', linkType: 127, snapLength: 0, ticks: 1_000_000n },
    ]);
    expect(out.packets.map(({ comments, drops, ...packet }) => [packet.interface, drops, comments])).toEqual([
      [0, 4n, ['a comment']],
      [0, 3n, []],
      [1, 0n, []],
    ]);
    expect(bytes.includes('of the first')).toBe(true);
    expect(receipt).toMatchObject({ packets_dropped_at_capture: 7n, blocks_skipped: 1n });
  });
  it('counts drops of the packets inside the windows alone', async () => {
    const { receipt } = await run(source, { format: 'pcapng_us', windows: [{ startNs: 1_500_000_000n, endNs: null }] });
    expect(receipt.packets_dropped_at_capture).toBe(3n);
  });
});

describe('the receipt', () => {
  it('adds up', async () => {
    const { bytes, receipt } = await run(five(), {
      format: 'pcap_us',
      filters: ['len != 124'],
      windows: [{ startNs: 101_000_000_000n, endNs: 104_000_000_000n }],
      snapLengthBytes: 62,
    });
    expect(receipt).toEqual({
      packets_read: 5n,
      packets_processed: 3n,
      packets_exported: 2n,
      bytes_exported: BigInt(bytes.length),
      captured_bytes_exported: 61n + 62n,
      expected: { packets: 5n, captured_bytes: 310n },
      sent: { packets: 2n, bytes: BigInt(bytes.length), captured_bytes: 61n + 62n },
      left_out: { time: 2n, filter: 1n, limit: 0n, damaged: 0n, snap_bytes: 1n },
      packets_cut: 1n,
      packets_dropped_at_capture: 0n,
      lost: [],
      packets_without_time: 0n,
      times_clamped: 0n,
      blocks_skipped: 0n,
      crc32c: slowCrc32c(bytes).toString(16).padStart(8, '0'),
      exported_range: { first_ns: 101_000_007_000n, last_ns: 103_000_007_000n },
      source_range: { first_ns: 100_000_007_000n, last_ns: 104_000_007_000n },
      truncated: false,
      stopped_by: null,
      damage: [],
      warnings: [],
    });
  });
  it('names the damage by file, offset and reason', async () => {
    const { receipt } = await run(five().subarray(0, -1), {});
    expect(receipt.damage).toEqual([{ file: 'source', offsetBytes: 24 + 4 * 16 + 60 + 61 + 62 + 63, reason: 'the file ends inside a packet' }]);
  });
});
