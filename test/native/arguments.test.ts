/** Every argument of the addon that is wrong throws a TypeError that names it. */
import { constants } from 'node:os';
import { describe, expect, it } from 'vitest';
import * as native from '../../src/native.js';
import { Scan, Selection } from '../../src/native.js';
import { EVERYTHING } from '../support/scan.js';

/** Calls as untyped code would. */
type Loose = (...given: unknown[]) => unknown;
const bytes = new Uint8Array(8);
const nobytes: [string, unknown][] = [
  ['nothing', undefined],
  ['a text', 'text'],
  ['an array', [1, 2]],
  ['an ArrayBuffer', new ArrayBuffer(4)],
  ['other numbers', new Uint16Array(4)],
  ['a DataView', new DataView(new ArrayBuffer(4))],
];
const nonumbers: [string, unknown][] = [
  ['nothing', undefined],
  ['a text', '1'],
  ['a bigint', 1n],
  ['less than 0', -1],
  ['a fraction', 1.5],
  ['no number', NaN],
  ['infinity', Infinity],
  ['2^32', 2 ** 32],
];

describe('bytes', () => {
  it.each(nobytes)('are not %s', (_, wrong) => {
    const says = (name: string) => expect.objectContaining({ name: 'TypeError', message: expect.stringContaining(`${name} must be a Uint8Array`) });
    expect(() => (native.crc32c as Loose)(wrong, 0)).toThrow(says('bytes'));
    expect(() => (native.verifyProgram as Loose)(wrong)).toThrow(says('code'));
    expect(() => (native.runProgram as Loose)(Uint8Array.from([6, 0, 0, 0, 0, 0, 0, 0]), wrong, 0)).toThrow(says('packet'));
    expect(() => (native.fileHeader as Loose)('pcapng_us', 1, 0, wrong)).toThrow(says('sectionOptions'));
    const scan = new Scan(new Selection(EVERYTHING));
    expect(() => (scan.openRange.bind(scan) as Loose)(0, 0, 0, wrong, false, 0)).toThrow(says('state'));
    scan.openStream(0);
    expect(() => (scan.feed.bind(scan) as Loose)(wrong, true)).toThrow(says('bytes'));
    expect(() => (scan.step.bind(scan) as Loose)(wrong, 0, 0)).toThrow(says('out'));
  });
});

describe('numbers', () => {
  it.each(nonumbers)('are not %s', (_, wrong) => {
    const says = (name: string) => expect.objectContaining({ name: 'TypeError', message: expect.stringContaining(name) });
    expect(() => (native.crc32c as Loose)(bytes, wrong)).toThrow(says('before'));
    expect(() => (native.crc32cCombine as Loose)(wrong, 0, 0)).toThrow(says('a'));
    expect(() => (native.fileHeader as Loose)('pcap_us', wrong, 0, null)).toThrow(says('linkType'));
    expect(() => (native.fileHeader as Loose)('pcap_us', 1, wrong, null)).toThrow(says('snapLengthBytes'));
    expect(() => (native.setPipeSize as Loose)(wrong, 4096)).toThrow(says('fd'));
    expect(() => new Selection({ ...EVERYTHING, snapLengthBytes: wrong as number })).toThrow(says('snapLengthBytes'));
    const scan = new Scan(new Selection(EVERYTHING));
    expect(() => (scan.openStream.bind(scan) as Loose)(wrong)).toThrow(says('interfaceBase'));
    expect(() => (scan.openRange.bind(scan) as Loose)(wrong, 0, 0, null, false, 0)).toThrow(says('fd'));
  });
  it('that are offsets may be over 2^32, and not over 2^53', () => {
    expect(native.crc32cCombine(0, 0, 2 ** 40)).toBe(0);
    expect(() => native.crc32cCombine(0, 0, 2 ** 53 + 2)).toThrow(TypeError);
    const scan = new Scan(new Selection(EVERYTHING));
    expect(() => scan.openRange(0, 0, 2 ** 53 + 2, null, false, 0)).toThrow(TypeError);
    scan.openStream(0);
    expect(() => scan.step(bytes, 9, 0)).toThrow(/outOffset is beyond out/);
  });
  it('that are limits are bigints in their range', () => {
    const scan = new Scan(new Selection(EVERYTHING));
    scan.openStream(0);
    const limit = scan.limit.bind(scan) as Loose;
    for (const wrong of [undefined, 1, '1', -1n, 1n << 64n]) {
      expect(() => limit(wrong, null, null, null)).toThrow(/packets must be a bigint/);
      expect(() => limit(null, wrong, null, null)).toThrow(/capturedBytes must be a bigint/);
    }
    for (const wrong of [undefined, 1, '1', 1n << 63n, -(1n << 63n) - 1n]) {
      expect(() => limit(null, null, wrong, null)).toThrow(/durationNs must be a bigint/);
      expect(() => limit(null, null, null, wrong)).toThrow(/firstTimeNs must be a bigint/);
    }
    limit((1n << 64n) - 1n, 0n, -(1n << 63n), (1n << 63n) - 1n);
  });
});

describe('a selection', () => {
  const wrong = (given: object) => () => new Selection({ ...EVERYTHING, ...given });
  it('takes an object with every property', () => {
    for (const given of [undefined, null, 1, 'records']) expect(() => new Selection(given as never)).toThrow(TypeError);
    for (const name of Object.keys(EVERYTHING)) expect(wrong({ [name]: undefined }), name).toThrow(TypeError);
  });
  it('knows its formats', () => {
    for (const format of ['', 'PCAP_US', 'pcap', 1, null]) expect(wrong({ format })).toThrow(/format must be an output format/);
    for (const format of ['pcap_us', 'pcap_ns', 'pcapng_us', 'pcapng_ns', 'records', 'none']) expect(wrong({ format })).not.toThrow();
  });
  it('takes sorted, disjoint windows', () => {
    const windows = (...times: bigint[]) => wrong({ windowsNs: BigInt64Array.from(times) });
    expect(windows(1n)).toThrow(/pairs/);
    expect(windows(2n, 1n)).toThrow(/sorted/);
    expect(windows(1n, 5n, 4n, 6n)).toThrow(/disjoint/);
    expect(windows(5n, 6n, 1n, 2n)).toThrow(/sorted/);
    expect(windows(1n, 2n, 2n, 2n, 3n, 4n)).not.toThrow();
    expect(wrong({ windowsNs: [1n, 2n] })).toThrow(/BigInt64Array/);
    expect(wrong({ windowsNs: new BigUint64Array(2) })).toThrow(/BigInt64Array/);
  });
  it('takes a list of lists of programs', () => {
    const code = Uint8Array.from([6, 0, 0, 0, 0, 0, 0, 0]);
    for (const filters of [undefined, {}, 'ip', [{}], [[1]], [['ip']], [[{ linkType: 1 }]], [[{ code }]], [[{ linkType: -1, code }]]])
      expect(wrong({ filters }), JSON.stringify(filters)).toThrow(TypeError);
    expect(wrong({ filters: [] })).not.toThrow();
    expect(wrong({ filters: [[]] })).not.toThrow();
    expect(wrong({ filters: Array.from({ length: 64 }, () => [{ linkType: 1, code }]) })).not.toThrow();
    expect(wrong({ filters: Array.from({ length: 65 }, () => []) })).toThrow(/64 filters at most/);
  });
  it('is made with new', () => {
    expect(() => (Selection as unknown as Loose)(EVERYTHING)).toThrow(TypeError);
    expect(() => (Scan as unknown as Loose)(new Selection(EVERYTHING))).toThrow(TypeError);
  });
});

describe('fileHeader', () => {
  it('gives the header of each format', () => {
    expect(Buffer.from(native.fileHeader('pcap_us', 113, 96, null)).toString('hex')).toBe('d4c3b2a10200040000000000000000006000000071000000');
    expect(Buffer.from(native.fileHeader('pcap_ns', 1, 0, null)).toString('hex')).toBe('4d3cb2a10200040000000000000000000000000001000000');
    const section = '0a0d0d0a1c0000004d3c2b1a01000000ffffffffffffffff1c000000';
    for (const format of ['pcapng_us', 'pcapng_ns'] as const) expect(Buffer.from(native.fileHeader(format, 1, 0, null)).toString('hex')).toBe(section);
    for (const format of ['records', 'none'] as const) expect(native.fileHeader(format, 1, 0, null)).toHaveLength(0);
  });
  it('keeps options of a section, and ends them', () => {
    const option = Buffer.from('0100020068690000', 'hex');
    const header = Buffer.from(native.fileHeader('pcapng_us', 1, 0, option));
    expect(header.length).toBe(28 + 8 + 4);
    expect(header.subarray(24, 36).toString('hex')).toBe('010002006869000000000000');
    expect(header.readUInt32LE(4)).toBe(header.readUInt32LE(header.length - 4));
  });
});

describe('setPipeSize', () => {
  it('says -1 for what is no pipe', () => {
    expect(native.setPipeSize(1_000_000, 4096)).toBe(-1);
  });
});

describe('givePages', () => {
  it('refuses what can not be a slot', () => {
    expect(() => native.givePages(1, 'x' as never, 0)).toThrow(/slot must be a Uint8Array/);
    expect(() => native.givePages(1, new Uint8Array(4), 5)).toThrow(/lengthBytes must be at most the slot's length/);
    expect(() => native.givePages('1' as never, new Uint8Array(4), 4)).toThrow(/fd/);
    expect(() => native.adviseLargePages(null as never)).toThrow(/memory must be a Uint8Array/);
    expect(() => native.dropPages(null as never)).toThrow(/memory must be a Uint8Array/);
  });
  it('says EINVAL for what is no pipe', async () => {
    await expect(native.givePages(1_000_000, new Uint8Array(4), 4)).resolves.toBe(constants.errno.EINVAL);
  });
});

it('version is that of the package', () => expect(native.version).toMatch(/^\d+\.\d+\.\d+$/));
