/** What sizes and counters of an export must be, whatever fetches it. */
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../export/fakes.js';
import { BASE, TestProbe } from '../api/server.js';
import { payload, pcapFile, type PcapShape } from '../support/build.js';

interface Exported {
  status: { state: string; progress: number; stats: Record<string, number | boolean> };
  receipt?: { truncated?: boolean };
}

const FIRST = 1_700_000_000;
const LENGTHS = [0, 1, 14, 60, 65535, 1514, 9000, 65534, 64, 300];
const lengths = Array.from({ length: 200 }, (_, i) => LENGTHS[(i * 7) % LENGTHS.length]!);
const captured = lengths.reduce((sum, length) => sum + length, 0);
const RECORD = 16;
const HEADER = 24;

/** One packet each second. */
function file(shape: PcapShape = {}): Buffer {
  return pcapFile(
    lengths.map((length, i) => ({ seconds: FIRST + i, fraction: 123_456, data: payload(length, i) })),
    shape,
  );
}

let probe: TestProbe;
beforeAll(async () => {
  probe = await TestProbe.start();
  writeFileSync(join(probe.data.path, 'fs/admin/little.pcap'), file());
  writeFileSync(join(probe.data.path, 'fs/admin/big.pcap'), file({ big: true }));
});
afterAll(() => probe.stop());

async function made(config: object): Promise<{ body: Buffer; whole: Exported }> {
  const id = await probe.create(config);
  let { body } = await probe.ask(`${BASE}/packets/items/${id}`);
  const { output_filename: output } = config as { output_filename?: string };
  const read = (): Promise<Exported> => probe.json<Exported>(`${BASE}/exports/items/${id}`);
  if (output !== undefined) {
    await until(async () => (await read()).status.state === 'DONE');
    ({ body } = await probe.ask(`/api/npm.filesystem/1.0/fileop/download${output}`));
    expect(statSync(join(probe.data.path, 'fs', output)).size).toBe(body.length);
  }
  return { body, whole: await read() };
}

describe('a whole file in microseconds', () => {
  const toFile = { mode: 'STREAM_TO_FILE', output_filename: '/admin/out.pcap' };
  it.each([
    ['little', 'absent', {}],
    ['little', 'LEGACY', { mode: 'LEGACY', filters: { items: [] }, start_time: 'None', end_time: '0' }],
    ['big', 'LEGACY', { mode: 'LEGACY', filters: {} }],
    ['little', 'BUFFER_STREAM', { mode: 'BUFFER_STREAM' }],
    ['little', 'LIVE_STREAM', { mode: 'LIVE_STREAM' }],
    ['little', 'STREAM_TO_FILE', toFile],
    ['big', 'STREAM_TO_FILE', toFile],
  ])('%s-endian comes back with the same size in the mode %s', async (name, _mode, config) => {
    const { body, whole } = await made({ path: `fs/admin/${name}.pcap`, ...config });
    const source = file(name === 'big' ? { big: true } : {});
    expect(body.length).toBe(source.length);
    if (name === 'little') expect(body.subarray(HEADER).equals(source.subarray(HEADER))).toBe(true);
    expect(whole.status).toMatchObject({
      state: 'DONE',
      progress: 100,
      stats: {
        exported_bytes: body.length,
        exported_packets: lengths.length,
        processed_packets: lengths.length,
        dropped_packets: 0,
        truncated: false,
        total_bytes: expect.toSatisfy((bytes: number) => bytes <= source.length && bytes >= source.length - HEADER),
      },
    });
    expect(whole.receipt).toBeDefined();
  });
});

const wanted = (ms: number): number => lengths.slice(0, ms).reduce((sum, length) => sum + RECORD + length, HEADER);

describe('counters', () => {
  const at = (second: number): string => `${FIRST + second}.123456`;
  it.each<[string, object, Record<string, number | boolean>]>([
    ['of a half-open range', { start_time: at(0), end_time: at(50) }, { exported_packets: 50, processed_packets: 50, exported_bytes: wanted(50) }],
    ['of a packet limit', { stop_rule: { packet_limit: 7 } }, { exported_packets: 7, exported_bytes: wanted(7), truncated: true }],
    ['of a packet limit that is not reached', { stop_rule: { packet_limit: 201 } }, { exported_packets: 200, truncated: false }],
    [
      'of a size limit, which the packet that would pass it does not',
      { stop_rule: { size_limit: lengths.slice(0, 12).reduce((sum, length) => sum + length, 0) + lengths[12]! - 1 } },
      { exported_packets: 12, exported_bytes: wanted(12), truncated: true },
    ],
    ['of a time limit', { stop_rule: { time_limit: 10 } }, { truncated: true }],
    ['of no limits, which 0 is', { stop_rule: { packet_limit: 0, size_limit: 0, time_limit: 0 }, snap_length: 0 }, { exported_packets: 200 }],
    ['of a snap length', { snap_length: 100 }, { exported_bytes: lengths.reduce((sum, each) => sum + RECORD + Math.min(each, 100), HEADER) }],
    [
      'of a filter that matches nothing',
      only('udp port 9999'),
      { exported_packets: 0, exported_bytes: HEADER, processed_packets: 200, dropped_packets: 0 },
    ],
  ])('%s', async (_what, config, stats) => {
    for (const mode of ['LEGACY', 'BUFFER_STREAM']) {
      const { body, whole } = await made({ path: 'fs/admin/little.pcap', mode, ...config });
      expect(whole.status).toMatchObject({ state: 'DONE', progress: 100, stats: { ...stats, exported_bytes: body.length } });
      if (stats['exported_bytes'] !== undefined) expect(body.length).toBe(stats['exported_bytes']);
    }
  });

  it('of a range without packets: NODATA, and a valid capture without packets; but a file is DONE', async () => {
    const range = { path: 'fs/admin/little.pcap', start_time: '1', end_time: '2' };
    for (const mode of ['LEGACY', 'BUFFER_STREAM']) {
      const { body, whole } = await made({ ...range, mode });
      expect([whole.status.state, whole.status.progress, body.length]).toEqual(['NODATA', 100, HEADER]);
    }
    const { body, whole } = await made({ ...range, mode: 'STREAM_TO_FILE', output_filename: '/admin/none.pcap' });
    expect([whole.status.state, body.length]).toEqual(['DONE', HEADER]);
  });

  it.each(['PCAP_US', 'PCAPNG_NS'])('of a job that has captured nothing: NODATA in %s; but a file is DONE', async (format) => {
    const lo = Number(readFileSync('/sys/class/net/lo/ifindex', 'latin1'));
    const job = { config: { name: `idle-${format}`, enabled: false, vifgs: [lo] } };
    const { id } = await probe.json<{ id: string }>('/api/npm.packet_capture/3.0/jobs', { body: job });
    const source = { path: `jobs/${id}`, output_format: format };
    const sizes = new Set<number>();
    for (const mode of ['LEGACY', 'BUFFER_STREAM', 'LIVE_STREAM']) {
      const { body, whole } = await made({ ...source, mode });
      expect([mode, whole.status.state, whole.status.progress, whole.status.stats['exported_bytes']]).toEqual([mode, 'NODATA', 100, body.length]);
      sizes.add(body.length);
    }
    const { body, whole } = await made({ ...source, mode: 'STREAM_TO_FILE', output_filename: '/admin/idle.pcap' });
    expect(whole.status.state).toBe('DONE');
    sizes.add(body.length);
    expect([...sizes]).toEqual([format === 'PCAP_US' ? HEADER : expect.toSatisfy((size: number) => size >= 28)]);
  });

  it('add up to what was captured', () => expect(file().length).toBe(HEADER + lengths.length * RECORD + captured));
});

function only(value: string): object {
  return { filters: { items: [{ id: 'x', type: 'BPF', value }] } };
}
