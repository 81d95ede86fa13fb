/** Times at and beyond the edges: of the formats, of int64, and packets without any. */
import { describe, expect, it } from 'vitest';
import { coded } from '../../src/errors.js';
import type { ExportFormat } from '../../src/engine/types.js';
import { NgBlocks, payload, pcapFile } from '../support/build.js';
import { request, runExport } from '../support/engine.js';
import { readCapture } from '../support/reader.js';
import { temporaryFolder } from '../support/temporary.js';

const folder = temporaryFolder();
const INT64_MAX = (1n << 63n) - 1n;
const FORMATS: ExportFormat[] = ['pcap_us', 'pcap_ns', 'pcapng_us', 'pcapng_ns'];

/** A PCAPNG file of one packet at a time. */
function at(ticks: bigint, resolution: number, offset?: bigint): string {
  const blocks = new NgBlocks();
  const clock = { resolution, ...(offset !== undefined && { offset }) };
  return folder.write('at.pcapng', Buffer.concat([blocks.section(), blocks.interface(clock), blocks.enhanced({ ticks, data: payload(60) })]));
}
const run = (path: string, format: ExportFormat, wish: object = {}) => runExport(request(path, { format, ...wish }), { workers: 0 });
const timeOf = async (path: string, format: ExportFormat): Promise<bigint | null> => readCapture((await run(path, format)).bytes).packets[0]!.timeNs;

describe('a time', () => {
  it.each(FORMATS)('at the edges of pcap goes into %s', async (format) => {
    const last = 0xffffffffn * 1_000_000_000n + 999_999_999n;
    expect(await timeOf(at(0n, 9), format)).toBe(0n);
    expect(await timeOf(at(last, 9), format)).toBe(format.endsWith('_us') ? last - 999n : last);
  });
  it.each(['pcap_us', 'pcap_ns'] as const)('beyond them is refused by %s, with the place', async (format) => {
    const refusal = { code: 'OUTPUT_TIME_RANGE', message: expect.stringMatching(/at\.pcapng: .*byte \d+/) };
    await expect(run(at(0x1_0000_0000n, 0), format)).rejects.toMatchObject(refusal);
    await expect(run(at(0n, 9, -1n), format)).rejects.toMatchObject(refusal);
  });
  it('beyond them is no matter when the packet is not written', async () => {
    expect((await run(at(0x1_0000_0000n, 0), 'pcap_us', { filters: ['len > 100'] })).receipt.packets_exported).toBe(0n);
    expect((await run(at(0n, 9, -1n), 'pcap_us', { windows: [{ startNs: 0n, endNs: null }] })).receipt.packets_exported).toBe(0n);
  });
  it('before 1970 stays what it is in PCAPNG', async () => {
    expect(await timeOf(at(5n, 9, -2n), 'pcapng_ns')).toBe(-1_999_999_995n);
    expect(await timeOf(at(5_001n, 9, -2n), 'pcapng_us')).toBe(-1_999_995_000n);
  });
  it.each([
    [0x80 + 20, (1n << 50n) + 3n],
    [0x80 + 32, (1n << 60n) + 1n],
    [3, 1_700_000_000_123n],
    [12, 1_700_000_000_123_456_789n],
    [0, 1_700_000_000n],
  ])('in ticks of %i is rounded down to nanoseconds', async (resolution, ticks) => {
    const path = at(ticks, resolution);
    const perSecond = resolution & 0x80 ? 1n << BigInt(resolution & 0x7f) : 10n ** BigInt(resolution);
    expect(await timeOf(path, 'pcapng_ns')).toBe((ticks * 1_000_000_000n) / perSecond);
  });
  it('that int64 can not hold is clamped, the packet kept, and the receipt says so', async () => {
    const path = at(0xffff_ffff_ffff_ffffn, 6);
    const { receipt, bytes } = await run(path, 'pcapng_ns');
    expect(receipt).toMatchObject({ times_clamped: 1n, packets_exported: 1n, source_range: { last_ns: INT64_MAX } });
    expect(readCapture(bytes).packets).toHaveLength(1);
  });
  it('that was clamped is kept in PCAPNG, whatever the offset of its clock', async () => {
    for (const offset of [-(1n << 63n), (1n << 63n) - 1n]) {
      const { receipt, bytes } = await run(at(0n, 6, offset), 'pcapng_us');
      expect(receipt).toMatchObject({ times_clamped: 1n, packets_exported: 1n });
      expect(readCapture(bytes).packets).toHaveLength(1);
    }
  });
  it('that was clamped is in every window without an end', async () => {
    const late = at(0xffff_ffff_ffff_ffffn, 6);
    expect((await run(late, 'pcapng_ns', { windows: [{ startNs: 0n, endNs: null }] })).receipt.packets_exported).toBe(1n);
  });
  it('is the same whichever byte order it was in', async () => {
    for (const [seconds, fraction] of [
      [0xffffffff, 999_999],
      [0xffffffff, 1_000_000],
      [10, 1_000_000],
      [10, 0xffffffff],
    ] as const) {
      const outcomes = [];
      for (const big of [false, true]) {
        const path = folder.write('order.pcap', pcapFile([{ seconds, fraction, data: payload(60) }], { big }));
        outcomes.push(
          await run(path, 'pcap_us').then(
            ({ bytes }) => bytes.toString('hex'),
            (error: unknown) => coded(error).code,
          ),
        );
      }
      expect(outcomes[1], `${seconds}.${fraction}`).toBe(outcomes[0]);
    }
  });
});

describe('a packet without a time', () => {
  const blocks = new NgBlocks();
  const parts = [
    blocks.section(),
    blocks.interface(),
    blocks.simple(payload(60)),
    blocks.enhanced({ ticks: 7n, data: payload(61) }),
    blocks.simple(payload(62)),
  ];
  const path = folder.write('simple.pcapng', Buffer.concat(parts));

  it('is exported, and is in no window', async () => {
    expect((await run(path, 'pcapng_ns')).receipt).toMatchObject({
      packets_exported: 3n,
      packets_without_time: 2n,
      source_range: { first_ns: 7000n, last_ns: 7000n },
    });
    expect((await run(path, 'pcapng_ns', { windows: [{ startNs: 0n, endNs: null }] })).receipt).toMatchObject({
      packets_exported: 1n,
      left_out: { time: 2n, filter: 0n },
    });
    expect((await run(path, 'pcapng_ns', { windows: [{ startNs: null, endNs: null }] })).receipt.packets_exported).toBe(3n);
  });
  it('stands at 1970 in PCAP', async () => {
    expect(readCapture((await run(path, 'pcap_ns')).bytes).packets.map(({ timeNs }) => timeNs)).toEqual([0n, 7000n, 0n]);
  });
});
