/** The bench's own reader: the same packets give one digest in every format and every cut, and nothing else does. */
import { describe, expect, it } from 'vitest';
import { digest, type PacketDigest } from '../../bench/digest/digest.js';

interface Packet {
  seconds: number;
  micros: number;
  wire: number;
  data: Buffer;
}

const PACKETS: Packet[] = [
  { seconds: 1_700_000_000, micros: 5, wire: 60, data: Buffer.alloc(60, 1) },
  { seconds: 1_700_000_000, micros: 999_999, wire: 1514, data: Buffer.alloc(97, 2) },
  { seconds: 1_700_000_001, micros: 0, wire: 0, data: Buffer.alloc(0) },
];

function words(...values: number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length);
  for (const [i, value] of values.entries()) bytes.writeUInt32LE(value, 4 * i);
  return bytes;
}

function pcap(packets: Packet[], unit: 'us' | 'ns' = 'us'): Buffer {
  const records = packets.map(({ seconds, micros, wire, data }) => [words(seconds, unit === 'us' ? micros : micros * 1000, data.length, wire), data]);
  return Buffer.concat([words(unit === 'us' ? 0xa1b2c3d4 : 0xa1b23c4d, 0x00040002, 0, 0, 65535, 1), ...records.flat()]);
}

function block(type: number, ...parts: Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  const padded = Buffer.concat([body, Buffer.alloc(-body.length & 3)]);
  return Buffer.concat([words(type, padded.length + 12), padded, words(padded.length + 12)]);
}

/** PCAPNG with a resolution of `10^-digits` s, or of `2^-digits` s with the top bit set. */
function pcapng(packets: Packet[], resolution: number, ticksPerSecond: bigint): Buffer {
  const section = block(0x0a0d0d0a, words(0x1a2b3c4d, 1, 0xffffffff, 0xffffffff));
  const option = Buffer.from([9, 0, 1, 0, resolution, 0, 0, 0, 0, 0, 0, 0]);
  const blocks = packets.map(({ seconds, micros, wire, data }) => {
    const ticks = BigInt(seconds) * ticksPerSecond + (BigInt(micros) * ticksPerSecond) / 1_000_000n;
    return block(6, words(0, Number(ticks >> 32n), Number(ticks & 0xffffffffn), data.length, wire), data);
  });
  const statistics = block(5, words(0, 0, 0));
  return Buffer.concat([section, block(1, words(1, 0), option), ...blocks, statistics]);
}

async function* cut(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield Buffer.from(bytes.subarray(at, at + size));
  await Promise.resolve();
}

const of = (bytes: Buffer, size = 1 << 20): Promise<PacketDigest> => digest(cut(bytes, size));

describe('digest', () => {
  it('agrees between formats and resolutions', async () => {
    const expected = await of(pcap(PACKETS));
    expect(expected).toMatchObject({
      packets: 3,
      capturedBytes: 157,
      wireBytes: 1574,
      firstNs: 1_700_000_000_000_005_000n,
      lastNs: 1_700_000_001_000_000_000n,
    });
    expect(await of(pcap(PACKETS, 'ns'))).toEqual(expected);
    expect(await of(pcapng(PACKETS, 6, 1_000_000n))).toEqual(expected);
    expect(await of(pcapng(PACKETS, 9, 1_000_000_000n))).toEqual(expected);
  });

  it('reads resolutions that are powers of two', async () => {
    const halves = PACKETS.map((packet) => ({ ...packet, micros: packet.micros > 10 ? 500_000 : 0 }));
    expect(await of(pcapng(halves, 0x80 | 10, 1024n))).toEqual(await of(pcap(halves)));
  });

  it('does not depend on how the bytes were cut', async () => {
    for (const bytes of [pcap(PACKETS), pcapng(PACKETS, 6, 1_000_000n)]) {
      const expected = await of(bytes);
      for (const size of [1, 3, 16, 61, 1000]) expect(await of(bytes, size)).toEqual(expected);
    }
  });

  it('reads captures longer than its buffer', async () => {
    const many = Array.from({ length: 9000 }, (_, i) => ({ seconds: i, micros: i, wire: 1000, data: Buffer.alloc(1000, i) }));
    const expected = await of(pcap(many));
    expect(expected.packets).toBe(9000);
    expect(await of(pcap(many, 'ns'), 65_537)).toEqual(expected);
    expect(await of(pcapng(many, 6, 1_000_000n), 65_537)).toEqual(expected);
  });

  it.each<[string, (packets: Packet[]) => Packet[]]>([
    ['a second', ([a, ...rest]) => [{ ...a!, seconds: a!.seconds + 1 }, ...rest]],
    ['a microsecond', ([a, ...rest]) => [{ ...a!, micros: a!.micros + 1 }, ...rest]],
    ['a wire length', ([a, ...rest]) => [{ ...a!, wire: a!.wire + 1 }, ...rest]],
    ['a captured length', ([a, ...rest]) => [{ ...a!, data: a!.data.subarray(1) }, ...rest]],
    ['a byte', ([a, ...rest]) => [{ ...a!, data: Buffer.from(a!.data).fill(9, 59) }, ...rest]],
    ['the order', ([a, b, ...rest]) => [b!, a!, ...rest]],
    ['a lost packet', (packets) => packets.slice(0, -1)],
    ['a packet more', (packets) => [...packets, packets[0]!]],
  ])('sees %s', async (_, change) => {
    expect((await of(pcap(change(PACKETS)))).sha256).not.toBe((await of(pcap(PACKETS))).sha256);
  });

  it('takes a capture without packets', async () => {
    expect(await of(pcap([]))).toMatchObject({ packets: 0, firstNs: null, lastNs: null });
  });

  it('refuses what is torn, damaged or no capture', async () => {
    const whole = pcap(PACKETS);
    await expect(of(whole.subarray(0, 20))).rejects.toThrow(/ends inside a record/);
    await expect(of(whole.subarray(0, 24 + 16 + 10))).rejects.toThrow(/ends inside a record, 26 bytes into it, after 0 packets/);
    const ng = pcapng(PACKETS, 6, 1_000_000n);
    await expect(of(ng.subarray(0, -4))).rejects.toThrow(/ends inside a record/);
    await expect(of(Buffer.alloc(0))).rejects.toThrow(/no capture: 0 bytes/);
    await expect(of(Buffer.from('GET / HTTP/1.1'))).rejects.toThrow(/magic number/);
    const huge = Buffer.from(whole);
    huge.writeUInt32LE(0xffffffff, 24 + 8);
    await expect(of(huge)).rejects.toThrow(/packet 1 has a captured length of 4294967295/);
    const lengths = Buffer.from(ng);
    lengths.writeUInt32LE(4, ng.length - 4);
    await expect(of(lengths)).rejects.toThrow(/two lengths differ/);
  });

  it('refuses packet blocks that it does not read rather than miss packets', async () => {
    const simple = Buffer.concat([pcapng(PACKETS, 6, 1_000_000n), block(3, words(4, 0))]);
    await expect(of(simple)).rejects.toThrow(/packet block of type 3/);
  });
});
