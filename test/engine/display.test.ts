/** Who answers a display filter: a program where every packet that tshark would see is certain, else tshark. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { prepareExport } from '../../src/engine/export.js';
import type { ExportRequest, FilterText, Source } from '../../src/engine/types.js';
import { pcap, packetsOf, udpFrame, type TestPacket } from '../api/captures.js';
import { fileSource, request, runExport } from '../support/engine.js';
import { temporaryFolder } from '../support/temporary.js';

const S = 1_000_000_000n;
const folder = temporaryFolder();

/** A second apart: to the ports 53 and 123 in turn. */
const certain = (count: number, from = 0n): TestPacket[] =>
  Array.from({ length: count }, (_, i) => ({ ns: (from + BigInt(i)) * S, bytes: udpFrame(53, i % 2 === 0 ? 53 : 123, 60) }));

/** Tshark waits for the other fragments. */
function fragment(atNs: bigint): TestPacket {
  const bytes = Buffer.from(udpFrame(53, 53, 60));
  bytes[20] = 0x20;
  return { ns: atNs, bytes };
}

const file = (name: string, packets: TestPacket[]): Source => fileSource(folder.write(name, pcap(packets)));
const display = (text: string): FilterText => ({ language: 'wireshark', text });
const asked = (sources: Source[], filter: string, changed: Partial<ExportRequest> = {}): ExportRequest =>
  request(sources, { ...changed, filters: [display(filter), ...(changed.filters ?? [])] });

async function secondsOf(wanted: ExportRequest): Promise<number[]> {
  const { bytes, receipt } = await runExport(wanted);
  const seconds = packetsOf(bytes).map(({ ns }) => Number(ns / S));
  expect(receipt.packets_exported).toBe(BigInt(seconds.length));
  return seconds;
}

describe('without tshark', () => {
  beforeEach(() => void (process.env['SPILLWAY_TSHARK'] = '/nonexistent/tshark'));
  afterEach(() => delete process.env['SPILLWAY_TSHARK']);

  it.each<[name: string, wanted: () => ExportRequest, seconds: number[]]>([
    ['a file', () => asked([file('a.pcap', certain(6))], 'udp.dstport == 53'), [0, 2, 4]],
    ['a filter of no header', () => asked([file('f.pcap', [...certain(2), fragment(2n * S)])], 'frame.len < 100'), [0, 1, 2]],
    ['sources that overlap', () => asked([file('b.pcap', certain(4)), file('c.pcap', certain(4, 2n))], 'udp.dstport == 123'), [1, 3, 3, 5]],
    [
      'a filter of another language beside it',
      () => asked([file('d.pcap', certain(6))], 'udp.dstport == 53', { filters: ['udp', 'less 102'] }),
      [0, 2, 4],
    ],
    ['several of them', () => asked([file('e.pcap', certain(6))], 'udp', { filters: [display('udp.port == 123')] }), [1, 3, 5]],
    [
      'a range, with an uncertain packet outside',
      () =>
        asked([file('g.pcap', [...certain(4), fragment(10n * S)])], 'udp.dstport == 53', {
          windows: [{ startNs: 1n * S, endNs: 4n * S }],
          seen: { startNs: 0n, endNs: 4n * S },
        }),
      [2],
    ],
    ['an empty file', () => asked([file('h.pcap', [])], 'udp'), []],
  ])('%s is answered where every packet is certain', async (_, wanted, seconds) => {
    expect(await secondsOf(wanted())).toEqual(seconds);
  });

  it.each<[name: string, wanted: () => ExportRequest]>([
    ['an uncertain packet', () => asked([file('i.pcap', [...certain(3), fragment(3n * S)])], 'udp.dstport == 53')],
    ['one in another source', () => asked([file('j.pcap', certain(3)), file('k.pcap', [fragment(0n)])], 'udp.dstport == 53')],
    [
      'one that tshark would see before the range',
      () =>
        asked([file('l.pcap', [fragment(0n), ...certain(3, 1n)])], 'udp.dstport == 53', {
          windows: [{ startNs: S, endNs: null }],
          seen: { startNs: 0n, endNs: null },
        }),
    ],
    ['a filter that has no program', () => asked([file('m.pcap', certain(3))], 'dns')],
    ['one of several that has none', () => asked([file('n.pcap', certain(3))], 'udp', { filters: [display('dns')] })],
  ])('%s needs it', async (_, wanted) => {
    await expect(runExport(wanted())).rejects.toMatchObject({ code: 'DISSECTOR_MISSING' });
  });

  it('progress never goes back, and ends at the end', async () => {
    const told: number[] = [];
    const wanted = asked([file('o.pcap', certain(5000))], 'udp.dstport == 53');
    await runExport(wanted, { onProgress: ({ bytesDone }) => told.push(bytesDone) });
    expect(told).toEqual([...told].sort((a, b) => a - b));
    expect(told.at(-1)).toBe(packetsFileBytes(5000));
  });

  it('a cancelled first reading ends the export', async () => {
    const stopper = new AbortController();
    stopper.abort();
    const wanted = asked([file('p.pcap', certain(10))], 'udp.dstport == 53');
    await expect(runExport(wanted, { signal: stopper.signal })).rejects.toMatchObject({ code: 'CANCELLED' });
  });

  it('is explained: which engine, which program, and bounds that hold whoever answers', async () => {
    const prepared = await prepareExport(asked([file('q.pcap', certain(6))], 'udp.dstport == 53', { filters: ['udp'] }));
    try {
      const [first, second] = await prepared.explain();
      expect(first).toMatchObject({ language: 'wireshark', engine: 'program or tshark', estimate: { packets: { low: 0n, likely: 3n, high: 6n } } });
      expect(first!.programs[0]!.needs).toContainEqual(expect.stringContaining('port 53'));
      expect(second).toMatchObject({ language: 'bpf', engine: 'program', estimate: { packets: { low: 6n, high: 6n } } });
    } finally {
      await prepared.close();
    }
  });
});

const packetsFileBytes = (count: number): number => pcap(certain(count)).length;
