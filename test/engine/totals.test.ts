import { describe, expect, it } from 'vitest';
import { crc32c, REPORT } from '../../src/native.js';
import { MAX_TIME_NS, MIN_TIME_NS } from '../../src/engine/limits.js';
import { Totals } from '../../src/engine/totals.js';

/** A report of a scan that met no packet, but for what is given. */
function report(given: Partial<Record<keyof typeof REPORT, bigint>> = {}): BigInt64Array {
  const to = new BigInt64Array(REPORT.fields);
  const none = { minTime: MAX_TIME_NS, maxTime: MIN_TIME_NS, outMinTime: MAX_TIME_NS, outMaxTime: MIN_TIME_NS, linkTypeOut: -1n };
  for (const [name, value] of Object.entries({ ...none, ...given })) to[REPORT[name as keyof typeof REPORT]] = value;
  return to;
}
const wrote = (packets: bigint, bytes: bigint, first: bigint, last: bigint): BigInt64Array =>
  report({ packetsOut: packets, capturedBytesOut: bytes, outMinTime: first, outMaxTime: last, outFirstTime: first, linkTypeOut: 1n });
const rules = (given: object) => ({ packets: 0n, capturedBytes: 0n, durationNs: 0n, ...given });

describe('totals', () => {
  it('add up, keep the outermost times and the first link type', () => {
    const totals = new Totals();
    totals.add(report());
    totals.add(wrote(2n, 100n, 50n, 60n));
    totals.add(report({ linkTypeOut: 101n, packetsOut: 1n, outMinTime: 10n, outMaxTime: 20n, outFirstTime: 15n }));
    expect(totals).toMatchObject({ packetsOut: 3n, capturedBytesOut: 100n, outMinTime: 10n, outMaxTime: 60n, outFirstTime: 50n, linkTypeOut: 1 });
  });
  it('combine the checksums of what follows one another', () => {
    const [a, b, c] = ['one', '', 'three'].map((text) => Buffer.from(text));
    const totals = new Totals();
    for (const part of [a!, b!, c!]) totals.add(report({ crc32c: BigInt(crc32c(part, 0)), outBytes: BigInt(part.length) }));
    expect(totals.crc32c).toBe(crc32c(Buffer.from('onethree'), 0));
    expect(totals.outBytes).toBe(8n);
  });
  it('take no time from a scan without a timed packet', () => {
    const totals = new Totals();
    totals.add(report({ packetsRead: 3n, packetsWithoutTime: 3n }));
    expect(totals).toMatchObject({ firstTime: null, lastTime: null, packetsRead: 3n });
    totals.add(report({ minTime: 5n, maxTime: 9n, firstTime: 9n, lastTime: 5n }));
    totals.add(report({ minTime: 1n, maxTime: 7n, firstTime: 7n, lastTime: 1n }));
    expect(totals).toMatchObject({ firstTime: 9n, lastTime: 1n, minTime: 1n, maxTime: 9n });
  });
});

describe('stop rules', () => {
  const before = new Totals();
  before.add(wrote(10n, 1000n, 100n, 200n));

  it.each([
    ['packets, below', { packets: 14n }, wrote(3n, 1n, 100n, 100n), false],
    ['packets, at', { packets: 13n }, wrote(3n, 1n, 100n, 100n), true],
    ['bytes, at', { capturedBytes: 1500n }, wrote(3n, 500n, 100n, 100n), false],
    ['bytes, above', { capturedBytes: 1499n }, wrote(3n, 500n, 100n, 100n), true],
    ['time, below', { durationNs: 101n }, wrote(3n, 1n, 150n, 200n), false],
    ['time, at', { durationNs: 100n }, wrote(3n, 1n, 150n, 200n), true],
    ['time, of packets without', { durationNs: 1n }, report({ packetsOut: 3n }), false],
    ['nothing written', { packets: 10n, capturedBytes: 1n, durationNs: 1n }, report(), false],
  ])('are reached or not: %s', (_, given, result, reached) => {
    expect(before.reaches(rules(given), result)).toBe(reached);
  });
  it('count time from the first packet of all, also within the first result', () => {
    expect(new Totals().reaches(rules({ durationNs: 100n }), wrote(2n, 1n, 100n, 199n))).toBe(false);
    expect(new Totals().reaches(rules({ durationNs: 99n }), wrote(2n, 1n, 100n, 199n))).toBe(true);
  });
  it('leave what is not used up', () => {
    expect(before.left(rules({}))).toBe(null);
    expect(before.left(rules({ packets: 15n }))).toEqual({ packets: 5n, capturedBytes: null, durationNs: null, firstTimeNs: 100n });
    expect(before.left(rules({ capturedBytes: 1001n, durationNs: 7n }))).toEqual({
      packets: null,
      capturedBytes: 1n,
      durationNs: 7n,
      firstTimeNs: 100n,
    });
  });
});
