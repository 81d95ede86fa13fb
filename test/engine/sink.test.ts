/** The engine and its sink: order of calls, back-pressure, failures, cancel; and nothing stays open behind them. */
import { describe, expect, it } from 'vitest';
import { SpillwayError } from '../../src/errors.js';
import { prepareExport, type RunOptions } from '../../src/engine/export.js';
import type { Progress, Sink } from '../../src/engine/types.js';
import { bigPcap } from '../support/big.js';
import { descriptors } from '../support/descriptors.js';
import { request } from '../support/engine.js';
import { temporaryFolder } from '../support/temporary.js';

const folder = temporaryFolder();
const SIZE = 12 << 20;
const path = folder.write('big.pcap', bigPcap(SIZE));

/** Writes down what is asked of it, and fails where it is told to. */
class LoggingSink implements Sink {
  readonly calls: string[] = [];
  bytes = 0;
  constructor(private readonly hooks: { write?: (n: number) => Promise<void> | void; finish?: () => Promise<void> } = {}) {}
  async write(bytes: Uint8Array): Promise<void> {
    this.calls.push('write');
    this.bytes += bytes.length;
    await this.hooks.write?.(this.calls.length);
  }
  async finish(): Promise<void> {
    this.calls.push('finish');
    await this.hooks.finish?.();
  }
  async abort(): Promise<void> {
    this.calls.push('abort');
  }
  /** Whatever came after the writes. */
  get ends(): string[] {
    return this.calls.filter((call) => call !== 'write');
  }
}

const run = async (sink: Sink, options: RunOptions = {}) => (await prepareExport(request(path))).run(sink, options);
const full = (): never => {
  throw new SpillwayError('OUTPUT_FAILED', 'no space left');
};

describe.each([0, 2])('with %i workers, a sink', (workers) => {
  it('is written, then finished once', async () => {
    const sink = new LoggingSink();
    const receipt = await run(sink, { workers });
    expect(sink.ends).toEqual(['finish']);
    expect(receipt.bytes_exported).toBe(BigInt(sink.bytes));
    expect(descriptors(folder.path)).toEqual([]);
  });
  it.each([1, 2, 3])('that fails at write %i is aborted, and the failure is told', async (at) => {
    const sink = new LoggingSink({ write: (n) => (n === at ? full() : undefined) });
    await expect(run(sink, { workers })).rejects.toMatchObject({ code: 'OUTPUT_FAILED', message: 'no space left' });
    expect(sink.ends).toEqual(['abort']);
    expect(sink.calls.filter((call) => call === 'write')).toHaveLength(at);
    expect(descriptors(folder.path)).toEqual([]);
  });
  it('that can not finish is aborted', async () => {
    const sink = new LoggingSink({ finish: async () => full() });
    await expect(run(sink, { workers })).rejects.toMatchObject({ code: 'OUTPUT_FAILED' });
    expect(sink.ends).toEqual(['finish', 'abort']);
    expect(descriptors(folder.path)).toEqual([]);
  });
  it('gets one write at a time, and slows the scan down', async () => {
    let writing = 0;
    let overlapped = false;
    const sink = new LoggingSink({
      write: async () => {
        overlapped ||= writing > 0;
        writing += 1;
        await new Promise((resolve) => setTimeout(resolve, 5));
        writing -= 1;
      },
    });
    await run(sink, { workers });
    expect(overlapped).toBe(false);
  });
  it('is aborted when the export is cancelled before it begins', async () => {
    const sink = new LoggingSink();
    await expect(run(sink, { workers, signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'CANCELLED' });
    expect(sink.ends).toEqual(['abort']);
    expect(descriptors(folder.path)).toEqual([]);
  });
  it('is aborted when the export is cancelled on the way', async () => {
    const controller = new AbortController();
    const sink = new LoggingSink({ write: () => controller.abort() });
    await expect(run(sink, { workers, signal: controller.signal })).rejects.toMatchObject({ code: 'CANCELLED' });
    expect(sink.ends).toEqual(['abort']);
    expect(sink.bytes).toBeLessThan(SIZE);
    expect(descriptors(folder.path)).toEqual([]);
  });
  it('that fails because of a cancel is a cancelled export', async () => {
    const controller = new AbortController();
    const sink = new LoggingSink({
      write: () => {
        controller.abort();
        full();
      },
    });
    await expect(run(sink, { workers, signal: controller.signal })).rejects.toMatchObject({ code: 'CANCELLED' });
  });
});

describe('an export', () => {
  it('that is prepared and never run leaves nothing open once it is closed', async () => {
    const prepared = await prepareExport(request(path));
    expect(descriptors(folder.path)).toEqual([path]);
    expect(prepared).toMatchObject({ bytesTotal: expect.any(Number), linkTypes: [1], warnings: [] });
    await prepared.close();
    await prepared.close();
    expect(descriptors(folder.path)).toEqual([]);
  });
  it.each([0, 2])('tells progress that only grows and ends at all (%i workers)', async (workers) => {
    const told: Progress[] = [];
    const sink = new LoggingSink();
    await run(sink, { workers, onProgress: (progress) => told.push({ ...progress }) });
    expect(told.length).toBeGreaterThan(2);
    for (const [i, { bytesDone, packetsRead, packetsOut, outBytes, bytesTotal }] of told.entries()) {
      const before = told[i - 1];
      if (!before) continue;
      expect(bytesDone).toBeGreaterThanOrEqual(before.bytesDone);
      expect(packetsRead).toBeGreaterThanOrEqual(before.packetsRead);
      expect(packetsOut).toBeGreaterThanOrEqual(before.packetsOut);
      expect(outBytes).toBeGreaterThanOrEqual(before.outBytes);
      expect(bytesTotal).toBe(told[0]!.bytesTotal);
    }
    const last = told.at(-1)!;
    expect(last.bytesDone).toBe(last.bytesTotal);
    expect(last.outBytes).toBe(sink.bytes);
  });
  it('warns of a filter that no packet can pass, and gives an empty capture', async () => {
    const prepared = await prepareExport(request(path, { filters: ['tcp and udp'] }));
    expect(prepared.warnings).toEqual([expect.stringContaining('rejects all packets')]);
    const receipt = await prepared.run(new LoggingSink(), { workers: 0 });
    expect(receipt).toMatchObject({ packets_exported: 0n, warnings: [expect.stringContaining('tcp and udp')] });
  });
  it.each([
    ['FILTER_INVALID', { filters: ['no such word'] }],
    ['FILTER_LINK_TYPE', { filters: ['wlan type data'] }],
    ['TIME_INVALID', { windows: [{ startNs: 2n, endNs: 1n }] }],
  ])('is refused with %s before anything is written', async (code, wish) => {
    await expect(prepareExport(request(path, wish))).rejects.toMatchObject({ code });
    expect(descriptors(folder.path)).toEqual([]);
  });
});
