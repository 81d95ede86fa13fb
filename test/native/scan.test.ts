/** The scan object's life: what each method does before it is open, while it is open, and when it is over; and that no misuse harms it. */
import { closeSync, fstatSync, openSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { REPORT, Scan, Selection, STATUS } from '../../src/native.js';
import { NgBlocks, payload, pcapFile } from '../support/build.js';
import { records } from '../support/records.js';
import { EVERYTHING } from '../support/scan.js';
import { temporaryFolder } from '../support/temporary.js';

const folder = temporaryFolder();
const selection = new Selection(EVERYTHING);
const packets = [60, 61, 62].map((size, i) => ({ seconds: i, fraction: i, data: payload(size, i) }));
const whole = pcapFile(packets);
const path = folder.write('three.pcap', whole);
const out = new Uint8Array(1 << 16);

function withFile<T>(use: (fd: number) => T, file = path): T {
  const fd = openSync(file, 'r');
  try {
    return use(fd);
  } finally {
    closeSync(fd);
  }
}

/** Scans in each state of their lives. */
const STATES: Record<string, (fd: number) => Scan> = {
  'not open': () => new Scan(selection),
  'refused at opening': (fd) => {
    const scan = new Scan(selection);
    expect(() => scan.openRange(fd, 5, 10, null, false, 0)).toThrow(TypeError);
    return scan;
  },
  'open, a range': (fd) => {
    const scan = new Scan(selection);
    scan.openRange(fd, 0, whole.length, null, false, 0);
    return scan;
  },
  'open, a stream': () => {
    const scan = new Scan(selection);
    scan.openStream(0);
    return scan;
  },
  done: (fd) => {
    const scan = STATES['open, a range']!(fd);
    expect(scan.step(out, 0, 1 << 30)).toBe(STATUS.done);
    return scan;
  },
  damaged: () => {
    const scan = STATES['open, a stream']!(0);
    scan.feed(payload(100), true);
    expect(scan.step(out, 0, 1 << 30)).toBe(STATUS.damage);
    return scan;
  },
};
const OPEN = ['open, a range', 'open, a stream', 'done', 'damaged'];
const STREAMS = ['open, a stream', 'damaged'];

/** What each method may be called in; elsewhere it throws a TypeError. */
const METHODS: Record<string, { call: (scan: Scan, fd: number) => unknown; states: string[] }> = {
  openRange: { call: (scan, fd) => scan.openRange(fd, 0, whole.length, null, false, 0), states: Object.keys(STATES) },
  openStream: { call: (scan) => scan.openStream(0), states: Object.keys(STATES) },
  feed: { call: (scan) => scan.feed(new Uint8Array(3), false), states: STREAMS.filter((state) => state !== 'damaged') },
  limit: { call: (scan) => scan.limit(1n, null, null, null), states: OPEN },
  use: { call: (scan) => scan.use(new Selection(EVERYTHING)), states: OPEN },
  step: { call: (scan) => scan.step(out, 0, 100), states: OPEN },
  state: { call: (scan) => scan.state(), states: OPEN },
  outLength: { call: (scan) => scan.outLength(), states: Object.keys(STATES) },
  needed: { call: (scan) => scan.needed(), states: Object.keys(STATES) },
  info: { call: (scan) => scan.info(), states: Object.keys(STATES) },
  damageText: { call: (scan) => scan.damageText(), states: Object.keys(STATES) },
  sectionOptions: { call: (scan) => scan.sectionOptions(), states: Object.keys(STATES) },
  report: { call: (scan) => scan.report, states: Object.keys(STATES) },
};

describe.each(Object.entries(METHODS))('%s', (_, { call, states }) => {
  it.each(Object.keys(STATES))('of a scan that is %s', (state) => {
    withFile((fd) => {
      const scan = STATES[state]!(fd);
      if (states.includes(state)) expect(() => call(scan, fd)).not.toThrow();
      else expect(() => call(scan, fd)).toThrow(TypeError);
      // Whatever was done to it, it can be opened again and reads.
      scan.openRange(fd, 0, whole.length, null, false, 0);
      expect(scan.step(out, 0, 1 << 30)).toBe(STATUS.done);
      expect([...records(out.subarray(0, scan.outLength()))].map(({ caplen }) => caplen)).toEqual([60, 61, 62]);
    });
  });
});

describe('a scan', () => {
  it('says the same again when it is over', () => {
    withFile((fd) => {
      const scan = STATES['done']!(fd);
      const report = [...scan.report];
      expect(scan.step(out, 0, 100)).toBe(STATUS.done);
      expect(scan.outLength()).toBe(0);
      expect([...scan.report]).toEqual(report);
    });
    const scan = STATES['damaged']!(0);
    expect(scan.step(out, 0, 100)).toBe(STATUS.damage);
    expect(scan.damageText()).toMatch(/not a capture file/);
  });
  it('reports in one array for good', () => {
    const scan = STATES['open, a stream']!(0);
    const report = scan.report;
    expect(report).toHaveLength(REPORT.fields);
    scan.feed(whole, true);
    scan.step(out, 0, 1 << 30);
    expect(scan.report).toBe(report);
    expect(report[REPORT.packetsRead]).toBe(3n);
    scan.openStream(0);
    expect(report[REPORT.packetsRead]).toBe(0n);
  });
  it('writes where it is told, and nowhere else', () => {
    withFile((fd) => {
      const scan = STATES['open, a range']!(fd);
      const canvas = new Uint8Array(1000).fill(0xee);
      expect(scan.step(canvas.subarray(100, 700), 50, 1 << 30)).toBe(STATUS.done);
      const end = 150 + scan.outLength();
      expect(canvas.subarray(0, 150).every((byte) => byte === 0xee)).toBe(true);
      expect(canvas.subarray(end).every((byte) => byte === 0xee)).toBe(true);
      expect([...records(canvas.subarray(150, end))]).toHaveLength(3);
    });
  });
  it('asks for room, says how much, and goes on with it', () => {
    withFile((fd) => {
      const scan = STATES['open, a range']!(fd);
      expect(scan.step(new Uint8Array(0), 0, 1 << 30)).toBe(STATUS.outputFull);
      expect(scan.needed()).toBe(48 + 60);
      expect(scan.step(new Uint8Array(107), 0, 1 << 30)).toBe(STATUS.outputFull);
      expect(scan.outLength()).toBe(0);
      expect(scan.step(new Uint8Array(108), 0, 1 << 30)).toBe(STATUS.outputFull);
      expect([scan.outLength(), scan.needed(), Number(scan.report[REPORT.packetsOut])]).toEqual([108, 48 + 61, 1]);
      expect(scan.step(out, 0, 1 << 30)).toBe(STATUS.done);
      expect(Number(scan.report[REPORT.packetsRead])).toBe(3);
    });
  });
  it('survives a buffer that was handed away', () => {
    withFile((fd) => {
      const scan = STATES['open, a range']!(fd);
      const gone = new Uint8Array(1000);
      structuredClone(gone, { transfer: [gone.buffer] });
      expect(scan.step(gone, 0, 1 << 30)).toBe(STATUS.outputFull);
    });
  });
  it('tells errno where the descriptor can not be read', () => {
    const scan = new Scan(selection);
    scan.openRange(1_000_000, 0, 100, null, false, 0);
    expect(scan.step(out, 0, 100)).toBe(STATUS.ioError);
    expect(scan.report[REPORT.detail]).toBe(9n);
  });
  it('takes a state only from one of its kind', () => {
    withFile((fd) => {
      const scan = STATES['done']!(fd);
      const state = scan.state();
      const open = (bytes: Uint8Array) => () => new Scan(selection).openRange(fd, 24, whole.length, bytes, false, 0);
      expect(open(state)).not.toThrow();
      for (const bytes of [new Uint8Array(0), state.subarray(1), state.subarray(0, -1), Uint8Array.of(...state, 0), payload(40)])
        expect(open(bytes), bytes.join()).toThrow(TypeError);
    });
  });
  it('goes on from a state at any boundary', () => {
    const blocks = new NgBlocks(true);
    const parts = [
      blocks.section(),
      blocks.interface({ resolution: 9 }),
      blocks.enhanced({ ticks: 1n, data: payload(9) }),
      blocks.interface({ linkType: 101, resolution: 3, offset: 7n }),
      blocks.enhanced({ interface: 1, ticks: 2n, data: payload(11) }),
    ];
    const file = folder.write('states.pcapng', Buffer.concat(parts));
    const scanned = (cuts: number[]): Buffer =>
      withFile((fd) => {
        const got: Buffer[] = [];
        let state: Uint8Array | null = null;
        let at = 0;
        for (const end of [...cuts, fstatSync(fd).size]) {
          const scan = new Scan(selection);
          scan.openRange(fd, at, end, state, false, 0);
          expect(scan.step(out, 0, 1 << 30)).toBe(STATUS.done);
          got.push(Buffer.from(out.subarray(0, scan.outLength())));
          at = Number(scan.report[REPORT.end]);
          state = scan.state();
        }
        return Buffer.concat(got);
      }, file);
    const plain = (bytes: Buffer): string[] => [...records(bytes)].map((one) => `${one.seconds}.${one.nanos} ${one.linkType} ${one.caplen} ${one.interface}`);
    const inOne = plain(scanned([]));
    expect(inOne).toHaveLength(2);
    for (let cut = 1; cut < Buffer.concat(parts).length; cut += 5) expect(plain(scanned([cut])), `cut at ${cut}`).toEqual(inOne);
  });
});
