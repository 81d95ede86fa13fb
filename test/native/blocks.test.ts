/** Blocks that count only with their checksums: sums as an argument, from an index, and what a scan or a lane makes of them. */
import { once } from 'node:events';
import { closeSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterAll, describe, expect, it } from 'vitest';
import { crc32c, IndexFile, Merge, probeIndex, REPORT, Scan, Selection, STATUS, type BlockSums, type IndexAnswer } from '../../src/native.js';
import { fromRoot } from '../../src/root.js';
import { NgBlocks, payload, pcapFile } from '../support/build.js';
import { records } from '../support/records.js';
import { EVERYTHING } from '../support/scan.js';
import { temporaryFolder } from '../support/temporary.js';

const folder = temporaryFolder();
const selection = new Selection(EVERYTHING);
const out = new Uint8Array(1 << 22);
const opened: number[] = [];
const open = (name: string, bytes: Uint8Array): number => {
  opened.push(openSync(folder.write(name, bytes), 'r'));
  return opened.at(-1)!;
};
afterAll(() => opened.forEach((fd) => closeSync(fd)));

type Loose = (...given: unknown[]) => unknown;
const says = (text: string) => expect.objectContaining({ name: 'TypeError', message: expect.stringContaining(text) });

/** Sums of blocks that end at these offsets. */
function sumsOf(bytes: Uint8Array, ends: number[], packets = 0): BlockSums {
  const starts = [0, ...ends.slice(0, -1)];
  return {
    bounds: Float64Array.from(starts.flatMap((start, i) => [start, ends[i]!])),
    crcs: Uint32Array.from(starts, (start, i) => crc32c(bytes.subarray(start, ends[i]), 0)),
    packets: Uint32Array.from(ends, () => packets),
    describes: Uint8Array.from(ends, (_, i) => (i === 0 ? 1 : 0)),
    stateBehindFirst: new Uint8Array(0),
  };
}

const HEADER = 24;
const RECORD = 16 + 60;
const seconds = [1, 2, 3, 4, 5, 6];
const whole = pcapFile(seconds.map((s) => ({ seconds: s, fraction: 0, data: payload(60, s) })));
/** Two packets in each. */
const ENDS = [0, 1, 2].map((n) => HEADER + 2 * (n + 1) * RECORD);
const SUMS = sumsOf(whole, ENDS, 2);
const wholeFd = open('whole.pcap', whole);
const state = (() => {
  const scan = new Scan(selection);
  scan.openRange(wholeFd, 0, HEADER, null, false, 0);
  scan.step(out, 0, 1 << 20);
  return scan.state();
})();

interface Seen {
  seconds: number[];
  bad: [offset: number, bytes: number][];
  end: number;
}

/** Steps to the end, over bad blocks. */
function drain(scan: Scan, budget = 1 << 20): Seen {
  const seen: Seen = { seconds: [], bad: [], end: 0 };
  for (;;) {
    const status = scan.step(out, 0, budget);
    seen.seconds.push(...[...records(out.subarray(0, scan.outLength()))].map((one) => Number(one.seconds)));
    seen.end = Number(scan.report[REPORT.end]);
    if (status === STATUS.badBlock) seen.bad.push([Number(scan.report[REPORT.detailOffset]), Number(scan.report[REPORT.detail])]);
    else if (status !== STATUS.budget) {
      expect(status).toBe(STATUS.done);
      return seen;
    }
  }
}

function scanned(fd: number, sums: BlockSums | null, budget?: number): Seen {
  const scan = new Scan(selection);
  scan.openRange(fd, 0, whole.length, null, false, 0, sums);
  return drain(scan, budget);
}

describe('sums as an argument', () => {
  const openWith = (sums: unknown, start = 0, end = whole.length) => () =>
    (Scan.prototype.openRange as Loose).call(new Scan(selection), wholeFd, start, end, start === 0 ? null : state, false, 0, sums);
  const bounds = (...numbers: number[]) => openWith({ ...SUMS, bounds: Float64Array.from(numbers) });

  it('may be left out', () => {
    for (const sums of [undefined, null]) expect(openWith(sums)).not.toThrow();
    expect(openWith(SUMS)).not.toThrow();
  });
  it('are an object of arrays', () => {
    for (const wrong of [1, 'sums', true]) expect(openWith(wrong)).toThrow(says('sums must be an object or null'));
    expect(openWith({})).toThrow(says('sums.bounds must be a Float64Array'));
    const kinds = { bounds: 'a Float64Array', crcs: 'a Uint32Array', packets: 'a Uint32Array', describes: 'a Uint8Array', stateBehindFirst: 'a Uint8Array' };
    for (const [name, kind] of Object.entries(kinds))
      for (const wrong of [undefined, null, [], new ArrayBuffer(8), new DataView(new ArrayBuffer(8)), new Int16Array(3), new BigUint64Array(3)])
        expect(openWith({ ...SUMS, [name]: wrong }), name).toThrow(says(`sums.${name} must be ${kind}`));
  });
  it('have one of each for every block', () => {
    expect(openWith({ ...SUMS, bounds: SUMS.bounds.subarray(1) })).toThrow(says('sums.bounds must be pairs'));
    for (const name of ['crcs', 'packets', 'describes'] as const)
      for (const wrong of [SUMS[name].subarray(1), SUMS[name].subarray(0, 0)])
        expect(openWith({ ...SUMS, [name]: wrong }), name).toThrow(says(`sums.${name} must be as many as there are pairs of sums.bounds`));
  });
  it('are of blocks that can be', () => {
    for (const wrong of [-1, 0.5, NaN, Infinity, 2 ** 53 + 2]) expect(bounds(0, wrong, 200, 300, 400, 500)).toThrow(says('sums.bounds must be a whole number'));
    for (const wrong of [[0, 100, 99, 200, 300, 400], [0, 0, 1, 2, 3, 4], [5, 4, 10, 20, 30, 40], [100, 200, 300, 400, 0, 50]])
      expect(bounds(...wrong), wrong.join()).toThrow(says('the blocks of sums are not ascending and disjoint'));
    expect(bounds(0, 2 ** 25, 2 ** 26, 2 ** 26 + 1, 2 ** 27, 2 ** 27 + 1)).toThrow(says('the blocks of sums are larger than'));
  });
  it('are of all blocks of the range', () => {
    const all = says('sums must be of all blocks of the range');
    expect(openWith(SUMS, 0, whole.length + 1)).toThrow(all);
    const second = { ...SUMS, bounds: SUMS.bounds.subarray(2, 4), crcs: SUMS.crcs.subarray(1, 2), packets: SUMS.packets.subarray(1, 2), describes: SUMS.describes.subarray(1, 2) };
    expect(openWith(second)).toThrow(all);
    expect(openWith(second, ENDS[0]! - RECORD, ENDS[1])).toThrow(all);
    expect(openWith(second, ENDS[0], ENDS[1])).not.toThrow();
    expect(openWith(second, ENDS[0]! + RECORD, ENDS[1]! - 5)).not.toThrow();
    const gap = { ...SUMS, bounds: Float64Array.of(0, ENDS[0]!, ENDS[0]!, ENDS[1]! - 1, ENDS[1]!, ENDS[2]!) };
    expect(openWith(gap)).toThrow(all);
  });
  it('leave nothing to guess', () => {
    expect(() => new Scan(selection).openRange(wholeFd, 30, whole.length, state, true, 0, SUMS)).toThrow(says('resync must be false'));
  });
  it('hold for the ranges that follow', () => {
    const scan = new Scan(selection);
    scan.openRange(wholeFd, ENDS[0]!, ENDS[1]!, state, false, 0, { ...SUMS, bounds: Float64Array.of(0, ENDS[0]!, ENDS[0]!, ENDS[1]!, ENDS[1]! + RECORD, ENDS[2]!) });
    expect(drain(scan).seconds).toEqual([3, 4]);
    expect(() => scan.moveTo(ENDS[1]!, ENDS[2]!, state)).toThrow(says('the range must lie in the blocks of the sums'));
    expect(scan.moveTo(ENDS[1]! + RECORD, ENDS[2]!, state)).toBe(true);
    expect(drain(scan).bad).toEqual([[ENDS[1]! + RECORD, RECORD]]);
    // Without sums every range is one.
    scan.openRange(wholeFd, ENDS[0]!, ENDS[1]!, state, false, 0);
    expect(scan.moveTo(ENDS[1]!, ENDS[2]!, state)).toBe(true);
    expect(drain(scan)).toMatchObject({ seconds: [5, 6], bad: [] });
  });
  it('are copied', () => {
    const sums = structuredClone(SUMS);
    const scan = new Scan(selection);
    scan.openRange(wholeFd, 0, whole.length, null, false, 0, sums);
    structuredClone(sums, { transfer: [sums.bounds.buffer, sums.crcs.buffer] as ArrayBuffer[] });
    expect(drain(scan)).toEqual({ seconds, bad: [], end: whole.length });
  });
});

describe('a scan', () => {
  it('gives all packets of good blocks', () => {
    expect(scanned(wholeFd, SUMS)).toEqual({ seconds, bad: [], end: whole.length });
    expect(scanned(wholeFd, null)).toEqual({ seconds, bad: [], end: whole.length });
  });
  it('leaves out the block of any byte that is flipped', () => {
    const path = folder.write('flipped.pcap', whole);
    const fd = openSync(path, 'r');
    for (let at = 0; at < whole.length; at++) {
      const bytes = Buffer.from(whole);
      bytes[at]! ^= 1 + (at % 255);
      writeFileSync(path, bytes);
      const block = ENDS.findIndex((end) => at < end);
      const [start, end] = SUMS.bounds.subarray(2 * block);
      // The first block is the file's header, too, and nothing behind it can be read.
      const left = block === 0 ? [] : seconds.filter((s) => Math.ceil(s / 2) !== block + 1);
      const want = { seconds: left, bad: [[start, end! - start!]], end: block === 0 ? end : whole.length };
      expect(scanned(fd, SUMS, at % 2 === 0 ? 1 : 1 << 20), `byte ${at}`).toEqual(want);
    }
    closeSync(fd);
  });
  it('tells of each block that is not whole', () => {
    for (let size = 0; size < whole.length; size++) {
      const fd = open('cut.pcap', whole.subarray(0, size));
      const cut = ENDS.findIndex((end) => size < end);
      const seen = scanned(fd, SUMS);
      if (cut === 0) expect(seen, `cut to ${size}`).toMatchObject({ seconds: [], bad: [[0, ENDS[0]]] });
      else expect(seen.bad.map(([start]) => start), `cut to ${size}`).toEqual(ENDS.slice(cut - 1, -1));
      if (cut !== 0) expect(seen.seconds).toEqual(seconds.slice(0, 2 * cut));
      closeSync(opened.pop()!);
    }
  });
  it('goes on behind a bad first block with the state of the second', () => {
    const bytes = Buffer.from(whole);
    bytes[3]! ^= 1;
    const fd = open('bad-header.pcap', bytes);
    const scan = new Scan(selection);
    scan.openRange(fd, 0, whole.length, null, false, 0, SUMS);
    expect(drain(scan)).toEqual({ seconds: [], bad: [[0, ENDS[0]]], end: ENDS[0] });
    expect([scan.moveTo(ENDS[0]!, whole.length, state), scan.state().length]).toEqual([false, 0]);
    scan.openRange(fd, ENDS[0]!, whole.length, state, false, 0, SUMS);
    expect(drain(scan)).toEqual({ seconds: [3, 4, 5, 6], bad: [], end: whole.length });
  });
  it('goes on behind a bad first block when it began behind the header, and knows that nothing else was described', () => {
    const bytes = Buffer.from(whole);
    bytes[HEADER]! ^= 1;
    const fd = open('bad-first.pcap', bytes);
    const bad = [[0, ENDS[0]]];
    for (const [stateBehindFirst, want] of [
      [state, { seconds: [3, 4, 5, 6], bad, end: whole.length }],
      [new Uint8Array(0), { seconds: [], bad, end: ENDS[0] }],
    ] as const) {
      const scan = new Scan(selection);
      scan.openRange(fd, HEADER, whole.length, state, false, 0, { ...SUMS, stateBehindFirst });
      expect(drain(scan)).toEqual(want);
    }
  });
  it('goes on to read a block that is cut short by the range', () => {
    const scan = new Scan(selection);
    scan.openRange(wholeFd, ENDS[0]! + RECORD, ENDS[1]! + 1, state, false, 0, SUMS);
    expect(drain(scan)).toEqual({ seconds: [4, 5], bad: [], end: ENDS[1]! + RECORD });
  });
});

describe('a lane', () => {
  const merged = (fd: number, sums: BlockSums | null): { status: number[]; seconds: number[]; source: (number | null)[] } => {
    const merge = new Merge(selection, 0, null);
    const seen = { status: [] as number[], seconds: [] as number[], source: [] as (number | null)[] };
    merge.addLane(null);
    let given = false;
    for (;;) {
      const status = merge.step(out, 0, 1 << 20);
      seen.seconds.push(...[...records(out.subarray(0, merge.outLength()))].map((one) => Number(one.seconds)));
      if (status === STATUS.done) return seen;
      if (status !== STATUS.needNext) {
        seen.status.push(status);
        seen.source.push(merge.source());
      } else if (given) merge.finish(0);
      else merge.next(0, fd, 0, whole.length, null, null, 1000, sums);
      given ||= status === STATUS.needNext;
    }
  };
  it('takes sums with a stretch', () => {
    const bytes = Buffer.from(whole);
    bytes[ENDS[0]! + 20]! ^= 4;
    const fd = open('lane.pcap', bytes);
    expect(merged(fd, null)).toEqual({ status: [], seconds, source: [] });
    expect(merged(fd, SUMS)).toEqual({ status: [STATUS.badBlock], seconds: [1, 2, 5, 6], source: [0] });
    expect(() => merged(fd, { ...SUMS, crcs: new Uint32Array(1) })).toThrow(says('sums.crcs must be'));
    expect(() => merged(fd, {} as never)).toThrow(says('sums.bounds must be'));
  });
});

/** About a megabyte of two sections, whose interfaces differ. */
function largeFile(): Buffer {
  const parts: Buffer[] = [];
  for (const [linkType, big] of [
    [1, false],
    [101, true],
  ] as const) {
    const blocks = new NgBlocks(big);
    parts.push(blocks.section(), blocks.interface({ linkType, resolution: 9 }));
    for (let i = 0; i < 500; i++) parts.push(blocks.enhanced({ ticks: BigInt(i) * 1_000_000_000n, data: payload(i + 500, i) }));
  }
  return Buffer.concat(parts);
}

describe('an index', () => {
  const bytes = largeFile();
  const fd = open('large.pcapng', bytes);
  const index = new IndexFile(fd, bytes.length, join(folder.path, 'large.index'), 9n);
  while (index.step(1 << 20) === 0);
  index.seal();
  const indexFd = openSync(join(folder.path, 'large.index'), 'r');
  opened.push(indexFd);
  const ask = (windows: bigint[], withSums?: boolean) => {
    const answer = probeIndex(indexFd, 9n, null, BigInt64Array.from(windows), { sums: withSums ?? false });
    if (typeof answer === 'string') throw new Error(answer);
    return answer;
  };
  /** The reader's state at the start of a block: that of the range it is in. */
  const stateAt = ({ ranges, stateOf, states }: IndexAnswer, start: number) =>
    states[stateOf.find((_, i) => start >= ranges[2 * i]! && start < ranges[2 * i + 1]!)!]!;
  const blocksOf = (sums: BlockSums) => Array.from(sums.crcs, (crc, i) => [...sums.bounds.subarray(2 * i, 2 * i + 2), crc] as const);

  it('gives the sums of all blocks', () => {
    const answer = ask([], true);
    const { sums, blocks, packets } = answer;
    const all = blocksOf(sums!);
    expect(all).toHaveLength(blocks);
    expect(blocks).toBeGreaterThan(8);
    expect([all[0]![0], all.at(-1)![1]]).toEqual([0, bytes.length]);
    for (const [start, end, crc] of all) expect(crc32c(bytes.subarray(start, end), 0)).toBe(crc);
    expect(sums!.packets.reduce((sum, n) => sum + n)).toBe(packets);
    // The start of the file, and the section in the middle.
    expect(sums!.describes.reduce((sum, n) => sum + n)).toBe(2);
    expect(sums!.stateBehindFirst).toEqual(stateAt(answer, all[1]![0]));
    const states = new Set(all.map(([start]) => Buffer.from(stateAt(answer, start)).toString('hex')));
    expect([...states].map((state) => state.length > 0)).toEqual([false, true, true]);
  });
  it('gives those of the blocks that are to be read, if they are wanted', () => {
    const all = blocksOf(ask([], true).sums!);
    const some = ask([100_000_000_000n, 130_000_000_000n], true);
    const got = blocksOf(some.sums!);
    expect(got.length).toBeLessThan(all.length);
    expect(all).toEqual(expect.arrayContaining(got));
    const inRanges = all.filter(([start]) => some.stateOf.some((_, i) => start >= some.ranges[2 * i]! && start < some.ranges[2 * i + 1]!));
    expect(got).toEqual(inRanges);
    expect(ask([]).sums).toBeUndefined();
  });
  it('leads around any bad block, with the states that it has', () => {
    const answer = ask([], true);
    const { sums } = answer;
    const counting = new Selection({ ...EVERYTHING, format: 'none' });
    const all = blocksOf(sums!);
    for (const [bad, bounds] of all.entries()) {
      const [start, end] = bounds as unknown as [number, number];
      const broken = Buffer.from(bytes);
      broken[end - 1]! ^= 0x40;
      const brokenFd = open('broken.pcapng', broken);
      let packets = 0;
      const told: number[] = [];
      for (let at = 0; at < bytes.length;) {
        const scan = new Scan(counting);
        scan.openRange(brokenFd, at, bytes.length, at === 0 ? null : stateAt(answer, at), false, 0, sums);
        let status: number;
        do {
          status = scan.step(out, 0, 1 << 20);
          if (status === STATUS.badBlock) told.push(Number(scan.report[REPORT.detailOffset]));
        } while (status === STATUS.badBlock || status === STATUS.budget);
        expect(status).toBe(STATUS.done);
        packets += Number(scan.report[REPORT.packetsRead]);
        at = Number(scan.report[REPORT.end]);
      }
      closeSync(opened.pop()!);
      expect([told, packets], `block ${bad}`).toEqual([[start], 1000 - sums!.packets[bad]!]);
    }
  });
  it('is of use to a thread, by a copy and in shared memory', async () => {
    const { sums } = ask([], true);
    const shared = <T extends Float64Array | Uint32Array | Uint8Array>(from: T): T => {
      const to = new (from.constructor as new (buffer: SharedArrayBuffer) => T)(new SharedArrayBuffer(from.byteLength));
      to.set(from);
      return to;
    };
    const inShared = {
      bounds: shared(sums!.bounds),
      crcs: shared(sums!.crcs),
      packets: shared(sums!.packets),
      describes: shared(sums!.describes),
      stateBehindFirst: shared(sums!.stateBehindFirst),
    };
    const crcs = shared(sums!.crcs);
    crcs[3]! ^= 1;
    const code = `
      const { parentPort, workerData: { addon, fd, size, all } } = require('node:worker_threads');
      const { Scan, Selection } = require(addon);
      const options = { format: 'none', snapLengthBytes: 0, windowsNs: new BigInt64Array(0), filters: null };
      parentPort.postMessage(all.map((sums) => {
        const scan = new Scan(new Selection(options));
        scan.openRange(fd, 0, size, null, false, 0, sums);
        return [scan.step(new Uint8Array(0), 0, 1e9), scan.step(new Uint8Array(0), 0, 1e9), Number(scan.report[${REPORT.packetsRead}])];
      }));`;
    const workerData = { addon: fromRoot('build/Release/spillway.node'), fd, size: bytes.length, all: [sums, inShared, { ...inShared, crcs }] };
    const worker = new Worker(code, { eval: true, workerData });
    const [answers] = (await once(worker, 'message')) as [number[][]];
    await worker.terminate();
    const { done, badBlock } = STATUS;
    expect(answers).toEqual([
      [done, done, 1000],
      [done, done, 1000],
      [badBlock, done, 1000 - sums!.packets[3]!],
    ]);
  });
});
