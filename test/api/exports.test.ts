import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, symlinkSync, writeFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../export/fakes.js';
import { canMount, withSmallDisk } from '../export/small-disk.js';
import { requireOrSkip } from '../setup/require.js';
import { packetsOf, pcap, udpFrame, type TestPacket } from './captures.js';
import { BASE, TestProbe, errorOf } from './server.js';

/** A hundred packets, 10 ms and 1 ns apart; every fifth from port 53; each one byte longer than the one before. */
const T0 = 1_613_657_410_054_126_789n;
const packets: TestPacket[] = Array.from({ length: 100 }, (_, i) => ({
  ns: T0 + BigInt(i) * 10_000_001n,
  bytes: udpFrame(i % 5 === 0 ? 53 : 4000 + i, 5000, 100 + i),
}));
const seconds = (ns: bigint): string => `${ns / 1_000_000_000n}.${(ns % 1_000_000_000n).toString().padStart(9, '0')}`;

interface Resource {
  id: string;
  config: Record<string, unknown>;
  status: { state: string; progress: number; creation_time: string; owner: string; stats: Record<string, unknown>; error?: Record<string, unknown> };
  receipt?: Record<string, unknown>;
  [addition: string]: unknown;
}

let probe: TestProbe;
const at = (name: string): string => join(probe.data.path, 'fs', name);
beforeAll(async () => {
  probe = await TestProbe.start();
  mkdirSync(at('ann'));
  writeFileSync(at('admin/a.pcap'), pcap(packets));
  writeFileSync(at('admin/empty.pcap'), pcap([]));
  writeFileSync(at('admin/cut.pcap'), pcap(packets).subarray(0, -7));
  writeFileSync(at('admin/nothing'), '');
  writeFileSync(at('admin/text.pcap'), 'this is no capture at all');
  symlinkSync('a.pcap', at('admin/link.pcap'));
  execFileSync('mkfifo', [at('admin/pipe')]);
});
afterAll(() => probe.stop());

const path = 'fs/admin/a.pcap';
const view = (id: string): Promise<Resource> => probe.json<Resource>(`${BASE}/exports/items/${id}`);
const download = async (id: string): Promise<Buffer> => {
  const answer = await probe.ask(`${BASE}/packets/items/${id}`);
  expect([answer.status, answer.complete]).toEqual([200, true]);
  return answer.body;
};
/** Exports by streaming and gives the packets and the resource as it is at the end. */
const exported = async (config: object): Promise<{ packets: TestPacket[]; resource: Resource }> => {
  const id = await probe.create({ path, output_format: 'PCAP_NS', ...config });
  return { packets: packetsOf(await download(id)), resource: await view(id) };
};
const typed =
  (type: string) =>
  (...values: string[]): object => ({ filters: { items: values.map((value) => ({ id: 'f', type, value })) } });
const bpf = typed('BPF');
const steel = typed('STEELFILTER');

describe('the life of an export', () => {
  it('goes from POST to DELETE', async () => {
    const made = await probe.ask(`${BASE}/exports`, { body: { config: { path, start_time: '0', end_time: 'None' }, id: 'mine', label: 'x' } });
    expect(made.status).toBe(201);
    const resource = JSON.parse(made.body.toString()) as Resource;
    expect(made.headers.location).toBe(`${BASE}/exports/items/${resource.id}`);
    expect(resource).toMatchObject({
      label: 'x',
      config: {
        path,
        start_time: '0',
        end_time: 'None',
        connection_timeout_msec: 180000,
        handle_timeout_msec: 60000,
        snap_length: 65535,
        output_format: 'PCAP_US',
      },
      status: { owner: 'admin', progress: 0, state: 'RUNNING' },
    });
    expect(resource.id).not.toBe('mine');
    expect(Object.keys(resource.status.stats).sort()).toEqual([
      'dropped_packets',
      'estimated_bytes',
      'estimated_packets',
      'exported_bytes',
      'exported_packets',
      'processed_packets',
      'total_bytes',
      'truncated',
    ]);
    expect(await probe.json(`${BASE}/exports`)).toEqual({ items: [resource] });
    expect(await probe.json(`${BASE}/exports?path=fs/admin/other`)).toEqual({ items: [] });
    expect(await probe.json(`${BASE}/exports?path=${encodeURIComponent(path)}`)).toEqual({ items: [resource] });
    expect(await view(resource.id)).toEqual(resource);
    const put = await probe.ask(`${BASE}/exports/items/${resource.id}`, { method: 'PUT', body: resource });
    expect([put.status, JSON.parse(put.body.toString())]).toEqual([200, resource]);
    const body = await download(resource.id);
    const size = readFileSync(at('admin/a.pcap')).length;
    expect(body.length).toBe(size);
    const done = await view(resource.id);
    expect(done.status).toMatchObject({
      state: 'DONE',
      progress: 100,
      stats: {
        exported_packets: 100,
        processed_packets: 100,
        exported_bytes: size,
        estimated_bytes: size,
        total_bytes: size,
        truncated: false,
        dropped_packets: 0,
      },
    });
    expect(done.status.error).toBeUndefined();
    expect(done.receipt).toMatchObject({
      packets_read: 100,
      packets_exported: 100,
      bytes_exported: size,
      left_out: { time: 0, filter: 0 },
      source_range: { first_ns: T0, last_ns: T0 + 99n * 10_000_001n },
      truncated: false,
      damage: [],
    });
    const again = await probe.ask(`${BASE}/packets/items/${resource.id}`);
    expect([again.status, errorOf(again)]).toEqual([
      409,
      { error_id: 'EXPORT_STATE', error_text: expect.stringContaining('state is not RUNNING: state DONE') },
    ]);
    const gone = await probe.ask(`${BASE}/exports/items/${resource.id}`, { method: 'DELETE' });
    expect([gone.status, gone.body.length]).toEqual([204, 0]);
    expect((await probe.ask(`${BASE}/exports/items/${resource.id}`)).status).toBe(404);
  });

  it('answers HEAD as GET, but not for packets', async () => {
    const id = await probe.create({ path });
    const head = await probe.ask(`${BASE}/exports/items/${id}`, { method: 'HEAD' });
    expect([head.status, head.body.length]).toEqual([200, 0]);
    expect((await probe.ask(`${BASE}/packets/items/${id}`, { method: 'HEAD' })).status).toBe(405);
    expect((await view(id)).status.state).toBe('RUNNING');
  });
});

describe('what is exported', () => {
  it('is cut in time, half-open, by start, end and intervals', async () => {
    const cut = await exported({ start_time: seconds(packets[10]!.ns), end_time: seconds(packets[90]!.ns) });
    expect(cut.packets).toEqual(packets.slice(10, 90).map((packet) => ({ ...packet, wire: packet.bytes.length })));
    expect(cut.resource.status.stats).toMatchObject({ processed_packets: 80, exported_packets: 80, truncated: false });
    const both = await exported({
      start_time: seconds(packets[10]!.ns),
      time_intervals: [
        { start_time: seconds(packets[50]!.ns), end_time: seconds(packets[52]!.ns) },
        { start_time: '0', end_time: seconds(packets[12]!.ns) },
      ],
    });
    expect(both.packets.map(({ ns }) => ns)).toEqual([10, 11, 50, 51].map((i) => packets[i]!.ns));
  });

  it('takes a STEELFILTER, alone and beside BPF', async () => {
    const asked = steel('src_udp.port == 53 || src_udp.port = "4001"');
    const { packets: out, resource } = await exported(asked);
    expect(out.map(({ ns }) => ns)).toEqual(packets.filter((_, i) => i % 5 === 0 || i === 1).map(({ ns }) => ns));
    expect(resource).toMatchObject({ status: { state: 'DONE' }, config: asked });
    const items = [
      { id: 'a', type: 'STEELFILTER', value: 'NOT src_udp.port == 53' },
      { id: 'a', type: 'BPF', value: 'udp src port 4001 or udp src port 53' },
    ];
    expect((await exported({ filters: { items } })).packets.map(({ ns }) => ns)).toEqual([packets[1]!.ns]);
  });

  it('is filtered by every filter', async () => {
    const { packets: out, resource } = await exported(bpf('udp src port 53', 'greater 150'));
    expect(out.map(({ ns }) => ns)).toEqual(packets.filter((_, i) => i % 5 === 0 && i >= 50).map(({ ns }) => ns));
    expect(resource.receipt).toMatchObject({ packets_processed: 100, packets_exported: 10, left_out: { filter: 90, time: 0 } });
  });

  it('is cut in length, and by 0 not at all', async () => {
    const { packets: out } = await exported({ snap_length: 60 });
    expect(out.map(({ bytes, wire }) => [bytes.length, wire])).toEqual(packets.map(({ bytes }) => [60, bytes.length]));
    expect((await exported({ snap_length: 0 })).packets[99]!.bytes).toEqual(packets[99]!.bytes);
  });

  it.each([
    [{ packet_limit: 7 }, 7, 'packets'],
    [{ size_limit: 100 + 101 + 102 }, 3, 'bytes'],
    [{ size_limit: 100 + 101 + 101 }, 2, 'bytes'],
    [{ time_limit: 1, packet_limit: 0 }, 100, null],
  ])('stops by %j after %i', async (stop_rule, count, by) => {
    const { packets: out, resource } = await exported({ stop_rule });
    expect(out.length).toBe(count);
    expect(resource.status).toMatchObject({ state: 'DONE', progress: 100, stats: { truncated: by !== null } });
    expect(resource.receipt).toMatchObject({ stopped_by: by });
  });

  it.each([
    ['PCAP_US', 0xa1b2c3d4],
    ['PCAP_NS', 0xa1b23c4d],
    ['PCAPNG_US', 0x0a0d0d0a],
    ['PCAPNG_NS', 0x0a0d0d0a],
  ])('has the format %s', async (output_format, magic) => {
    const id = await probe.create({ path, output_format });
    const body = await download(id);
    expect(body.readUInt32LE(0)).toBe(magic);
    expect((await view(id)).receipt).toMatchObject({ packets_exported: 100, bytes_exported: body.length });
  });

  it('truncates nanoseconds where there are only microseconds', async () => {
    const { packets: out } = await exported({ output_format: 'PCAP_US' });
    expect(out.map(({ ns }) => ns)).toEqual(packets.map(({ ns }) => ns - (ns % 1000n)));
  });

  it('is NODATA, and a valid file, when the time range has no packet', async () => {
    for (const config of [{ end_time: '1' }, { start_time: '9999999999' }, { start_time: '5', end_time: '5' }, { path: 'fs/admin/empty.pcap' }]) {
      const { packets: out, resource } = await exported(config);
      expect(out).toEqual([]);
      expect(resource.status).toMatchObject({ state: 'NODATA', progress: 100, stats: { processed_packets: 0, truncated: false } });
    }
  });

  it('is DONE, and a valid file, when no packet passes the filter', async () => {
    const { packets: out, resource } = await exported(bpf('port 1'));
    expect(out).toEqual([]);
    expect(resource.status).toMatchObject({ state: 'DONE', stats: { exported_packets: 0, processed_packets: 100 } });
  });

  it('comes out of compressed sources too', async () => {
    writeFileSync(at('admin/a.pcap.gz'), gzipSync(pcap(packets)));
    const { packets: out, resource } = await exported({ path: 'fs/admin/a.pcap.gz', ...bpf('udp src port 53') });
    expect(out.length).toBe(20);
    expect(resource.status).toMatchObject({ state: 'DONE', progress: 100, stats: { processed_packets: 100 } });
  });

  it('ends well before damage in the source, and says so', async () => {
    const { packets: out, resource } = await exported({ path: 'fs/admin/cut.pcap' });
    expect(out.length).toBe(99);
    expect(resource.status).toMatchObject({ state: 'DONE', stats: { truncated: true, exported_packets: 99 } });
    const offset = readFileSync(at('admin/a.pcap')).length - 16 - 199;
    expect(resource.receipt!['damage']).toEqual([{ file: 'fs/admin/cut.pcap', offset_bytes: offset, reason: expect.stringMatching(/\w/) }]);
  });
});

describe('an export to a file', () => {
  const toFile = async (config: object): Promise<Resource> => {
    const id = await probe.create({ path, mode: 'STREAM_TO_FILE', output_format: 'PCAP_NS', ...config });
    await until(async () => ['DONE', 'ERRORS'].includes((await view(id)).status.state));
    return view(id);
  };

  it('writes it whole, with its hash, and again over itself', async () => {
    for (const filters of [bpf('udp'), bpf('udp src port 53')]) {
      const resource = await toFile({ output_filename: '/admin/out.pcap', ...filters });
      const file = readFileSync(at('admin/out.pcap'));
      expect(packetsOf(file).length).toBe(resource.status.stats['exported_packets']);
      expect(resource.receipt).toMatchObject({ sha256: createHash('sha256').update(file).digest('hex'), bytes_exported: file.length });
      expect((await probe.ask(`${BASE}/packets/items/${resource.id}`)).status).toBe(409);
      expect((await probe.ask(`${BASE}/exports/items/${resource.id}`, { method: 'DELETE' })).status).toBe(204);
      expect(existsSync(at('admin/out.pcap'))).toBe(true);
    }
    expect(readdirSync(at('admin')).filter((name) => name.endsWith('.part'))).toEqual([]);
  });

  it('ends DONE with a valid, empty file where there is nothing', async () => {
    const resource = await toFile({ path: 'fs/admin/empty.pcap', output_filename: '/admin/hollow.pcap' });
    expect(resource.status).toMatchObject({ state: 'DONE', progress: 100 });
    expect(packetsOf(readFileSync(at('admin/hollow.pcap')))).toEqual([]);
  });

  it('may replace its own source', async () => {
    writeFileSync(at('admin/self.pcap'), pcap(packets));
    await toFile({ path: 'fs/admin/self.pcap', output_filename: '/admin/self.pcap', ...bpf('src port 53') });
    expect(packetsOf(readFileSync(at('admin/self.pcap'))).length).toBe(20);
  });
});

describe.runIf(requireOrSkip('the right to mount a file system', canMount()))('an export to a full disk', () => {
  it('ends in ERRORS with the reason, and leaves nothing', async () => {
    writeFileSync(at('admin/large.pcap'), pcap(Array.from({ length: 3000 }, (_, i) => ({ ns: T0 + BigInt(i), bytes: udpFrame(1, 2, 1400) }))));
    await withSmallDisk(at('admin/disk'), async () => {
      const before = readdirSync('/proc/self/fd').length;
      const id = await probe.create({ path: 'fs/admin/large.pcap', mode: 'STREAM_TO_FILE', output_filename: '/admin/disk/out.pcap' });
      await until(async () => (await view(id)).status.state === 'ERRORS');
      expect((await view(id)).status.error).toEqual({
        error_id: 'OUTPUT_FAILED',
        error_text: expect.stringContaining('there is no space left'),
        error_metrics: [{ key: 'errno', value: 'ENOSPC' }],
      });
      expect(readdirSync(at('admin/disk'))).toEqual([]);
      await until(() => readdirSync('/proc/self/fd').length <= before, 'the descriptors to be closed');
    });
  });
});

describe('what is wrong with a request is told at once:', () => {
  const file = { mode: 'STREAM_TO_FILE' };
  it.each<[object, number, string, RegExp]>([
    [{ path: 'fs/admin/none.pcap' }, 400, 'SOURCE_NOT_FOUND', /fs\/admin\/none\.pcap does not exist/],
    [{ path: 'fs/admin/../admin/a.pcap' }, 400, 'SOURCE_NOT_FOUND', /\.\./],
    [{ path: 'fs/admin/link.pcap' }, 400, 'SOURCE_NOT_FOUND', /link/],
    [{ path: 'fs/admin' }, 400, 'SOURCE_NOT_FOUND', /fs\/admin/],
    [{ path: 'fs/admin/pipe' }, 400, 'SOURCE_NOT_A_CAPTURE', /pipe/],
    [{ path: 'fs/admin/nothing' }, 400, 'SOURCE_NOT_A_CAPTURE', /fs\/admin\/nothing/],
    [{ path: 'fs/admin/text.pcap' }, 400, 'SOURCE_NOT_A_CAPTURE', /fs\/admin\/text\.pcap/],
    [{ path: 'interfaces/lo' }, 400, 'REQUEST_INVALID', /interfaces/],
    [{ path: 'jobs/nothing', mode: 'LIVE_STREAM' }, 400, 'SOURCE_NOT_FOUND', /nothing/],
    [{ start_time: '2', end_time: '1' }, 400, 'TIME_INVALID', /config\.end_time/],
    [{ start_time: 'yesterday' }, 400, 'TIME_INVALID', /yesterday/],
    [bpf('tcp prot 80'), 400, 'FILTER_INVALID', /syntax error|prot/],
    [bpf('tcp', 'host www.example.com'), 400, 'FILTER_INVALID', /www\.example\.com|host/],
    [steel('app.id = 5'), 400, 'FILTER_INVALID', /at column 1: unknown column `app\.id`: a packet has ip\.addr, /],
    [steel('tcp.port == 80', 'tcp.port == ""'), 400, 'FILTER_INVALID', /at column 13: the value for tcp\.port is empty/],
    [{ filters: { items: [{ id: 'f', type: 'WIRESHARK', value: '' }] } }, 400, 'FILTER_INVALID', /display filter is empty/],
    [{ colour: 'red' }, 400, 'REQUEST_INVALID', /config\.colour/],
    [file, 400, 'OUTPUT_INVALID', /config\.output_filename is missing/],
    [{ output_filename: '/admin/x' }, 400, 'OUTPUT_INVALID', /STREAM_TO_FILE/],
    [{ ...file, output_filename: '/admin/../x' }, 400, 'OUTPUT_INVALID', /\.\./],
    [{ ...file, output_filename: '/admin/link.pcap' }, 400, 'OUTPUT_INVALID', /link/],
    [{ ...file, output_filename: '/ann/x.pcap' }, 403, 'OUTPUT_FORBIDDEN', /owner/],
  ])('%j', async (config, status, code, words) => {
    const began = Date.now();
    const answer = await probe.ask(`${BASE}/exports`, { body: { config: { path, ...config } } });
    expect([answer.status, errorOf(answer).error_id]).toEqual([status, code]);
    expect(errorOf(answer).error_text).toMatch(words);
    expect(errorOf(answer).error_text).not.toMatch(/\/proc\/|spillway-probe/);
    expect(Date.now() - began).toBeLessThan(2000);
  });
});

describe('counters above 2^53', () => {
  it('come back to the digit', async () => {
    const body = `{"config":{"path":"${path}","stop_rule":{"size_limit":9007199254740993,"packet_limit":18446744073709551615}},"mine":[12345678901234567890]}`;
    const made = await probe.ask(`${BASE}/exports`, { body, headers: { 'content-type': 'application/json' } });
    expect(made.status).toBe(201);
    const text = (await probe.ask(made.headers.location!)).body.toString();
    expect(text).toContain('"size_limit":9007199254740993');
    expect(text).toContain('"packet_limit":18446744073709551615');
    expect(text).toContain('"mine":[12345678901234567890]');
  });

  it('are refused by name where they would be rounded', async () => {
    const body = `{"config":{"path":"${path}","stop_rule":{"size_limit":9007199254740992.5}}}`;
    const answer = await probe.ask(`${BASE}/exports`, { body, headers: { 'content-type': 'application/json' } });
    expect([answer.status, errorOf(answer).error_text]).toEqual([
      400,
      'config.stop_rule.size_limit can not hold the number 9007199254740992.5 exactly',
    ]);
  });
});
