/** Interface statistics blocks, as a reader of the draft would take them apart. */
import { describe, expect, it } from 'vitest';
import { statisticsBlock } from '../../src/native.js';

type Loose = (...given: unknown[]) => unknown;
const says = (text: string) => expect.objectContaining({ name: 'TypeError', message: expect.stringContaining(text) });

interface Taken {
  interfaceId: number;
  ticks: bigint;
  /** Values by code: as ticks, as counts, as text. */
  options: [code: number, value: bigint | string][];
}

function take(block: Uint8Array): Taken {
  const bytes = Buffer.from(block);
  const ticksAt = (at: number): bigint => (BigInt(bytes.readUInt32LE(at)) << 32n) | BigInt(bytes.readUInt32LE(at + 4));
  expect([bytes.readUInt32LE(0), bytes.readUInt32LE(4), bytes.readUInt32LE(bytes.length - 4)]).toEqual([5, bytes.length, bytes.length]);
  const options: Taken['options'] = [];
  let at = 20;
  while (at < bytes.length - 4) {
    const [code, length] = [bytes.readUInt16LE(at), bytes.readUInt16LE(at + 2)];
    at += 4;
    if (code === 0) break;
    if (code === 1) options.push([code, bytes.toString('utf8', at, at + length)]);
    else options.push([code, code <= 3 ? ticksAt(at) : bytes.readBigUInt64LE(at)]);
    at += length + (-length & 3);
  }
  expect(at).toBe(bytes.length - 4);
  return { interfaceId: bytes.readUInt32LE(8), ticks: ticksAt(12), options };
}

const TIME = 1_700_000_000_123_456_789n;
const GOOD = ['pcapng_ns', 0, TIME, null, null, null, null, null, null] as const;
const withAt = (place: number, value: unknown) => () => (statisticsBlock as Loose)(...GOOD.map((one, i) => (i === place ? value : one)));

describe('statisticsBlock', () => {
  it('tells all it is given', () => {
    const block = statisticsBlock('pcapng_ns', 7, TIME, TIME - 5n, TIME + 5n, 1n << 40n, 12n, 2n, 'löst');
    const options = [
      [1, 'löst'],
      [2, TIME - 5n],
      [3, TIME + 5n],
      [4, 1n << 40n],
      [5, 12n],
      [7, 2n],
    ];
    expect(take(block)).toEqual({ interfaceId: 7, ticks: TIME, options });
  });
  it('tells nothing of what is null, nor an empty comment', () => {
    expect(take(statisticsBlock(...GOOD))).toEqual({ interfaceId: 0, ticks: TIME, options: [] });
    expect(take(statisticsBlock('pcapng_ns', 0, TIME, null, null, null, 0n, null, ''))).toEqual({ interfaceId: 0, ticks: TIME, options: [[5, 0n]] });
  });
  it('has the times of its format', () => {
    const { ticks, options } = take(statisticsBlock('pcapng_us', 0, TIME, 1_999n, -1n, null, null, null, null));
    expect([ticks, ...options]).toEqual([TIME / 1000n, [2, 1n], [3, 0n]]);
    expect(take(statisticsBlock('pcapng_ns', 0, -(1n << 63n), null, null, null, null, null, null)).ticks).toBe(0n);
  });
  it('takes no other format', () => {
    for (const format of ['pcap_us', 'pcap_ns', 'records', 'none']) expect(withAt(0, format)).toThrow(says('format must be pcapng_us or pcapng_ns'));
    for (const format of [undefined, 'pcapng']) expect(withAt(0, format)).toThrow(says('format must be an output format'));
  });
  it('takes numbers in their range', () => {
    for (const wrong of [undefined, '1', 1n, -1, 0.5, 2 ** 32]) expect(withAt(1, wrong)).toThrow(says('interfaceId must be'));
    for (const [place, name] of [
      [2, 'timeNs'],
      [3, 'startNs'],
      [4, 'endNs'],
    ] as const)
      for (const wrong of [undefined, 1, '1', 1n << 63n]) expect(withAt(place, wrong)).toThrow(says(`${name} must be a bigint`));
    expect(withAt(2, null)).toThrow(says('timeNs must be a bigint'));
    for (const [place, name] of [
      [5, 'received'],
      [6, 'dropped'],
      [7, 'osDropped'],
    ] as const)
      for (const wrong of [undefined, 1, '1', -1n, 1n << 64n]) expect(withAt(place, wrong)).toThrow(says(`${name} must be a bigint`));
  });
  it('takes a comment that an option can hold', () => {
    for (const wrong of [undefined, 1, {}]) expect(withAt(8, wrong)).toThrow(says('comment must be a text or null'));
    expect(withAt(8, 'x'.repeat(65_536))).toThrow(says('comment must have at most 65,535 bytes'));
    expect(withAt(8, 'ö'.repeat(32_768))).toThrow(says('comment must have at most 65,535 bytes'));
    expect(take(statisticsBlock('pcapng_ns', 0, TIME, null, null, null, null, null, 'x'.repeat(65_535))).options[0]![1]).toHaveLength(65_535);
  });
});
