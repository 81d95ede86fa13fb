/** Sources that overlap in time, merged by worker threads: order, ways in and out of the merge, cancel, back-pressure, memory. */
import { spawnSync } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';
import { compress } from 'zstd-napi';
import { prepareExport } from '../../src/engine/export.js';
import { MAX_SOURCES, WORTH_RANGES_BYTES } from '../../src/engine/limits.js';
import type { ExportRequest, Progress, Sink, Source } from '../../src/engine/types.js';
import { NgBlocks, payload, pcapFile, pcapHeader, pcapRecord } from '../support/build.js';
import { descriptors } from '../support/descriptors.js';
import { fileSource, MemorySink, NO_LIMITS, request, runExport, type Exported } from '../support/engine.js';
import { readCapture } from '../support/reader.js';
import { temporaryFolder } from '../support/temporary.js';

const folder = temporaryFolder();
const START = 1_700_000_000;
const FRAMES = Array.from({ length: 16 }, (_, i) => payload(200 + 80 * i, i));

/** A pcap file of about so many bytes: packet n of source `tag` at `from` + n * `step` microseconds, its first bytes tell both. */
function long(tag: number, bytes: number, from: number, step: number): Buffer {
  const parts = [pcapHeader()];
  for (let n = 0, size = 24; size < bytes; n++) {
    const us = from + n * step;
    const data = Buffer.concat([Buffer.from([tag, n >> 16, (n >> 8) & 255, n & 255]), FRAMES[(n * 7 + (n >> 4)) % 16]!]);
    const record = pcapRecord({ seconds: START + Math.floor(us / 1e6), fraction: us % 1e6, data });
    parts.push(record);
    size += record.length;
  }
  return Buffer.concat(parts);
}

const MB = 1 << 20;
// No two have a time in common.
const long0 = long(0, 30 * MB, 0, 1000);
// Inside the first, which goes on alone for more than is worth ranges; the third begins before the first ends.
const long1 = long(1, 2 * MB, 3_000_001, 770);
const long2 = long(2, 30 * MB, 30_000_002, 500);
// Behind all others, by itself.
const long3 = long(3, 20 * MB, 100_000_003, 900);
let longSources: Source[];
let longOrder: string[];

const keyOf = (data: Buffer): string => data.toString('hex', 0, 4);
const orderOf = (bytes: Buffer): string[] => readCapture(bytes).packets.map(({ data }) => keyOf(data));

beforeAll(() => {
  const files = [long0, long1, long2, long3];
  longSources = files.map((bytes, i) => fileSource(folder.write(`long${i}`, bytes)));
  const all = files.flatMap((bytes, file) => readCapture(bytes).packets.map(({ timeNs, data }) => ({ timeNs: timeNs!, file, key: keyOf(data) })));
  all.sort((a, b) => (a.timeNs < b.timeNs ? -1 : a.timeNs > b.timeNs ? 1 : a.file - b.file));
  longOrder = all.map(({ key }) => key);
});

const at = (name: string, seconds: number[], shape: object = {}): Source =>
  fileSource(
    folder.write(
      name,
      pcapFile(
        seconds.map((s, n) => ({ seconds: START + s, fraction: 0, data: Buffer.concat([Buffer.from(name), payload(40, n)]) })),
        shape,
      ),
    ),
  );
const names = (bytes: Buffer): string =>
  readCapture(bytes)
    .packets.map(({ data }) => String.fromCharCode(data[0]!))
    .join('');

describe.each([0, 1, 2])('with %i workers, sources', (workers) => {
  const run = (sources: Source[], wish: Omit<Partial<ExportRequest>, 'sources'> = {}): Promise<Exported> =>
    runExport(request(sources, wish), { workers });

  it('that overlap in parts come out in time order, whichever way each part is scanned', async () => {
    // The first goes back to ranges when the second is over.
    expect(long0.length - 6 * MB).toBeGreaterThan(WORTH_RANGES_BYTES);
    const { bytes, receipt } = await run(longSources, { format: 'pcap_us' });
    expect(orderOf(bytes)).toEqual(longOrder);
    expect(receipt).toMatchObject({ truncated: false, packets_exported: BigInt(longOrder.length), packets_read: BigInt(longOrder.length) });
    // Nothing is lost or changed: the same bytes but for the three file headers.
    expect(bytes.length).toBe(long0.length + long1.length + long2.length + long3.length - 3 * 24);
  });
  it('give the same in any order of their names', async () => {
    const one = await run(longSources, { format: 'pcapng_ns' });
    const other = await run([longSources[2]!, longSources[3]!, longSources[1]!, longSources[0]!], { format: 'pcapng_ns' });
    expect(other.bytes.equals(one.bytes)).toBe(true);
    expect(other.receipt).toEqual(one.receipt);
    expect(orderOf(one.bytes)).toEqual(longOrder);
  });
  it('are filtered, cut and limited as one', async () => {
    const packets = 20_000n;
    const { bytes, receipt } = await run(longSources, { filters: ['len > 700'], snapLengthBytes: 60, limits: { ...NO_LIMITS, packets } });
    const out = readCapture(bytes).packets;
    expect(out).toHaveLength(Number(packets));
    expect(receipt).toMatchObject({ stopped_by: 'packets', packets_exported: packets, packets_cut: packets });
    const lengths = new Map([long0, long1, long2, long3].flatMap((file) => readCapture(file).packets.map(({ data }) => [keyOf(data), data.length])));
    expect(out.map(({ data }) => keyOf(data))).toEqual(longOrder.filter((key) => lengths.get(key)! > 700).slice(0, Number(packets)));
    expect(out.every(({ caplen }) => caplen === 60)).toBe(true);
  });
  it('may be compressed', async () => {
    const packed = [gzipSync(long0, { level: 1 }), long1, Buffer.from(compress(long2)), gzipSync(long3, { level: 1 })];
    const { bytes } = await run(
      packed.map((file, i) => fileSource(folder.write(`packed${i}`, file))),
      { format: 'pcap_us' },
    );
    expect(orderOf(bytes)).toEqual(longOrder);
  });
  it('of equal times go in the order of their names', async () => {
    expect(names((await run([at('a', [1, 2]), at('b', [1, 2]), at('c', [1, 2])])).bytes)).toBe('abcabc');
    expect(names((await run([at('c', [1, 2]), at('a', [1, 2]), at('b', [1, 2])])).bytes)).toBe('cabcab');
    const twice = at('a', [1, 2]);
    expect(names((await run([twice, twice])).bytes)).toBe('aaaa');
  });
  it('that are damaged give what is whole, and the others go on', async () => {
    const cut = folder.write('cut', long1.subarray(0, long1.length - 5));
    const packed = gzipSync(long2, { level: 1 });
    const torn = packed.subarray(0, packed.length >> 1);
    const sources = [longSources[0]!, fileSource(cut), fileSource(folder.write('torn.gz', torn)), longSources[3]!];
    const { bytes, receipt } = await run(sources, { format: 'pcap_us' });
    const got = orderOf(bytes);
    const there = new Set(got);
    expect(got).toEqual(longOrder.filter((key) => there.has(key)));
    expect(receipt.truncated).toBe(true);
    expect(receipt.damage.map(({ file, reason }) => [file, reason])).toEqual([
      ['cut', 'the file ends inside a packet'],
      ['torn.gz', expect.stringMatching(/the gzip data is damaged/)],
    ]);
    const lost = longOrder.length - got.length;
    expect(lost).toBeGreaterThan(1000);
    expect(longOrder.filter((key) => !there.has(key)).map((key) => key.slice(0, 2))).toEqual(['01', ...Array<string>(lost - 1).fill('02')]);
  });
  it('of other link types get their programs when they are met, and are refused in PCAP', async () => {
    const ip = Buffer.from('4500001400000000401100007f0000017f000001', 'hex');
    const raw = pcapFile(
      [2, 4].map((s) => ({ seconds: START + s, fraction: 0, data: ip })),
      { linkType: 101 },
    );
    const blocks = new NgBlocks();
    const late = Buffer.concat([
      blocks.section(),
      blocks.interface({ resolution: 0 }),
      blocks.enhanced({ ticks: BigInt(START + 1), data: payload(60) }),
      blocks.interface({ linkType: 113, resolution: 0 }),
      blocks.enhanced({ interface: 1, ticks: BigInt(START + 5), data: Buffer.concat([Buffer.from('00000001000600000000000000000800', 'hex'), ip]) }),
    ]);
    const sources = [at('a', [1, 3]), fileSource(folder.write('raw', raw)), fileSource(folder.write('late', late))];
    const { bytes } = await run(sources, { filters: ['udp'], format: 'pcapng_ns' });
    expect(readCapture(bytes).packets.map(({ linkType }) => linkType)).toEqual([101, 101, 113]);
    await expect(run(sources, { format: 'pcap_ns' })).rejects.toMatchObject({
      code: 'OUTPUT_LINK_TYPES',
      message: expect.stringMatching(/^raw: packets of link type RAW follow/),
    });
    // A filter that lacks a program is missed only where a packet asks for it.
    const usb = fileSource(
      folder.write(
        'usb',
        pcapFile(
          [
            { seconds: START + 9, fraction: 0, data: payload(30) },
            { seconds: START + 3, fraction: 0, data: ip },
          ],
          { linkType: 101 },
        ),
      ),
    );
    expect((await run([at('b', [1, 10]), usb], { filters: ['len > 1'], format: 'pcapng_ns' })).receipt.packets_exported).toBe(4n);
  });
  it('hold packets larger than a slot', async () => {
    const big = (tag: string, seconds: number[]): Source =>
      fileSource(
        folder.write(
          tag,
          Buffer.concat([
            pcapHeader({ snapLength: 16 << 20 }),
            ...seconds.map((s) => pcapRecord({ seconds: START + s, fraction: 0, data: Buffer.alloc(15 << 20, tag) })),
          ]),
        ),
      );
    expect(names((await run([big('x', [1, 4]), at('a', [2, 3, 5]), big('y', [2])])).bytes)).toBe('xayaxa');
  });
  it('may be given as descriptors of files, which stay open', async () => {
    const one = openSync((at('a', [1, 3]) as { path: string }).path, 'r');
    const { bytes } = await run([{ fd: one, name: 'one' }, at('b', [2])]);
    expect(names(bytes)).toBe('aba');
    closeSync(one);
    expect(descriptors(folder.path)).toEqual([]);
  });
  it('tell how far they are, and never more than there is', async () => {
    const seen: Progress[] = [];
    const prepared = await prepareExport(request(longSources, { filters: ['len < 4'] }));
    const receipt = await prepared.run(new MemorySink(), { workers, onProgress: (progress) => seen.push({ ...progress }) });
    expect(prepared.bytesTotal).toBe(long0.length + long1.length + long2.length + long3.length);
    for (const [i, progress] of seen.entries()) {
      expect(progress.bytesDone).toBeLessThanOrEqual(prepared.bytesTotal);
      if (i > 0) expect(progress.bytesDone).toBeGreaterThanOrEqual(seen[i - 1]!.bytesDone);
    }
    expect(seen.at(-1)!.bytesDone).toBe(prepared.bytesTotal);
    expect(seen.at(-1)!.packetsRead).toBe(receipt.packets_read);
    expect(seen.length).toBeGreaterThan(8);
  });
  it('are left when the export is cancelled, at any place', async () => {
    for (const after of [0, 1, 2, 5]) {
      const stop = new AbortController();
      let writes = 0;
      const sink: Sink = {
        write: async () => {
          if (++writes > after) stop.abort();
        },
        finish: () => Promise.reject(new Error('it was not whole')),
        abort: () => Promise.resolve(),
      };
      // These two overlap from end to end, and many times as much is still to come.
      const sources = [longSources[0]!, fileSource(folder.write('beside', long(7, 30 * MB, 1, 999)))];
      const prepared = await prepareExport(request(sources));
      await expect(prepared.run(sink, { workers, signal: stop.signal })).rejects.toMatchObject({ code: 'CANCELLED' });
      // As many as were on their way.
      expect(writes).toBeLessThanOrEqual(after + 3);
      await prepared.close();
      expect(descriptors(folder.path)).toEqual([]);
    }
  });
  it('wait for their sink, and are left when it fails', async () => {
    let isWriting = false;
    let writes = 0;
    const sink: Sink = {
      write: async () => {
        expect(isWriting).toBe(false);
        isWriting = true;
        await new Promise((resolve) => setTimeout(resolve, 5));
        isWriting = false;
        if (++writes === 3) throw new Error('full');
      },
      finish: () => Promise.resolve(),
      abort: () => Promise.resolve(),
    };
    const prepared = await prepareExport(request([longSources[0]!, fileSource(folder.write('beside', long(7, 30 * MB, 1, 999)))]));
    await expect(prepared.run(sink, { workers })).rejects.toThrow('full');
    await prepared.close();
    expect(descriptors(folder.path)).toEqual([]);
  });
});

describe('a stop rule', () => {
  it('is decided on by the packet that comes next, not by one that a scan meets first', async () => {
    // b is scanned first, and its second packet passes both limits; but a, named first, has a packet of that time.
    const none = fileSource(folder.write('none', pcapFile([{ seconds: START + 9, fraction: 0, data: Buffer.alloc(0) }])));
    const limits = { packets: 0n, capturedBytes: 45n, durationNs: 5_000_000_000n };
    const { receipt } = await runExport(request([none, at('b', [1, 9])], { limits }), { workers: 0 });
    expect(receipt).toMatchObject({ stopped_by: 'duration', packets_exported: 1n });
    const other = await runExport(request([at('b', [1, 9]), none], { limits }), { workers: 0 });
    expect(other.receipt).toMatchObject({ stopped_by: 'bytes', packets_exported: 1n });
  });
});

describe('the header of a merged PCAP', () => {
  it('names the largest snap length of all sources, for readers hold packets to it', async () => {
    const sources = [at('a', [1, 4], { snapLength: 96 }), at('b', [2], { snapLength: 1500 }), at('c', [3], { snapLength: 64 })];
    const snapOf = async (list: Source[], snapLengthBytes = 0): Promise<number> =>
      (await runExport(request(list, { snapLengthBytes }), { workers: 0 })).bytes.readUInt32LE(16);
    expect(await snapOf(sources)).toBe(1500);
    expect(await snapOf(sources, 70)).toBe(70);
    expect(await snapOf([...sources, at('d', [2], { snapLength: 0 })])).toBe(0);
    expect(await snapOf([sources[0]!])).toBe(96);
  });
});

describe('as many sources as there may be', () => {
  const COUNT = MAX_SOURCES;
  const EACH = 160 << 10;
  let paths: string[];
  let packets = 0;
  beforeAll(() => {
    paths = Array.from({ length: COUNT }, (_, i) => {
      const file = long(i & 255, EACH, i * 3, 40_000);
      packets += readCapture(file).packets.length;
      return folder.write(`many-${i}${i % 3 === 0 ? '.gz' : ''}`, i % 3 === 0 ? gzipSync(file, { level: 1 }) : file);
    });
  });

  it('are merged in order, in bounded memory', () => {
    const script = `
      import { readFileSync } from 'node:fs';
      import { prepareExport } from ${JSON.stringify(new URL('../../dist/engine/export.js', import.meta.url).href)};
      const limits = { packets: 0n, capturedBytes: 0n, durationNs: 0n };
      const kilobytes = () => [...readFileSync('/proc/self/status', 'utf8').matchAll(/Rss(?:Anon|Shmem):\\s+(\\d+)/g)].reduce((sum, [, n]) => sum + Number(n), 0);
      let most = 0, last = -1n, steps = 0, rest = Buffer.alloc(0), isFirst = true;
      const sink = {
        write: async (bytes) => {
          most = Math.max(most, kilobytes());
          rest = Buffer.concat([rest, bytes]);
          let at = isFirst ? 24 : 0;
          isFirst = false;
          while (at + 16 <= rest.length && at + 16 + rest.readUInt32LE(at + 8) <= rest.length) {
            const time = BigInt(rest.readUInt32LE(at)) * 1000000n + BigInt(rest.readUInt32LE(at + 4));
            if (time < last) throw new Error('a step back');
            last = time;
            steps += 1;
            at += 16 + rest.readUInt32LE(at + 8);
          }
          rest = rest.subarray(at);
        },
        finish: async () => {},
        abort: async () => {},
      };
      const sources = JSON.parse(process.argv[1]).map((path) => ({ path, name: path }));
      const request = { sources, filters: [], windows: [], snapLengthBytes: 0, limits, format: 'pcap_us' };
      const receipt = await (await prepareExport(request)).run(sink, { workers: 2 });
      console.log(JSON.stringify({ megabytes: most / 1024, steps, read: Number(receipt.packets_read) }));
    `;
    const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script, JSON.stringify(paths)], {
      encoding: 'utf8',
    });
    expect(status, stderr).toBe(0);
    const told = JSON.parse(stdout) as { megabytes: number; steps: number; read: number };
    expect(told).toMatchObject({ steps: packets, read: packets });
    expect(told.megabytes).toBeLessThan(450);
  }, 120_000);
});
