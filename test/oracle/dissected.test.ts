/** Exports with display filters against `tshark -r … -Y` on the packets of the time range, whatever else is asked for. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { ExportRequest, FilterText } from '../../src/engine/types.js';
import { hasProgram, requireOrSkip } from '../setup/require.js';
import { chance } from '../support/chance.js';
import { fileSource, request, runExport } from '../support/engine.js';
import { plain, plainFile, run, traffic, trafficNg } from '../support/oracle.js';
import { readCapture, type ReadPacket } from '../support/reader.js';
import { temporaryFolder } from '../support/temporary.js';

const isThere = ['tshark', 'mergecap', 'editcap'].every((tool) => requireOrSkip(tool, hasProgram(tool)));
const folder = temporaryFolder();
const SECOND = 1_000_000_000n;
const START_NS = 1_600_000_000n * SECOND;

const wireshark = (text: string): FilterText => ({ language: 'wireshark', text });

/** Numbers of frames that tshark accepts, from 1. */
function accepted(path: string, filter: string): Set<number> {
  const { ok, stdout, stderr } = run('tshark', ['-r', path, '-n', '-Y', filter, '-T', 'fields', '-e', 'frame.number']);
  if (!ok) throw new Error(stderr);
  return new Set(stdout.split('\n').filter(Boolean).map(Number));
}

const written = (name: string, bytes: Uint8Array): string => folder.write(name, bytes);

/** The packets of a range, in the order of an export, as a file that tshark reads; and those packets. */
async function rangeOf(asked: ExportRequest, name: string): Promise<{ path: string; packets: ReadPacket[] }> {
  const { bytes } = await runExport({
    ...asked,
    filters: [],
    windows: asked.seen ? [asked.seen] : [],
    limits: NONE,
    snapLengthBytes: 0,
    format: 'pcapng_ns',
  });
  return { path: written(name, bytes), packets: readCapture(bytes).packets };
}
const NONE = { packets: 0n, capturedBytes: 0n, durationNs: 0n };

describe.runIf(isThere)('tshark and display filters in exports', () => {
  let one: string, ng: string, other: string, zipped: string;
  beforeAll(() => {
    one = written('one.pcap', traffic({ nanos: true }, 2000));
    ng = written('ng.pcapng', trafficNg(true, 800));
    other = written('other.pcap', traffic({ big: true }, 700));
    const { ok } = run('gzip', ['-k', ng]);
    zipped = join(folder.path, 'ng.pcapng.gz');
    expect(ok).toBe(true);
  });

  const STATEFUL = 'frame.number % 3 == 1 or tcp.stream == 2 or frame.time_relative < 0.5';

  it.each<[name: string, sources: () => string[], changed: Partial<ExportRequest>]>([
    ['a pcap file', () => [one], {}],
    ['a PCAPNG file', () => [ng], {}],
    ['a compressed file', () => [zipped], { format: 'pcapng_ns' }],
    [
      'a range of time, with context',
      () => [one],
      {
        windows: [{ startNs: START_NS + 8n * SECOND, endNs: START_NS + 12n * SECOND }],
        seen: { startNs: START_NS + 5n * SECOND, endNs: START_NS + 12n * SECOND },
      },
    ],
    [
      'intervals with a gap',
      () => [one],
      {
        windows: [
          { startNs: START_NS + 2n * SECOND, endNs: START_NS + 4n * SECOND },
          { startNs: START_NS + 9n * SECOND, endNs: START_NS + 10n * SECOND },
        ],
        seen: { startNs: START_NS + 1n * SECOND, endNs: START_NS + 15n * SECOND },
      },
    ],
    ['several sources that overlap', () => [one, ng, other], { format: 'pcapng_ns' }],
    [
      'several sources in a range',
      () => [one, zipped],
      { format: 'pcapng_ns', seen: { startNs: START_NS + 1n * SECOND, endNs: null }, windows: [{ startNs: START_NS + 2n * SECOND, endNs: null }] },
    ],
  ])('agree on %s', async (name, sources, changed) => {
    const asked = request(sources().map(fileSource), { ...changed, filters: [wireshark(STATEFUL)] });
    const range = await rangeOf(asked, `${name.replaceAll(/[^a-z]/g, '-')}.pcapng`);
    // Times step back in these captures, which tells tshark's relative times from ours only if the order is another.
    const frames = accepted(range.path, STATEFUL);
    const inside = ({ timeNs }: ReadPacket): boolean =>
      asked.windows.length === 0 ||
      asked.windows.some(({ startNs, endNs }) => timeNs !== null && timeNs >= startNs! && (endNs === null || timeNs < endNs));
    const wanted = plain({ packets: range.packets.filter((packet, i) => frames.has(i + 1) && inside(packet)) });
    const { bytes, receipt } = await runExport(asked);
    expect(frames.size).toBeGreaterThan(0);
    expect(plain(readCapture(bytes))).toEqual(wanted);
    expect(receipt).toMatchObject({ packets_exported: BigInt(wanted.length), stopped_by: null });
  });

  it('agree on what mergecap makes of several sources', async () => {
    const merged = join(folder.path, 'merged.pcapng');
    expect(run('mergecap', ['-w', merged, one, other]).ok).toBe(true);
    const frames = accepted(merged, STATEFUL);
    const wanted = plainFile(merged).filter((_, i) => frames.has(i + 1));
    const { bytes } = await runExport(request([one, other].map(fileSource), { format: 'pcapng_ns', filters: [wireshark(STATEFUL)] }));
    expect(plain(readCapture(bytes))).toEqual(wanted);
  });

  it('agree with other filters, a cut and stop rules beside them', async () => {
    const frames = accepted(one, STATEFUL);
    const large = accepted(one, 'frame.len >= 200');
    const [all, wanted] = [readCapture(readFileSync(one)).packets, [...frames].filter((n) => large.has(n)).slice(0, 50)];
    const asked = request(one, {
      filters: [wireshark(STATEFUL), 'greater 200', wireshark('frame.number > 0')],
      limits: { ...NONE, packets: 50n },
      snapLengthBytes: 60,
      format: 'pcap_ns',
    });
    const { bytes, receipt } = await runExport(asked);
    expect(receipt).toMatchObject({ packets_exported: 50n, stopped_by: 'packets' });
    expect(readCapture(bytes).packets.map(({ timeNs, data }) => [timeNs, data])).toEqual(
      wanted.map((n) => [all[n - 1]!.timeNs, all[n - 1]!.data.subarray(0, 60)]),
    );
  });

  it('are given the same packets by every number of workers', async () => {
    // More than a worker scans in one go.
    const large = written('large.pcap', Buffer.concat([traffic({}, 3000), ...Array<Buffer>(3).fill(traffic({}, 3000).subarray(24))]));
    const random = chance(3);
    const text = `frame.number in {${Array.from({ length: 200 }, () => Math.ceil(random() * 12_000)).join(',')}}`;
    const outputs = await Promise.all(
      [0, 3].map(async (workers) => (await runExport(request(large, { filters: [wireshark(text)] }), { workers })).bytes),
    );
    const frames = accepted(large, text);
    expect(frames.size).toBeGreaterThan(190);
    expect(plain(readCapture(outputs[0]!))).toEqual(plainFile(large).filter((_, i) => frames.has(i + 1)));
    expect(outputs[1]!.equals(outputs[0]!)).toBe(true);
  });

  it('tell of progress that never goes back, both times of reading together', async () => {
    const told: number[] = [];
    const { receipt } = await runExport(request(one, { filters: [wireshark('frame.number == 1')] }), {
      onProgress: ({ bytesDone, bytesTotal }) => told.push(bytesDone / bytesTotal),
    });
    expect(receipt.packets_exported).toBe(1n);
    expect(told).toEqual([...told].sort((a, b) => a - b));
    expect(told.at(-1)).toBe(1);
    expect(told.some((share) => share > 0 && share <= 0.5)).toBe(true);
  });
});
