/** An interface's folder as one source: what is there, what comes, and what is gone. */
import { readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { BufferLane, type LaneOptions } from '../../src/buffer/lane.js';
import type { SpillwayError } from '../../src/errors.js';
import type { ExportRequest } from '../../src/engine/types.js';
import { FakeBuffer, lossFile, lossRecord, SPARE_BYTES } from '../support/buffer.js';
import { payload, type NgPacket } from '../support/build.js';
import { request, runExport, type Exported } from '../support/engine.js';
import { readCapture } from '../support/reader.js';
import { temporaryFolder } from '../support/temporary.js';

const folder = temporaryFolder();
let folders = 0;
const newBuffer = (linkType?: number): FakeBuffer => new FakeBuffer(join(folder.path, `buffer-${folders++}`), linkType);

/** Packets with numbers for contents, one a nanosecond. */
const packets = (first: number, count: number): NgPacket[] =>
  Array.from({ length: count }, (_, i) => {
    const data = payload(60, first + i);
    data.writeUInt32BE(first + i, 20);
    return { ticks: BigInt(first + i), data };
  });
const numbersIn = (bytes: Buffer): number[] => readCapture(bytes).packets.map(({ data }) => data.readUInt32BE(20));
const range = (first: number, count: number): number[] => Array.from({ length: count }, (_, i) => first + i);

const open = (buffer: FakeBuffer, options: Partial<LaneOptions> = {}): Promise<BufferLane> =>
  BufferLane.open(buffer.folder, { name: 'jobs/x/eth0', windows: [], until: 'now', isCaptured: async () => true, ...options });

async function exported(buffer: FakeBuffer, options: Partial<LaneOptions> = {}, changed: Partial<ExportRequest> = {}): Promise<Exported> {
  const lane = await open(buffer, options);
  return runExport(request([{ lane, name: lane.name }], { format: 'pcapng_ns', windows: [...(options.windows ?? [])], ...changed }));
}

describe('what is there', () => {
  it('is read in order of capture, the open segment as far as it is visible', async () => {
    const buffer = newBuffer();
    for (const first of [0, 10, 20]) {
      buffer.store(packets(first, 10));
      buffer.seal({ index: first !== 10 });
    }
    buffer.store(packets(30, 5));
    const { bytes, receipt } = await exported(buffer);
    expect(numbersIn(bytes)).toEqual(range(0, 35));
    expect(readCapture(bytes).interfaces).toHaveLength(1);
    expect(receipt).toMatchObject({ packets_read: 35n, packets_exported: 35n, damage: [], lost: [] });
  });

  it('ends where it was when it was asked for, though an index counts more by now', async () => {
    const buffer = newBuffer();
    buffer.store(packets(0, 5000));
    const lane = await open(buffer);
    buffer.store(packets(5000, 5000));
    buffer.seal();
    const { receipt } = await runExport(request([{ lane, name: 'x' }], { format: 'pcapng_ns' }));
    expect(receipt).toMatchObject({ packets_read: 5000n, packets_exported: 5000n, source_range: { first_ns: 0n, last_ns: 4999n } });
  });

  it('ends where it was when it was asked for', async () => {
    const buffer = newBuffer();
    buffer.store(packets(0, 10));
    const lane = await open(buffer);
    buffer.store(packets(10, 10));
    buffer.seal();
    buffer.store(packets(20, 10));
    const { bytes } = await runExport(request([{ lane, name: 'x' }], { format: 'pcapng_ns' }));
    expect(numbersIn(bytes)).toEqual(range(0, 10));
  });

  it('that is sealed while it is read is read all the same', async () => {
    const buffer = newBuffer();
    buffer.store(packets(0, 10));
    buffer.seal();
    buffer.store(packets(10, 10));
    const lane = await open(buffer);
    buffer.seal();
    const { bytes } = await runExport(request([{ lane, name: 'x' }], { format: 'pcapng_ns' }));
    expect(numbersIn(bytes)).toEqual(range(0, 20));
  });

  it('is left out by time without being opened', async () => {
    const buffer = newBuffer();
    for (let first = 0; first < 50; first += 10) {
      buffer.store(packets(first, 10));
      buffer.seal();
    }
    // Whoever opened these would find nothing to read.
    for (const id of [1n, 2n, 5n]) writeFileSync(buffer.path('pcapng', id), Buffer.alloc(readFileSync(buffer.path('pcapng', id)).length));
    const windows = [{ startNs: 25n, endNs: 35n }];
    const { bytes, receipt } = await exported(buffer, { windows });
    expect(numbersIn(bytes)).toEqual(range(25, 10));
    expect(receipt.damage).toEqual([]);
  });

  it('is left out by a filter without being opened', async () => {
    const buffer = newBuffer();
    for (let first = 0; first < 50; first += 10) {
      buffer.store(packets(first, 10));
      buffer.seal();
    }
    // The first is looked at, for what it is.
    for (const id of [2n, 3n, 4n, 5n]) writeFileSync(buffer.path('pcapng', id), Buffer.alloc(readFileSync(buffer.path('pcapng', id)).length));
    const { receipt } = await exported(buffer, {}, { filters: ['host 203.0.113.77'] });
    expect(receipt).toMatchObject({ packets_read: 50n, packets_exported: 0n, left_out: { filter: 50n }, damage: [] });
  });

  it('is refused where it is gone, and nothing looks whole', async () => {
    const buffer = newBuffer();
    for (const first of [0, 10, 20]) {
      buffer.store(packets(first, 10));
      buffer.seal();
    }
    const lane = await open(buffer);
    buffer.drop(2n);
    await expect(runExport(request([{ lane, name: 'x' }]))).rejects.toThrow(
      expect.objectContaining({ code: 'SOURCE_OVERWRITTEN', message: expect.stringContaining('0000000000000002') }) as SpillwayError,
    );
  });

  it('is described anew where the interface has become another', async () => {
    const buffer = newBuffer();
    buffer.store(packets(0, 10));
    buffer.seal();
    const other = new FakeBuffer(buffer.folder, 113);
    other.id = 1n;
    other.store(packets(10, 10));
    const { bytes } = await exported(buffer);
    const capture = readCapture(bytes);
    expect(capture.interfaces.map(({ linkType }) => linkType)).toEqual([1, 113]);
    expect(numbersIn(bytes)).toEqual(range(0, 20));
  });

  it('without marks, or with nothing visible, is what is sealed', async () => {
    const buffer = newBuffer();
    buffer.store(packets(0, 10));
    buffer.seal();
    buffer.store(packets(10, 10));
    writeFileSync(join(buffer.folder, 'marks'), Buffer.alloc(4096));
    expect(numbersIn((await exported(buffer)).bytes)).toEqual(range(0, 10));
    expect((await open(newBuffer())).isEmpty).toBe(true);
  });
});

describe('what comes', () => {
  const NOW = BigInt(Date.now()) * 1_000_000n;
  /** Follows while `meanwhile` goes on, and then ends it as Ctrl-C does. */
  async function followed(buffer: FakeBuffer, meanwhile: () => Promise<void>, options: Partial<LaneOptions> = {}): Promise<Exported> {
    const lane = await open(buffer, { until: 'capture', ...options });
    const running = runExport(request([{ lane, name: lane.name }], { format: 'pcapng_ns' }));
    await meanwhile();
    lane.endNow();
    buffer.publish(BigInt(Date.now() + 2000) * 1_000_000n);
    return running;
  }

  it('follows what is there, with no gap and no duplicate', async () => {
    const buffer = newBuffer();
    buffer.store(packets(0, 10));
    buffer.seal();
    buffer.store(packets(10, 3));
    const { bytes, receipt } = await followed(buffer, async () => {
      for (let first = 13; first < 73; first += 3) {
        buffer.store(packets(first, 3));
        if (first % 4 === 0) buffer.seal({ index: first % 8 === 0 });
        await sleep(first % 5 === 0 ? 70 : 5);
      }
    });
    expect(numbersIn(bytes)).toEqual(range(0, 73));
    expect(receipt).toMatchObject({ lost: [], damage: [] });
  });

  it('of an interface that has had nothing yet is all of it', async () => {
    const buffer = newBuffer();
    const { bytes } = await followed(buffer, async () => {
      await sleep(100);
      buffer.store(packets(0, 10));
      await sleep(100);
    });
    expect(numbersIn(bytes)).toEqual(range(0, 10));
  });

  it('and is gone before it was read is counted, in the receipt and in a statistics block', async () => {
    const buffer = newBuffer();
    for (let first = 0; first < 40; first += 10) {
      buffer.store(packets(first, 10));
      buffer.seal();
    }
    buffer.store(packets(40, 10));
    const lane = await open(buffer, { until: 'capture' });
    await lane.look();
    // Two that were listed, one that was open then, and one that nobody saw.
    buffer.seal();
    buffer.store(packets(50, 7));
    buffer.seal();
    buffer.store(packets(57, 10));
    for (const id of [2n, 4n, 5n, 6n]) buffer.drop(id);
    const running = runExport(request([{ lane, name: lane.name }], { format: 'pcapng_ns' }));
    await sleep(200);
    lane.endNow();
    buffer.publish(BigInt(Date.now() + 2000) * 1_000_000n);
    const { bytes, receipt } = await running;
    expect(numbersIn(bytes)).toEqual([...range(0, 10), ...range(20, 10), ...range(57, 10)]);
    expect(receipt.lost.map(({ kind, packets: lost }) => [kind, lost])).toEqual([
      ['overwritten', 10n],
      ['overwritten', 10n],
      ['overwritten', 17n],
    ]);
    expect(receipt.packets_dropped_at_capture).toBe(37n);
    expect(bytes.includes(Buffer.from('let go of'))).toBe(true);
  });

  it('up to a time is waited for, and not beyond', async () => {
    const buffer = newBuffer();
    buffer.store(packets(0, 10));
    const until = NOW + 3_600_000_000_000n;
    const lane = await open(buffer, { until });
    const running = runExport(request([{ lane, name: lane.name }], { format: 'pcapng_ns', windows: [{ startNs: null, endNs: until }] }));
    buffer.store(packets(10, 10));
    await sleep(120);
    let isOver = false;
    void running.then(() => (isOver = true));
    buffer.publish(until + 499_000_000n);
    await sleep(150);
    expect(isOver).toBe(false);
    buffer.publish(until + 500_000_000n);
    expect(numbersIn((await running).bytes)).toEqual(range(0, 20));
  });

  it('ends with a capture that is stopped', async () => {
    const buffer = newBuffer();
    buffer.store(packets(0, 10));
    const lane = await open(buffer, { until: 'capture' });
    const running = runExport(request([{ lane, name: lane.name }], { format: 'pcapng_ns' }));
    buffer.store(packets(10, 5));
    buffer.seal();
    buffer.publish(NOW, 'stopped');
    expect(numbersIn((await running).bytes)).toEqual(range(0, 15));
  });

  it('is cancelled at once', async () => {
    const buffer = newBuffer();
    buffer.store(packets(0, 10));
    const lane = await open(buffer, { until: 'capture' });
    const stop = new AbortController();
    const running = runExport(request([{ lane, name: lane.name }]), { signal: stop.signal });
    setTimeout(() => stop.abort(), 100);
    await expect(running).rejects.toMatchObject({ code: 'CANCELLED' });
  });
});

describe('what capture lost', () => {
  it('is in the receipt and in a statistics block where it touches the time asked for', async () => {
    const buffer = newBuffer();
    buffer.store(packets(0, 100), 100n);
    writeFileSync(
      join(buffer.folder, 'losses'),
      lossFile([
        lossRecord(1, 10n, 20n, 5n),
        lossRecord(2, 40n, 50n, 7n),
        lossRecord(4, 60n, 70n, 2n ** 64n - 1n),
        lossRecord(3, 5000n, 5001n, 1000n),
      ]),
    );
    const all = await exported(buffer);
    expect(all.receipt.lost.map(({ kind }) => kind)).toEqual(['ring', 'queue', 'link_down']);
    expect(all.receipt.packets_dropped_at_capture).toBe(12n);
    const some = await exported(buffer, { windows: [{ startNs: 45n, endNs: 55n }] });
    expect(some.receipt.lost).toEqual([{ kind: 'queue', source: 'jobs/x/eth0', startNs: 40n, endNs: 50n, packets: 7n }]);
    expect(numbersIn(some.bytes)).toEqual(range(45, 10));
  });
});

describe('what is damaged', () => {
  /** Segments of several blocks. */
  const large = (first: number, count: number): NgPacket[] =>
    packets(first, count).map((packet) => ({ ...packet, data: Buffer.concat([packet.data, payload(3000)]) }));
  function damaged(change: (bytes: Buffer) => Buffer): FakeBuffer {
    const buffer = newBuffer();
    for (const first of [0, 100, 200]) {
      buffer.store(large(first, 100));
      buffer.seal();
    }
    const path = buffer.path('pcapng', 2n);
    writeFileSync(path, change(readFileSync(path)));
    return buffer;
  }
  const flipped = (at: number) => (bytes: Buffer) => {
    bytes[at]! ^= 0x10;
    return bytes;
  };

  it('a block that is not what it was is left out, named and counted, wherever it is', async () => {
    for (const at of [3, 60, 5000, 70_000, 200_000, -40]) {
      const buffer = damaged((bytes) => flipped(at < 0 ? bytes.length + at : at)(bytes));
      const { bytes, receipt } = await exported(buffer);
      const numbers = numbersIn(bytes);
      expect(receipt.damage, `at ${at}`).toHaveLength(1);
      const [gap] = receipt.damage;
      expect(gap).toMatchObject({ file: 'jobs/x/eth0/0000000000000002.pcapng', reason: expect.stringContaining('checksum') as string });
      expect(numbers.length + gap!.packets!, `at ${at}: ${numbers.join(' ')}`).toBe(300);
      expect(numbers.filter((n) => n < 100 || n >= 200)).toEqual([...range(0, 100), ...range(200, 100)]);
      expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
      expect(gap!.packets).toBeGreaterThan(5);
      expect(gap!.packets).toBeLessThan(50);
      expect(receipt).toMatchObject({ truncated: true, packets_dropped_at_capture: BigInt(gap!.packets!) });
    }
  });

  it('an open segment that has less than its marks say is cut short, also between two packets', async () => {
    const buffer = newBuffer();
    buffer.store(packets(0, 6));
    const path = buffer.path('pcapng.part');
    const behindSix = statSync(path).size - SPARE_BYTES;
    buffer.store(packets(6, 4));
    const missing = statSync(path).size - SPARE_BYTES - behindSix;
    truncateSync(path, behindSix);
    const { bytes, receipt } = await exported(buffer);
    expect(numbersIn(bytes)).toEqual(range(0, 6));
    const reason = `the file ends ${missing} bytes before it should`;
    expect(receipt).toMatchObject({ truncated: true, damage: [{ file: 'jobs/x/eth0/0000000000000001.pcapng', offsetBytes: behindSix, reason }] });
  });

  it('a segment that is cut short has gaps, too', async () => {
    const { bytes, receipt } = await exported(damaged((whole) => whole.subarray(0, 150_000)));
    const lost = receipt.damage.reduce((sum, { packets: each }) => sum + each!, 0);
    expect(numbersIn(bytes).length + lost).toBe(300);
    expect(receipt.damage.length).toBeGreaterThan(1);
  });

  it('an index that is flipped or cut anywhere costs no packet', async () => {
    const buffer = damaged((bytes) => bytes);
    const path = buffer.path('index', 2n);
    const whole = readFileSync(path);
    const flips = Array.from({ length: Math.ceil(whole.length / 5) }, (_, i) => flipped(5 * i)(Buffer.from(whole)));
    const cuts = Array.from({ length: Math.ceil(whole.length / 41) }, (_, i) => whole.subarray(0, 41 * i));
    for (const [i, bytes] of [...flips, ...cuts].entries()) {
      writeFileSync(path, bytes);
      const all = await exported(buffer);
      expect(numbersIn(all.bytes), `change ${i}`).toEqual(range(0, 300));
      expect(all.receipt.damage).toEqual([]);
      const some = await exported(buffer, { windows: [{ startNs: 95n, endNs: 130n }] });
      expect(numbersIn(some.bytes), `change ${i}`).toEqual(range(95, 35));
      expect(some.receipt).toMatchObject({ packets_processed: 35n, damage: [] });
    }
    expect(flips.length).toBeGreaterThan(50);
  }, 60_000);

  it('the first segment borrows its header from another; alone, all of it is named', async () => {
    for (const segments of [1, 2]) {
      const buffer = newBuffer();
      for (let i = 0; i < segments; i++) {
        buffer.store(large(100 * i, 100));
        buffer.seal();
      }
      writeFileSync(buffer.path('pcapng', 1n), flipped(60)(readFileSync(buffer.path('pcapng', 1n))));
      const { bytes, receipt } = await exported(buffer);
      expect(receipt.damage).toHaveLength(1);
      expect(numbersIn(bytes).length + receipt.damage[0]!.packets!).toBe(100 * segments);
      if (segments === 2) expect(receipt.damage[0]!.packets).toBeLessThan(50);
      else expect(receipt.damage[0]!.packets).toBe(100);
    }
  });
});
