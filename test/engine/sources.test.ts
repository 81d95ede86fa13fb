/** What may be exported, what is refused and how it is said, and several sources in a row. */
import { chmodSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { MAX_SOURCES } from '../../src/engine/limits.js';
import { inspect } from '../../src/engine/inspect.js';
import type { Source } from '../../src/engine/types.js';
import { NgBlocks, payload, pcapFile, pcapHeader } from '../support/build.js';
import { descriptors } from '../support/descriptors.js';
import { fileSource, request, runExport } from '../support/engine.js';
import { readCapture } from '../support/reader.js';
import { temporaryFolder } from '../support/temporary.js';

const folder = temporaryFolder();
const packets = (...seconds: number[]): Buffer => pcapFile(seconds.map((s) => ({ seconds: s, fraction: 0, data: payload(60, s) })));
const file = (name: string, ...seconds: number[]): Source => fileSource(folder.write(name, packets(...seconds)));
const run = (sources: string | Source[], wish: object = {}) => runExport(request(sources, wish), { workers: 0 });
const times = (bytes: Buffer): number[] => readCapture(bytes).packets.map(({ seconds }) => Number(seconds));

describe('a source', () => {
  const blocks = new NgBlocks();
  const refused: [string, () => string, string, RegExp][] = [
    ['is missing', () => join(folder.path, 'missing.pcap'), 'SOURCE_NOT_FOUND', /missing\.pcap: no such file/],
    ['lies behind a file', () => join(folder.write('x', Buffer.from('x')), 'y.pcap'), 'SOURCE_NOT_FOUND', /y\.pcap: no such file/],
    ['is a folder', () => folder.path, 'SOURCE_NOT_A_CAPTURE', /is a folder/],
    ['is empty', () => folder.write('empty.pcap', Buffer.alloc(0)), 'SOURCE_NOT_A_CAPTURE', /empty\.pcap: the file is empty/],
    ['is anything else', () => folder.write('random', payload(5000)), 'SOURCE_NOT_A_CAPTURE', /random: not a capture/],
    ['is one byte', () => folder.write('one', Buffer.from([0xd4])), 'SOURCE_NOT_A_CAPTURE', /one: /],
    ['has half a header', () => folder.write('half.pcap', pcapHeader().subarray(0, 23)), 'SOURCE_NOT_A_CAPTURE', /half\.pcap: .*header/],
    ['has half a section header', () => folder.write('half.pcapng', blocks.section().subarray(0, 20)), 'SOURCE_NOT_A_CAPTURE', /half\.pcapng: /],
    ['is a link that leads nowhere', () => link('dangling', 'nowhere'), 'SOURCE_NOT_FOUND', /dangling: no such file/],
    ['is a link to itself', () => link('loop', 'loop'), 'SOURCE_UNREADABLE', /loop: can not be opened \(ELOOP\)/],
  ];
  function link(name: string, to: string): string {
    const at = join(folder.path, name);
    symlinkSync(to, at);
    return at;
  }

  it.each(refused)('that %s is refused with one sentence', async (_, path, code, message) => {
    const at = path();
    const refusal = { code, message: expect.stringMatching(message) };
    await expect(run(at)).rejects.toMatchObject(refusal);
    await expect(inspect(fileSource(at))).rejects.toMatchObject(refusal);
    expect(descriptors(folder.path)).toEqual([]);
  });
  it.skipIf(process.getuid?.() === 0)('that may not be read is refused', async () => {
    const path = folder.write('secret.pcap', packets(1));
    chmodSync(path, 0);
    await expect(run(path)).rejects.toMatchObject({ code: 'SOURCE_UNREADABLE' });
  });
  it('that holds no packet gives an empty capture', async () => {
    for (const [name, bytes] of Object.entries({
      'none.pcap': pcapHeader({ linkType: 101 }),
      'none.pcapng': Buffer.concat([blocks.section(), blocks.interface({ linkType: 101 })]),
    })) {
      const path = folder.write(name, bytes);
      const out = readCapture((await run(path)).bytes);
      expect(out.packets).toEqual([]);
      expect(out.interfaces[0]!.linkType).toBe(101);
      expect((await run(path, { format: 'pcapng_us' })).receipt).toMatchObject({
        packets_read: 0n,
        exported_range: null,
        source_range: null,
        truncated: false,
      });
    }
  });
  it('without an interface gives an empty capture', async () => {
    const path = folder.write('bare.pcapng', blocks.section());
    expect(readCapture((await run(path)).bytes).packets).toEqual([]);
    expect(readCapture((await run(path, { format: 'pcapng_ns' })).bytes).interfaces).toEqual([]);
  });
  it('is told by its content, never by its name', async () => {
    expect(times((await run(folder.write('named.pcapng.gz', packets(3, 4)))).bytes)).toEqual([3, 4]);
  });
});

describe('several sources', () => {
  it('go in the order of their first packets', async () => {
    const sources = [file('b', 30, 40), file('c', 50), file('a', 10, 20)];
    const { bytes, receipt } = await run(sources, { format: 'pcap_us' });
    expect(times(bytes)).toEqual([10, 20, 30, 40, 50]);
    expect(receipt).toMatchObject({ packets_read: 5n, packets_exported: 5n, source_range: { first_ns: 10_000_000_000n, last_ns: 50_000_000_000n } });
  });
  it('may touch, and may step back within a file', async () => {
    expect(times((await run([file('b', 20, 30), file('a', 15, 10, 20)])).bytes)).toEqual([15, 10, 20, 20, 30]);
  });
  it('that overlap are merged by the times of their heads', async () => {
    expect(times((await run([file('b', 15, 25), file('a', 10, 20)])).bytes)).toEqual([10, 15, 20, 25]);
    expect(times((await run([file('b', 15, 16), file('a', 10, 30)])).bytes)).toEqual([10, 15, 16, 30]);
    // The first packet of b is late, an inner one is early.
    expect(times((await run([file('b', 40, 5), file('a', 10, 20)])).bytes)).toEqual([10, 20, 40, 5]);
    expect(times((await run([file('same', 1, 2), file('same', 1, 2)])).bytes)).toEqual([1, 1, 2, 2]);
    expect(descriptors(folder.path)).toEqual([]);
  });
  it('without packets stand anywhere', async () => {
    expect(times((await run([file('b', 20), file('nothing'), file('a', 10)])).bytes)).toEqual([10, 20]);
  });
  it('have their interfaces one after another in PCAPNG', async () => {
    const blocks = new NgBlocks(true);
    const ng = Buffer.concat([
      blocks.section(),
      blocks.interface({ name: 'x' }),
      blocks.interface({ name: 'y' }),
      blocks.enhanced({ interface: 1, ticks: 100_000_000n, data: payload(20) }),
    ]);
    const { bytes } = await run([file('a', 10), fileSource(folder.write('ng', ng)), file('z', 200)], { format: 'pcapng_us' });
    const out = readCapture(bytes);
    expect(out.sections).toBe(1);
    expect(out.interfaces.map(({ name }) => name)).toEqual([null, 'x', 'y', null]);
    expect(out.packets.map((packet) => packet.interface)).toEqual([0, 2, 3]);
  });
  it('go on behind a damaged one', async () => {
    const cut = folder.write('cut', packets(10, 20).subarray(0, -1));
    const { bytes, receipt } = await run([fileSource(cut), file('whole', 30)]);
    expect(times(bytes)).toEqual([10, 30]);
    expect(receipt.damage).toMatchObject([{ file: 'cut', offsetBytes: 24 + 76 }]);
  });
  it('share the stop rules', async () => {
    const sources = [file('a', 10, 20), file('b', 30, 40), file('c', 50)];
    const { bytes, receipt } = await run(sources, { limits: { packets: 3n, capturedBytes: 0n, durationNs: 0n } });
    expect(times(bytes)).toEqual([10, 20, 30]);
    expect(receipt.stopped_by).toBe('packets');
    expect(times((await run(sources, { limits: { packets: 0n, capturedBytes: 0n, durationNs: 25_000_000_000n } })).bytes)).toEqual([10, 20, 30]);
  });
  it('are as many as there may be, and at least one', async () => {
    await expect(run([])).rejects.toMatchObject({ code: 'REQUEST_INVALID' });
    const one = file('one', 1);
    await expect(run(Array<Source>(MAX_SOURCES + 1).fill(one))).rejects.toMatchObject({ code: 'REQUEST_INVALID' });
  });
  it('close what was opened when a later one is refused', async () => {
    await expect(run([file('a', 1), fileSource(join(folder.path, 'missing'))])).rejects.toMatchObject({ code: 'SOURCE_NOT_FOUND' });
    mkdirSync(join(folder.path, 'sub'), { recursive: true });
    await expect(run([file('a', 1), fileSource(join(folder.path, 'sub'))])).rejects.toMatchObject({ code: 'SOURCE_NOT_A_CAPTURE' });
    expect(descriptors(folder.path)).toEqual([]);
  });
});
