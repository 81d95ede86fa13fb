/** Stop rules at their exact edges, in one piece and in many. */
import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { StopRules } from '../../src/engine/types.js';
import { NgBlocks, payload, pcapFile } from '../support/build.js';
import { cutInto } from '../support/cutting.js';
import { NO_LIMITS, request, runExport } from '../support/engine.js';
import { readCapture } from '../support/reader.js';
import { temporaryFolder } from '../support/temporary.js';

vi.mock('../../src/engine/limits.js', async (original) => (await import('../support/cutting.js')).changeable(await original()));

const folder = temporaryFolder();
const START = 1_700_000_000;
/** Ten packets of 100 bytes, a second apart; the eighth is early. */
const seconds = [0, 1, 2, 3, 4, 5, 6, 1, 8, 9];
const path = folder.write('ten.pcap', pcapFile(seconds.map((s, i) => ({ seconds: START + s, fraction: 0, data: payload(100, i) }))));

const stopped = async (rules: Partial<StopRules>, wish: object = {}): Promise<[packets: number, by: string | null]> => {
  const { bytes, receipt } = await runExport(request(path, { limits: { ...NO_LIMITS, ...rules }, ...wish }), { workers: 0 });
  expect(receipt.truncated).toBe(receipt.stopped_by !== null);
  return [readCapture(bytes).packets.length, receipt.stopped_by];
};

describe.each([
  ['in one piece', {}],
  ['in many pieces', { EXTENT_BYTES: 150, STEP_BYTES: 50, SLOT_BYTES: 300 }],
  ['in a few pieces', { EXTENT_BYTES: 400, STEP_BYTES: 100, SLOT_BYTES: 2000 }],
])('a stop rule, %s', (_, cut) => {
  beforeEach(() => cutInto(cut));

  it('of packets stops right after the last that it allows', async () => {
    expect(await stopped({ packets: 1n })).toEqual([1, 'packets']);
    expect(await stopped({ packets: 9n })).toEqual([9, 'packets']);
    expect(await stopped({ packets: 11n })).toEqual([10, null]);
    expect(await stopped({ packets: (1n << 64n) - 1n })).toEqual([10, null]);
  });
  it('of bytes stops before the packet that would break it', async () => {
    expect(await stopped({ capturedBytes: 99n })).toEqual([0, 'bytes']);
    expect(await stopped({ capturedBytes: 100n })).toEqual([1, 'bytes']);
    expect(await stopped({ capturedBytes: 999n })).toEqual([9, 'bytes']);
    expect(await stopped({ capturedBytes: 1000n })).toEqual([10, null]);
  });
  it('of bytes counts what is left after the cut', async () => {
    expect(await stopped({ capturedBytes: 99n }, { snapLengthBytes: 30 })).toEqual([3, 'bytes']);
  });
  it('of time counts from the first packet written and stops at the first that is out', async () => {
    const second = 1_000_000_000n;
    expect(await stopped({ durationNs: 1n })).toEqual([1, 'duration']);
    expect(await stopped({ durationNs: 3n * second })).toEqual([3, 'duration']);
    expect(await stopped({ durationNs: 3n * second + 1n })).toEqual([4, 'duration']);
    expect(await stopped({ durationNs: 7n * second })).toEqual([8, 'duration']);
    expect(await stopped({ durationNs: 9n * second })).toEqual([9, 'duration']);
    expect(await stopped({ durationNs: 9n * second + 1n })).toEqual([10, null]);
    const later = { windows: [{ startNs: BigInt(START + 3) * second, endNs: null }] };
    expect(await stopped({ durationNs: 3n * second }, later)).toEqual([3, 'duration']);
  });
  it('of several is the first that holds', async () => {
    expect(await stopped({ packets: 3n, capturedBytes: 250n })).toEqual([2, 'bytes']);
    expect(await stopped({ packets: 2n, capturedBytes: 250n })).toEqual([2, 'packets']);
  });
  it('stops before the source is damaged', async () => {
    const whole = pcapFile(seconds.map((s, i) => ({ seconds: START + s, fraction: 0, data: payload(100, i) })));
    const cutFile = folder.write('cut.pcap', whole.subarray(0, whole.length - 1));
    const run = (packets: bigint) => runExport(request(cutFile, { limits: { ...NO_LIMITS, packets } }), { workers: 0 });
    expect((await run(9n)).receipt).toMatchObject({ stopped_by: 'packets', damage: [] });
    expect((await run(10n)).receipt).toMatchObject({ stopped_by: null, damage: [{ offsetBytes: 24 + 9 * 116 }] });
  });
  it('stops before what the format can not hold', async () => {
    const blocks = new NgBlocks();
    const packet = (id: number, at: number): Buffer => blocks.enhanced({ interface: id, ticks: BigInt(START + at) * 1_000_000n, data: payload(60) });
    const mixed = folder.write(
      'mixed.pcapng',
      Buffer.concat([
        blocks.section(),
        blocks.interface(),
        blocks.interface({ linkType: 101 }),
        ...seconds.map((_at, i) => packet(0, i)),
        packet(1, 15),
      ]),
    );
    const run = (durationNs: bigint) => runExport(request(mixed, { limits: { ...NO_LIMITS, durationNs } }), { workers: 0 });
    expect((await run(15_000_000_000n)).receipt).toMatchObject({ stopped_by: 'duration', packets_exported: 10n });
    await expect(run(15_000_000_001n)).rejects.toMatchObject({ code: 'OUTPUT_LINK_TYPES' });
  });
});
