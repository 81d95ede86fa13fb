/** Sources that can be read only once: pipes, compressed or not, live or over. */
import { closeSync, openSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { gzipSync } from 'node:zlib';
import { compress } from 'zstd-napi';
import { prepareExport } from '../../src/engine/export.js';
import { inspect } from '../../src/engine/inspect.js';
import { NgBlocks, payload, pcapFile, pcapHeader, pcapRecord } from '../support/build.js';
import { descriptors } from '../support/descriptors.js';
import { fileSource, MemorySink, NO_LIMITS, request, runExport } from '../support/engine.js';
import { makePipe, send, type Pipe } from '../support/pipe.js';
import { readCapture } from '../support/reader.js';
import { temporaryFolder } from '../support/temporary.js';

const folder = temporaryFolder();
const packets = Array.from({ length: 500 }, (_, i) => ({ seconds: 1000 + i, fraction: i, data: payload(i % 200, i) }));
const whole = pcapFile(packets);
/** A zstd block is whole or nothing. */
const twoFrames = Buffer.concat([whole.subarray(0, 1000), whole.subarray(1000)].map((part) => compress(part)));
const soon = 10_000;

const from = (pipe: Pipe, wish: object = {}) => request([{ fd: pipe.readEnd, name: '-' }], wish);
/** Sends in the background; whoever reads may leave early. */
function feed(pipe: Pipe, bytes: Uint8Array): void {
  pipe.writeEnd.on('error', () => undefined);
  pipe.writeEnd.end(bytes);
}

describe.each([0, 1])('a pipe (workers: %i)', (workers) => {
  it.each([
    ['plain', whole],
    ['gzip', gzipSync(whole)],
    ['zstd', Buffer.from(compress(whole))],
  ])('gives what the file gives, %s', async (name, bytes) => {
    const pipe = makePipe(folder.path);
    feed(pipe, bytes);
    const wish = { format: 'pcapng_us' as const, filters: ['len > 50'], snapLengthBytes: 90 };
    const got = await runExport(from(pipe, wish), { workers });
    const wanted = await runExport(request(folder.write(`${name}.pcap`, whole), wish));
    expect(got.bytes).toEqual(wanted.bytes);
    expect(got.receipt).toEqual(wanted.receipt);
  });

  it('may come byte by byte', async () => {
    const pipe = makePipe(folder.path);
    const running = runExport(from(pipe), { workers });
    const bytes = whole.subarray(0, 401);
    for (const byte of bytes) await send(pipe, Uint8Array.of(byte));
    pipe.writeEnd.end();
    const { bytes: out, receipt } = await running;
    expect(readCapture(out).packets).toHaveLength(readCapture(bytes).packets.length);
    expect(receipt.damage).toHaveLength(1);
  });

  it('that falls silent has its packets handed on', async () => {
    const pipe = makePipe(folder.path);
    const prepared = await prepareExport(from(pipe));
    const sink = new MemorySink();
    const running = prepared.run(sink, { workers });
    await send(pipe, pcapHeader());
    for (const round of [1, 2]) {
      for (const packet of packets.slice(0, 3)) await send(pipe, pcapRecord(packet));
      const deadline = Date.now() + soon;
      while (sink.chunks.length === 0 || readCapture(sink.bytes).packets.length < 3 * round) {
        if (Date.now() > deadline) throw new Error('waited in vain for the packets');
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
    pipe.writeEnd.end();
    expect((await running).packets_exported).toBe(6n);
  });

  it(
    'is left at once when a stop rule holds, though it goes on',
    async () => {
      const pipe = makePipe(folder.path);
      const running = runExport(from(pipe, { limits: { ...NO_LIMITS, packets: 2n } }), { workers });
      await send(pipe, pcapFile(packets.slice(0, 5)));
      const { receipt } = await running;
      expect(receipt).toMatchObject({ packets_exported: 2n, stopped_by: 'packets' });
      pipe.writeEnd.on('error', () => undefined);
      pipe.writeEnd.destroy();
    },
    soon,
  );

  it(
    'that is silent can be cancelled',
    async () => {
      const pipe = makePipe(folder.path);
      const controller = new AbortController();
      const running = runExport(from(pipe), { workers, signal: controller.signal });
      await send(pipe, pcapFile(packets.slice(0, 5)));
      setTimeout(() => controller.abort(), 100);
      await expect(running).rejects.toMatchObject({ code: 'CANCELLED' });
      pipe.writeEnd.destroy();
    },
    soon,
  );

  it(
    'whose output can not be written is left, though it is silent',
    async () => {
      const pipe = makePipe(folder.path);
      const prepared = await prepareExport(from(pipe));
      const failing = { write: () => Promise.reject(new Error('full')), finish: () => Promise.resolve(), abort: () => Promise.resolve() };
      const running = prepared.run(failing, { workers });
      await send(pipe, pcapFile(packets.slice(0, 5)));
      await expect(running).rejects.toThrow('full');
      pipe.writeEnd.destroy();
    },
    soon,
  );

  it.each([
    ['nothing', Buffer.alloc(0)],
    ['noise', payload(3000, 5)],
    ['half a header', whole.subarray(0, 10)],
    ['noise in gzip', gzipSync(payload(3000, 5))],
    ['cut gzip', gzipSync(whole).subarray(0, 15)],
  ])('with %s is no capture', async (_, bytes) => {
    const pipe = makePipe(folder.path);
    feed(pipe, bytes);
    await expect(runExport(from(pipe), { workers })).rejects.toMatchObject({ code: 'SOURCE_NOT_A_CAPTURE', message: expect.stringMatching(/^-: /) });
  });

  it('cut short gives what is whole, and says so', async () => {
    for (const bytes of [whole.subarray(0, -1), gzipSync(whole).subarray(0, -30), twoFrames.subarray(0, -5)]) {
      const pipe = makePipe(folder.path);
      feed(pipe, bytes);
      const { bytes: out, receipt } = await runExport(from(pipe), { workers });
      expect(receipt).toMatchObject({ truncated: true, damage: [{ file: '-' }] });
      expect(readCapture(out).damageAt).toBe(null);
    }
  });

  it('is filtered by a program for each link type that comes', async () => {
    const blocks = new NgBlocks();
    const ip = Buffer.from('4500001400000000401100007f0000017f000001', 'hex');
    const parts = [blocks.section(), blocks.interface(), blocks.enhanced({ ticks: 1n, data: payload(60) }), blocks.interface({ linkType: 101 })];
    const pipe = makePipe(folder.path);
    feed(pipe, Buffer.concat([...parts, blocks.enhanced({ interface: 1, ticks: 2n, data: ip })]));
    const { bytes } = await runExport(from(pipe, { filters: ['udp'], format: 'pcapng_ns' }), { workers });
    expect(readCapture(bytes).packets.map(({ linkType }) => linkType)).toEqual([101]);
  });

  it('is inspected', async () => {
    const pipe = makePipe(folder.path);
    feed(pipe, whole);
    const report = await inspect({ fd: pipe.readEnd, name: '-' }, { workers });
    expect(report).toMatchObject({ packets: 500n, container: 'pcap', sizeBytes: null, damage: null });
  });

  it('can not be one of several sources', async () => {
    const pipe = makePipe(folder.path);
    feed(pipe, whole);
    const sources = [{ fd: pipe.readEnd, name: '-' }, fileSource(folder.write('beside.pcap', whole))];
    await expect(runExport(request(sources), { workers })).rejects.toMatchObject({ code: 'REQUEST_INVALID' });
  });
});

describe('descriptors', () => {
  it('of a named pipe given by its path are closed once, and none of another', async () => {
    const pipe = makePipe(folder.path);
    const prepared = await prepareExport(request(pipe.path));
    feed(pipe, whole);
    closeSync(pipe.readEnd);
    const sink = new MemorySink();
    const bystander = folder.write('bystander', whole);
    const taken: number[] = [];
    // Whatever number becomes free while the export ends is taken at once, as another export would.
    sink.finish = async () => {
      await new Promise((resolve) => setTimeout(resolve, 50));
      for (let i = 0; i < 8; i++) taken.push(openSync(bystander, 'r'));
    };
    expect((await prepared.run(sink, { workers: 0 })).packets_exported).toBe(500n);
    await prepared.close();
    expect(descriptors(pipe.path)).toEqual([]);
    expect(descriptors(bystander)).toHaveLength(8);
    for (const fd of taken) closeSync(fd);
  });
  it('that are given stay open, where they lead to a file', async () => {
    for (const [name, bytes] of [
      ['plain.pcap', whole],
      ['packed.pcap.gz', gzipSync(whole)],
    ] as const) {
      const fd = openSync(folder.write(name, bytes), 'r');
      expect((await runExport(request([{ fd, name }]), { workers: 0 })).receipt.packets_exported).toBe(500n);
      closeSync(fd);
    }
  });
  it('of compressed files are closed', async () => {
    for (const bytes of [gzipSync(whole), Buffer.from(compress(whole))]) {
      const path = folder.write('packed', bytes);
      await runExport(request(path), { workers: 0 });
      await runExport(request(path, { limits: { ...NO_LIMITS, packets: 1n } }), { workers: 1 });
      await inspect(fileSource(path));
      expect(descriptors(path)).toEqual([]);
    }
  });
});
