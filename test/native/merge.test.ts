/** The merge object's life: what may be called when, that wrong arguments are named, and that no misuse harms it. */
import { closeSync, openSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { Merge, REPORT, Scan, Selection, STATUS } from '../../src/native.js';
import { payload, pcapFile } from '../support/build.js';
import { records } from '../support/records.js';
import { EVERYTHING } from '../support/scan.js';
import { temporaryFolder } from '../support/temporary.js';

const folder = temporaryFolder();
const selection = new Selection(EVERYTHING);
const file = (...seconds: number[]): Buffer => pcapFile(seconds.map((s) => ({ seconds: s, fraction: 0, data: payload(60, s) })));
const odd = file(1, 3, 5);
const even = file(2, 4, 6, 8);
const fds = [odd, even].map((bytes, i) => openSync(folder.write(`file${i}`, bytes), 'r'));
afterAll(() => fds.forEach((fd) => closeSync(fd)));
const S = 1_000_000_000n;
const out = new Uint8Array(1 << 16);

type Loose = (...given: unknown[]) => unknown;
const secondsOf = (bytes: Uint8Array): number[] => [...records(bytes)].map(({ seconds }) => Number(seconds));

/** Merges in each state of their lives: source 0 is a file, source 1 a stream. */
const STATES: Record<string, () => Merge> = {
  empty: () => new Merge(selection, 0, null),
  'with sources': () => {
    const merge = STATES['empty']!();
    merge.addRange(fds[0]!, 0, odd.length, null, 0, S, 1000);
    merge.addStream(2n * S);
    return merge;
  },
  'waiting for bytes': () => {
    const merge = STATES['with sources']!();
    expect(merge.step(out, 0, 1 << 20)).toBe(STATUS.needInput);
    expect(merge.source()).toBe(1);
    return merge;
  },
  'with an ended stream': () => {
    const merge = STATES['waiting for bytes']!();
    merge.feed(1, even, true);
    return merge;
  },
  alone: () => {
    const merge = STATES['with an ended stream']!();
    expect(merge.step(out, 0, 1 << 20)).toBe(STATUS.alone);
    expect(merge.source()).toBe(1);
    return merge;
  },
  damaged: () => {
    const merge = STATES['waiting for bytes']!();
    merge.fault(1, 'torn');
    expect(merge.step(out, 0, 1 << 20)).toBe(STATUS.damage);
    return merge;
  },
  done: () => {
    const merge = STATES['alone']!();
    expect(merge.step(out, 0, 1 << 20)).toBe(STATUS.done);
    return merge;
  },
};
const ALL = Object.keys(STATES);
const NOT_BEGUN = ['empty', 'with sources'];
const FED = ['with sources', 'waiting for bytes'];

/** What each method may be called in; elsewhere it throws a TypeError. */
const METHODS: Record<string, { call: (merge: Merge) => unknown; states: string[] }> = {
  addRange: { call: (merge) => merge.addRange(fds[1]!, 0, even.length, null, 0, null, 1), states: NOT_BEGUN },
  addStream: { call: (merge) => merge.addStream(null), states: NOT_BEGUN },
  addLane: { call: (merge) => merge.addLane(null), states: NOT_BEGUN },
  next: { call: (merge) => merge.next(0, fds[0]!, 0, odd.length, null, null, 1, null), states: [] },
  idle: { call: (merge) => merge.idle(0, 0n), states: [] },
  finish: { call: (merge) => merge.finish(0), states: [] },
  interfaceBase: { call: (merge) => merge.interfaceBase(0), states: ALL.filter((state) => state !== 'empty') },
  feed: { call: (merge) => merge.feed(1, odd.subarray(0, 3), false), states: FED },
  fault: { call: (merge) => merge.fault(1, 'torn'), states: FED },
  limit: { call: (merge) => merge.limit(1n, null, null, null), states: ALL },
  use: { call: (merge) => merge.use(new Selection(EVERYTHING)), states: ALL },
  step: { call: (merge) => merge.step(out, 0, 100), states: ALL },
  startCounts: { call: (merge) => merge.startCounts(), states: ALL },
  source: { call: (merge) => merge.source(), states: ALL },
  over: { call: (merge) => merge.over(0), states: ALL.filter((state) => state !== 'empty') },
  place: { call: (merge) => merge.place(1), states: ALL.filter((state) => state !== 'empty') },
  outLength: { call: (merge) => merge.outLength(), states: ALL },
  needed: { call: (merge) => merge.needed(), states: ALL },
  damageText: { call: (merge) => merge.damageText(), states: ALL },
  report: { call: (merge) => merge.report, states: ALL },
};

describe.each(Object.entries(METHODS))('%s', (_, { call, states }) => {
  it.each(ALL)('of a merge that is %s', (state) => {
    const merge = STATES[state]!();
    if (states.includes(state)) expect(() => call(merge)).not.toThrow();
    else expect(() => call(merge)).toThrow(TypeError);
    // Whatever was done to it, it steps to an end of some kind.
    for (let i = 0; i < 20; i++) merge.step(out, 0, 1 << 20);
  });
});

describe('a merge', () => {
  it('gives all sources in time order, and sums them up', () => {
    const merge = STATES['with an ended stream']!();
    const first = merge.outLength();
    expect(secondsOf(out.subarray(0, first))).toEqual([1]);
    expect(merge.step(out, first, 1 << 20)).toBe(STATUS.alone);
    let written = first + merge.outLength();
    expect([merge.over(0), merge.over(1), merge.source()]).toEqual([true, false, 1]);
    expect(merge.step(out, written, 1 << 20)).toBe(STATUS.done);
    written += merge.outLength();
    expect(secondsOf(out.subarray(0, written))).toEqual([1, 2, 3, 4, 5, 6, 8]);
    expect(merge.report).toHaveLength(REPORT.fields);
    expect([REPORT.packetsRead, REPORT.packetsOut, REPORT.interfaceCount].map((at) => Number(merge.report[at]))).toEqual([7, 7, 2]);
    expect(merge.report[REPORT.end], 'bytes of files').toBe(BigInt(odd.length));
    expect([merge.report[REPORT.minTime], merge.report[REPORT.lastTime]]).toEqual([S, 8n * S]);
    expect(merge.step(out, 0, 1), 'the same again').toBe(STATUS.done);
  });
  it('counts anew when it is told to, in the same array', () => {
    const merge = STATES['alone']!();
    const { report } = merge;
    merge.startCounts();
    expect([REPORT.packetsRead, REPORT.outBytes, REPORT.end, REPORT.crc32c].map((at) => Number(report[at]))).toEqual([0, 0, 0, 0]);
    expect([REPORT.linkTypeOut, REPORT.snapLengthOut, REPORT.interfaceCount].map((at) => Number(report[at]))).toEqual([1, 262144, 2]);
    merge.step(out, 0, 1 << 20);
    expect(merge.report).toBe(report);
    expect(report[REPORT.packetsRead]).toBe(2n);
  });
  it('gives a place from which a scan goes on', () => {
    const merge = new Merge(selection, 5, null);
    merge.addRange(fds[0]!, 0, odd.length, null, 0, S, 20);
    merge.addRange(fds[1]!, 0, even.length, null, 0, 2n * S, 20);
    let status: number;
    let written = 0;
    do {
      status = merge.step(out, written, 30);
      written += merge.outLength();
    } while (status === STATUS.budget);
    expect([status, merge.source(), merge.place(0)]).toEqual([STATUS.alone, 1, null]);
    const place = merge.place(1)!;
    expect(place).toMatchObject({ offset: 24 + 2 * 76, interfaceBase: 6 });
    const scan = new Scan(selection);
    scan.openRange(fds[1]!, place.offset, even.length, place.state, false, place.interfaceBase);
    expect(scan.step(out, written, 1 << 20)).toBe(STATUS.done);
    expect(secondsOf(out.subarray(0, written + scan.outLength()))).toEqual([1, 2, 3, 4, 5, 6, 8]);
    // And a merge goes on from there too.
    const again = new Merge(selection, 7, 1);
    again.addRange(fds[1]!, place.offset, even.length, place.state, place.interfaceBase, null, 1000);
    expect(again.step(out, 0, 1 << 20)).toBe(STATUS.done);
    expect(secondsOf(out.subarray(0, again.outLength()))).toEqual([6, 8]);
    expect([...records(out.subarray(0, again.outLength()))].map((one) => one.interface)).toEqual([6, 6]);
  });
  it('asks for room, says how much, and goes on with it', () => {
    const merge = new Merge(selection, 0, null);
    merge.addRange(fds[0]!, 0, odd.length, null, 0, S, 1000);
    expect(merge.step(new Uint8Array(100), 0, 1 << 20)).toBe(STATUS.outputFull);
    expect([merge.needed(), merge.outLength()]).toEqual([108, 0]);
    expect(merge.step(out, 0, 1 << 20)).toBe(STATUS.done);
    expect(secondsOf(out.subarray(0, merge.outLength()))).toEqual([1, 3, 5]);
  });
});

describe('arguments of a merge', () => {
  const fresh = (): Merge => new Merge(selection, 0, null);
  const says = (what: string) => expect.objectContaining({ name: 'TypeError', message: expect.stringContaining(what) });
  const numbers: unknown[] = [undefined, '1', 1n, -1, 1.5, NaN, 2 ** 53 + 2];

  it.each(numbers)('that are numbers are not %s', (wrong) => {
    expect(() => new Merge(selection, wrong as never, null)).toThrow(says('interfaceCount'));
    expect(() => new Merge(selection, 0, wrong as never)).toThrow(says('linkTypeOut'));
    const good = [fds[0], 0, 100, null, 0, null, 1000];
    const names = ['fd', 'start', 'end', null, 'interfaceBase', null, 'readBytes'];
    for (const [i, name] of names.entries()) {
      if (name !== null) expect(() => (fresh().addRange as Loose).call(fresh(), ...good.map((one, j) => (i === j ? wrong : one)))).toThrow(says(name));
    }
    for (const call of ['over', 'place', 'feed', 'fault'] as const) {
      const merge = STATES['with sources']!();
      expect(() => (merge[call] as Loose).call(merge, wrong, even, true)).toThrow(says('source'));
    }
  });
  it('that are times are bigints in their range', () => {
    for (const wrong of [undefined, 1, '1', 1n << 63n]) {
      expect(() => fresh().addStream(wrong as never)).toThrow(says('firstTimeNs must be a bigint'));
      expect(() => fresh().addRange(fds[0]!, 0, 1, null, 0, wrong as never, 1)).toThrow(says('firstTimeNs must be a bigint'));
    }
  });
  it('that name a source name one that there is', () => {
    const merge = STATES['with sources']!();
    for (const call of ['over', 'place'] as const) expect(() => merge[call](2)).toThrow(says('source must be a source that was added'));
    expect(() => merge.feed(2, even, true)).toThrow(says('source must be a source that was added'));
    expect(() => merge.feed(0, even, true)).toThrow(says('only a stream that is not over can be fed'));
  });
  it('that are a state come from a scan, and a start without one is the start', () => {
    expect(() => fresh().addRange(fds[0]!, 24, 100, null, 0, null, 1)).toThrow(says('without a state a range starts at 0'));
    expect(() => fresh().addRange(fds[0]!, 24, 100, payload(9), 0, null, 1)).toThrow(says("state is not a reader's state"));
  });
  it('that are bytes, texts and selections are that', () => {
    const merge = STATES['with sources']!();
    expect(() => merge.feed(1, 'text' as never, true)).toThrow(says('bytes must be a Uint8Array'));
    expect(() => merge.fault(1, 7 as never)).toThrow(says('text must be a text'));
    expect(() => merge.step([] as never, 0, 1)).toThrow(says('out must be a Uint8Array'));
    expect(() => merge.step(new Uint8Array(4), 5, 1)).toThrow(says('outOffset is beyond out'));
    expect(() => merge.use({})).toThrow(says('a Selection is needed'));
    expect(() => new Merge({}, 0, null)).toThrow(says('a Selection is needed'));
    expect(() => (Merge as unknown as Loose)(selection, 0, null)).toThrow(TypeError);
  });
});
