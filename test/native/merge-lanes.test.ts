/** Lanes of a merge: who may answer what and when, wrong arguments, and that no order of calls harms it. */
import { closeSync, openSync } from 'node:fs';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { crc32c, Merge, REPORT, Scan, Selection, STATUS, type BlockSums } from '../../src/native.js';
import { payload, pcapFile } from '../support/build.js';
import { records } from '../support/records.js';
import { EVERYTHING } from '../support/scan.js';
import { temporaryFolder } from '../support/temporary.js';

const folder = temporaryFolder();
const selection = new Selection(EVERYTHING);
const HEADER = 24;
const RECORD = 76;
const file = (...seconds: number[]): Buffer => pcapFile(seconds.map((s) => ({ seconds: s, fraction: 0, data: payload(RECORD - 16, s) })));
const odd = file(1, 3, 5);
const even = file(2, 4, 6, 8);
const [oddFd, evenFd] = [odd, even].map((bytes, i) => openSync(folder.write(`file${i}`, bytes), 'r')) as [number, number];
afterAll(() => [oddFd, evenFd].forEach((fd) => closeSync(fd)));
const S = 1_000_000_000n;
const out = new Uint8Array(1 << 16);
const pcapState = (() => {
  const scan = new Scan(selection);
  scan.openRange(evenFd, 0, HEADER, null, false, 0);
  scan.step(out, 0, HEADER);
  return scan.state();
})();

/** Of the blocks between these places of the file. */
function sumsOf(...places: number[]): BlockSums {
  const bounds = places.slice(1).map((end, i) => [places[i]!, end] as const);
  return {
    bounds: Float64Array.from(bounds.flat()),
    crcs: Uint32Array.from(bounds, ([start, end]) => crc32c(even.subarray(start, end), 0)),
    packets: new Uint32Array(bounds.length),
    describes: Uint8Array.from(bounds, ([start]) => Number(start === 0)),
    stateBehindFirst: new Uint8Array(0),
  };
}

type Loose = (...given: unknown[]) => unknown;
const says = (what: string) => expect.objectContaining({ name: 'TypeError', message: expect.stringContaining(what) });
const step = (merge: Merge): number => merge.step(out, 0, 1 << 20);
const secondsOf = (merge: Merge): number[] => [...records(out.subarray(0, merge.outLength()))].map(({ seconds }) => Number(seconds));

/** Source 0 is a file, 1 a stream, 2 and 3 are lanes. */
function fresh(): Merge {
  const merge = new Merge(selection, 0, null);
  merge.addRange(oddFd, 0, odd.length, null, 0, S, 1000);
  merge.addStream(4n * S);
  merge.addLane(2n * S);
  merge.addLane(null);
  return merge;
}

/** Lane 3 is over, and lane 2 is asked for. */
function asked(): Merge {
  const merge = fresh();
  expect([step(merge), merge.source()]).toEqual([STATUS.needNext, 3]);
  merge.finish(3);
  expect(step(merge)).toBe(STATUS.alone);
  expect([step(merge), merge.source(), secondsOf(merge)]).toEqual([STATUS.needNext, 2, [1]]);
  return merge;
}

const ANSWERS: Record<string, (merge: Merge, source: number) => void> = {
  next: (merge, source) => merge.next(source, evenFd, 0, even.length, null, null, 1000, null),
  idle: (merge, source) => merge.idle(source, 5n * S),
  finish: (merge, source) => merge.finish(source),
};

describe.each(Object.entries(ANSWERS))('%s', (_, answer) => {
  it('is for the lane that is asked for, once', () => {
    const merge = asked();
    for (const other of [0, 1, 3]) expect(() => answer(merge, other)).toThrow(says('source must be the lane that step asked for'));
    expect(() => answer(merge, 4)).toThrow(says('source must be a source that was added'));
    answer(merge, 2);
    expect(() => answer(merge, 2)).toThrow(says('source must be the lane that step asked for'));
    expect([STATUS.needInput, STATUS.alone]).toContain(step(merge));
  });
  it('is for no lane before it is asked for', () => {
    for (const source of [0, 1, 2, 3]) expect(() => answer(fresh(), source)).toThrow(says('source must be the lane that step asked for'));
  });
});

describe('a lane', () => {
  it('gives its stretches in their place among the others, also where a file grew', () => {
    const merge = asked();
    expect(merge.interfaceBase(2)).toBe(null);
    merge.next(2, evenFd, 0, HEADER + RECORD, null, null, 1000, null);
    expect([step(merge), merge.source(), secondsOf(merge)]).toEqual([STATUS.needNext, 2, [2]]);
    expect([step(merge), merge.source(), secondsOf(merge)], 'without an answer').toEqual([STATUS.needNext, 2, []]);
    expect([merge.interfaceBase(0), merge.interfaceBase(1), merge.interfaceBase(2), merge.place(2)]).toEqual([0, null, 1, null]);
    merge.idle(2, 4n * S);
    expect([step(merge), merge.source(), secondsOf(merge)]).toEqual([STATUS.needInput, 1, [3]]);
    merge.feed(1, new Uint8Array(0), true);
    expect(step(merge), 'the stream was no capture file').toBe(STATUS.damage);
    expect([step(merge), merge.source()]).toEqual([STATUS.needNext, 2]);
    merge.next(2, evenFd, HEADER + RECORD, even.length, pcapState, null, 1000, null);
    expect([step(merge), merge.source(), secondsOf(merge)]).toEqual([STATUS.alone, 2, [4, 5]]);
    expect(merge.place(2)).toMatchObject({ offset: HEADER + 2 * RECORD, interfaceBase: 1 });
    expect([step(merge), secondsOf(merge), merge.over(2)]).toEqual([STATUS.needNext, [6, 8], false]);
    expect([0, 1, 3].every((source) => merge.over(source)), 'it may go on in a scan').toBe(true);
    merge.finish(2);
    expect([step(merge), merge.over(2), merge.interfaceBase(2)]).toEqual([STATUS.done, true, null]);
    expect(merge.report[REPORT.packetsOut]).toBe(7n);
    expect(merge.report[REPORT.interfaceCount]).toBe(2n);
  });
  it('goes on behind a block that has not its checksum', () => {
    const merge = asked();
    const sums = sumsOf(0, HEADER, HEADER + RECORD, HEADER + 3 * RECORD, even.length);
    sums.crcs[2]! ^= 1;
    merge.next(2, evenFd, 0, even.length, null, null, 1000, sums);
    expect([step(merge), merge.source(), secondsOf(merge)]).toEqual([STATUS.badBlock, 2, [2]]);
    expect([merge.report[REPORT.detailOffset], merge.report[REPORT.detail]]).toEqual([BigInt(HEADER + RECORD), BigInt(2 * RECORD)]);
    expect([step(merge), merge.source(), secondsOf(merge)], 'the stream, before 8').toEqual([STATUS.needInput, 1, [3]]);
    merge.fault(1, 'torn');
    expect(step(merge)).toBe(STATUS.damage);
    expect([step(merge), merge.source(), secondsOf(merge)]).toEqual([STATUS.alone, 2, [5]]);
    expect([step(merge), merge.source(), secondsOf(merge)]).toEqual([STATUS.needNext, 2, [8]]);
  });
  it('has the interfaces that it is told', () => {
    const merge = asked();
    merge.next(2, evenFd, HEADER, even.length, pcapState, 7, 1000, null);
    step(merge);
    expect(merge.interfaceBase(2)).toBe(7);
    expect([...records(out.subarray(0, merge.outLength()))].map((one) => one.interface)).toEqual([7, 0]);
  });
});

describe('arguments of a lane', () => {
  const good = [2, evenFd, 0, even.length, null, null, 1000, null];
  const nextWith = (place: number, wrong: unknown) => () => {
    const merge = asked();
    try {
      (merge.next as Loose).apply(
        merge,
        good.map((one, i) => (i === place ? wrong : one)),
      );
    } finally {
      expect([step(merge), merge.source()], 'it is asked for still').toEqual([STATUS.needNext, 2]);
    }
  };

  it.each([undefined, '1', 1n, -1, 1.5, NaN, 2 ** 53 + 2])('that are numbers are not %s', (wrong) => {
    for (const [place, name] of ['source', 'fd', 'start', 'end', null, 'interfaceBase', 'readBytes'].entries()) {
      if (name !== null) expect(nextWith(place, wrong), name).toThrow(says(`${name} must be`));
    }
    for (const call of ['idle', 'finish', 'interfaceBase'] as const) {
      const merge = asked();
      expect(() => (merge[call] as Loose).call(merge, wrong, S), call).toThrow(says('source must be'));
    }
  });
  it('that are times are bigints in their range', () => {
    for (const wrong of [undefined, 1, '1', 1n << 63n]) {
      expect(() => asked().idle(2, wrong as never)).toThrow(says('untilNs must be a bigint'));
      expect(() => new Merge(selection, 0, null).addLane(wrong as never)).toThrow(says('firstTimeNs must be a bigint'));
    }
    expect(() => asked().idle(2, null as never)).toThrow(says('untilNs must be a bigint'));
  });
  it('that are a state are one, with the interfaces of the stretch before', () => {
    expect(nextWith(2, HEADER)).toThrow(says('without a state a range starts at 0'));
    expect(nextWith(4, 'state')).toThrow(says('state must be a Uint8Array'));
    for (const state of [payload(9), pcapState]) {
      expect(nextWith(4, state)).toThrow(says("state is not a reader's state, or has not as many interfaces as the stretch before"));
    }
  });
  it('that are checksums are of all blocks of the stretch', () => {
    expect(nextWith(7, 1)).toThrow(says('sums must be an object or null'));
    expect(nextWith(7, {})).toThrow(says('sums.bounds must be a Float64Array'));
    expect(nextWith(7, sumsOf(HEADER, HEADER + RECORD))).toThrow(says('sums must be of all blocks of the range'));
  });
  it('of a lane are not those of a stream, and lanes are added first', () => {
    for (const merge of [fresh(), asked()]) {
      expect(() => merge.feed(2, even, true)).toThrow(says('only a stream that is not over can be fed'));
      expect(() => merge.fault(2, 'torn')).toThrow(says('only a stream that is not over can be fed'));
    }
    expect(() => asked().addLane(null)).toThrow(says('sources are added before the first step'));
  });
});

type Act = (merge: Merge) => unknown;
const source = fc.integer({ min: 0, max: 4 });
const time = fc.bigInt({ min: -1n, max: 10n }).map((s) => s * S);
const place = fc.constantFrom(0, 10, HEADER, HEADER + RECORD, HEADER + RECORD + 5, even.length, even.length + 100);
const answer = (call: (merge: Merge, source: number) => void) => source.map((to) => ({ to, act: (merge: Merge) => call(merge, to) }));
const free = (act: Act) => ({ to: null, act });
/** `to`: what is answered, which is refused unless it was asked. */
const ACTS: fc.Arbitrary<{ to: number | null; act: Act }> = fc.oneof(
  { arbitrary: fc.nat(200).map((budget) => free((merge) => merge.step(out, 0, budget))), weight: 6 },
  fc
    .tuple(place, place, fc.constantFrom(null, pcapState), fc.option(fc.nat(3)), fc.nat(100))
    .chain(([start, end, state, base, read]) => answer((merge, to) => merge.next(to, evenFd, start, end, state, base, read, null))),
  time.chain((until) => answer((merge, to) => merge.idle(to, until))),
  answer((merge, to) => merge.finish(to)),
  fc.tuple(source, fc.nat(even.length), fc.boolean()).map(([to, size, last]) => free((merge) => merge.feed(to, even.subarray(0, size), last))),
  fc.constantFrom<Act>(
    (merge) => merge.startCounts(),
    (merge) => merge.addLane(null),
    (merge) => merge.limit(3n, null, null, null),
    (merge) => merge.limit(null, null, null, null),
    (merge) => merge.use(selection),
  ).map(free),
  source.map((of) => free((merge) => [merge.over(of), merge.interfaceBase(of), merge.place(of)])),
);

describe('any order of calls', () => {
  it('gives answers or TypeErrors, and can be brought to an end', () => {
    fc.assert(
      fc.property(fc.array(ACTS, { maxLength: 60 }), (acts) => {
        const merge = fresh();
        let last: number | null = null;
        for (const { to, act } of acts) {
          try {
            const given = act(merge);
            if (to !== null) {
              expect(to, 'what was answered was asked').toBe(last);
              last = null;
            } else if (given === STATUS.needNext) {
              last = merge.source();
            }
          } catch (error) {
            if (!(error instanceof TypeError)) throw error;
          }
        }
        merge.limit(null, null, null, null);
        for (let status = step(merge), left = 100; status !== STATUS.done; status = step(merge)) {
          expect(left--).toBeGreaterThan(0);
          if (status === STATUS.needNext) merge.finish(merge.source()!);
          if (status === STATUS.needInput) merge.feed(merge.source()!, new Uint8Array(0), true);
        }
        for (const of of [0, 1, 2, 3]) expect(merge.over(of)).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });
});
