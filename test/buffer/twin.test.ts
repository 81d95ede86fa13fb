/** Captured traffic that is read twice, since tshark answers a filter of the export. */
import { spawnSync } from 'node:child_process';
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Catalogs } from '../../src/buffer/catalog.js';
import { type BufferLane } from '../../src/buffer/lane.js';
import { openCaptured, type CaptureRooms, type CaptureWish } from '../../src/capture/captured-sources.js';
import { prepareExport } from '../../src/engine/export.js';
import { hasProgram, requireOrSkip } from '../setup/require.js';
import { FakeBuffer, lossFile, lossRecord } from '../support/buffer.js';
import { payload, type NgPacket } from '../support/build.js';
import { MemorySink, request, runExport } from '../support/engine.js';
import { readCapture } from '../support/reader.js';
import { temporaryFolder } from '../support/temporary.js';

const folder = temporaryFolder();
let jobs = 0;

/** One a second, with numbers for contents. */
const SECOND = 1_000_000_000n;
const packets = (first: number, count: number): NgPacket[] =>
  Array.from({ length: count }, (_, i) => {
    const data = payload(60, first + i);
    data.writeUInt32BE(first + i, 20);
    return { ticks: BigInt(first + i) * SECOND, data };
  });
const numbersIn = (bytes: Buffer): number[] => readCapture(bytes).packets.map(({ data }) => data.readUInt32BE(20));

/** Three finished segments of ten packets, and five in the open one. */
function newJob(): { buffer: FakeBuffer; rooms: CaptureRooms } {
  const path = join(folder.path, `job-${jobs++}`);
  const buffer = new FakeBuffer(join(path, '0-eth0'));
  for (const first of [0, 10, 20]) {
    buffer.store(packets(first, 10));
    buffer.seal();
  }
  buffer.store(packets(30, 5));
  const job = { id: 'x', name: 'up', folder: path };
  return { buffer, rooms: { jobs: { get: async () => job }, clips: { catalogs: new Catalogs() } } as unknown as CaptureRooms };
}

/** A segment with one packet less in the place of one. */
function replace(buffer: FakeBuffer, id: bigint): void {
  const other = new FakeBuffer(join(folder.path, `other-${jobs++}`));
  other.store(packets(10, 9));
  other.seal();
  for (const ending of ['pcapng', 'index']) renameSync(other.path(ending), buffer.path(ending, id));
}

const EVERYTHING = { startNs: null, endNs: null };
const open = (rooms: CaptureRooms, wish: Partial<CaptureWish> = {}) =>
  openCaptured({ kind: 'jobs', name: 'up' }, { windows: [], seen: EVERYTHING, isFollowed: false, ...wish }, rooms);

/** Whether capture could let go of a segment. */
const isHeld = (buffer: FakeBuffer, id: bigint): boolean => spawnSync('flock', ['-n', '-x', buffer.path('pcapng', id), 'true']).status !== 0;

async function laneOf(rooms: CaptureRooms, wish: Partial<CaptureWish> = {}): Promise<BufferLane> {
  const { lanes } = await open(rooms, wish);
  return lanes[0] as BufferLane;
}

describe('a lane and its twin', () => {
  it('are of the same packets, whatever is captured meanwhile', async () => {
    const { buffer, rooms } = newJob();
    const lane = await laneOf(rooms);
    buffer.store(packets(35, 5));
    buffer.seal();
    buffer.store(packets(40, 5));
    await lane.look();
    const twin = await lane.twin();
    for (const each of [twin, lane])
      expect(numbersIn((await runExport(request([{ lane: each, name: 'x' }], { format: 'pcapng_ns' }))).bytes)).toEqual([...Array(35).keys()]);
  });

  it('hold what is to be read, until it is read or given up', async () => {
    const { buffer, rooms } = newJob();
    const lane = await laneOf(rooms);
    expect(isHeld(buffer, 2n)).toBe(false);
    await lane.look();
    const twin = await lane.twin();
    expect([1n, 2n, 3n].map((id) => isHeld(buffer, id))).toEqual([true, true, true]);
    await twin.close();
    expect(isHeld(buffer, 3n)).toBe(true);
    await lane.next(null);
    await lane.next(null);
    expect([1n, 2n, 3n].map((id) => isHeld(buffer, id))).toEqual([false, true, true]);
    await lane.close();
    expect([1n, 2n, 3n].map((id) => isHeld(buffer, id))).toEqual([false, false, false]);
  });

  it('are none where a part is gone', async () => {
    const { buffer, rooms } = newJob();
    const lane = await laneOf(rooms);
    renameSync(buffer.path('pcapng', 2n), buffer.path('gone', 2n));
    await expect(lane.twin()).rejects.toMatchObject({ code: 'SOURCE_OVERWRITTEN' });
    await lane.close();
    expect(isHeld(buffer, 1n)).toBe(false);
  });
});

describe('what is to be read twice', () => {
  it.each<[name: string, wish: () => Partial<CaptureWish>, kind?: 'interfaces' | 'vifgs']>([
    ['goes on', () => ({ isFollowed: true })],
    ['ends in the future', () => ({ windows: [{ startNs: null, endNs: BigInt(Date.now() + 60_000) * 1_000_000n }] })],
    ['is an interface', () => ({}), 'interfaces'],
    ['is a group', () => ({}), 'vifgs'],
  ])('is refused where it %s', async (_, wish, kind = undefined) => {
    const { rooms } = newJob();
    const asked = openCaptured({ kind: kind ?? 'jobs', name: 'up' }, { windows: [], seen: EVERYTHING, isFollowed: false, ...wish() }, rooms);
    await expect(asked).rejects.toMatchObject({ code: 'SOURCE_UNSUPPORTED', message: expect.stringContaining('twice') });
  });

  it('waits for what is on its way, where it ends just now', async () => {
    const { rooms } = newJob();
    const begun = Date.now();
    const lane = await laneOf(rooms, { windows: [{ startNs: null, endNs: BigInt(begun - 500) * 1_000_000n }] });
    expect(Date.now() - begun).toBeGreaterThanOrEqual(400);
    await lane.close();
  });
});

describe.runIf(requireOrSkip('tshark', hasProgram('tshark')))('an export that tshark answers, of captured traffic', () => {
  it('numbers the packets of its range, over all segments, with context', async () => {
    const { buffer, rooms } = newJob();
    writeFileSync(
      join(buffer.folder, 'losses'),
      lossFile([lossRecord(1, 8n * SECOND, 9n * SECOND, 3n), lossRecord(1, 21n * SECOND, 22n * SECOND, 4n)]),
    );
    const windows = [{ startNs: 15n * SECOND, endNs: 33n * SECOND }];
    const seen = { startNs: 7n * SECOND, endNs: 33n * SECOND };
    const lane = await laneOf(rooms, { windows, seen });
    // Frame 1 is packet 7.
    const filters = [{ language: 'wireshark' as const, text: 'frame.number in {1, 2, 9, 10, 24, 26, 27}' }];
    const { bytes, receipt } = await runExport(request([{ lane, name: 'x' }], { format: 'pcapng_ns', windows, seen, filters }));
    expect(numbersIn(bytes)).toEqual([15, 16, 30, 32]);
    expect(receipt).toMatchObject({ packets_exported: 4n, packets_processed: 18n, damage: [] });
    expect(receipt.lost.map(({ packets: count }) => count)).toEqual([4n]);
  });

  /** Does something when the first reading is over, and the second has not begun. */
  async function exportWith(rooms: CaptureRooms, between: () => void): Promise<{ run: Promise<unknown>; sink: MemorySink }> {
    const lane = await laneOf(rooms);
    const { twin } = lane;
    lane.twin = async () => {
      const first = await twin.call(lane);
      const { close } = first;
      first.close = async () => {
        await close.call(first);
        between();
      };
      return first;
    };
    const filters = [{ language: 'wireshark' as const, text: 'frame.number % 2 == 1' }];
    const prepared = await prepareExport(request([{ lane, name: 'x' }], { format: 'pcapng_ns', filters }));
    const sink = new MemorySink();
    return { run: prepared.run(sink), sink };
  }

  it('is kept what it is to read again, and does not see what comes between its readings', async () => {
    const { buffer, rooms } = newJob();
    const held: boolean[] = [];
    const { run, sink } = await exportWith(rooms, () => {
      held.push(...[1n, 2n, 3n].map((id) => isHeld(buffer, id)));
      buffer.store(packets(35, 5));
      buffer.seal();
      buffer.store(packets(40, 5));
    });
    expect(await run).toMatchObject({ packets_read: 35n, packets_exported: 18n, left_out: { filter: 17n } });
    expect(held).toEqual([true, true, true]);
    expect(numbersIn(sink.bytes)).toEqual(Array.from({ length: 18 }, (_, i) => 2 * i));
    expect([1n, 2n, 3n, 4n].map((id) => isHeld(buffer, id))).toEqual([false, false, false, false]);
  });

  it.each<[name: string, change: (buffer: FakeBuffer) => void, code: string]>([
    ['is gone nevertheless', (buffer) => buffer.drop(2n), 'SOURCE_OVERWRITTEN'],
    ['is another one', (buffer) => replace(buffer, 2n), 'RECEIPT_MISMATCH'],
  ])('fails where a segment %s between its readings', async (_, change, code) => {
    const { buffer, rooms } = newJob();
    const { run, sink } = await exportWith(rooms, () => change(buffer));
    await expect(run).rejects.toMatchObject({ code });
    expect(sink).toMatchObject({ finished: false, aborted: true });
    expect([1n, 3n].map((id) => isHeld(buffer, id))).toEqual([false, false]);
  });

  it('leaves nothing held behind it', async () => {
    const { buffer, rooms } = newJob();
    const lane = await laneOf(rooms);
    const prepared = await prepareExport(
      request([{ lane, name: 'x' }], { format: 'pcapng_ns', filters: [{ language: 'wireshark', text: 'frame' }] }),
    );
    const sink = new MemorySink();
    expect((await prepared.estimate()).packets).toMatchObject({ low: 0n });
    await prepared.run(sink);
    expect(numbersIn(sink.bytes)).toHaveLength(35);
    expect([1n, 2n, 3n].map((id) => isHeld(buffer, id))).toEqual([false, false, false]);
  });
});
