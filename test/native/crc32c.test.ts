import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { crc32c, crc32cCombine } from '../../src/native.js';
import { slowCrc32c } from '../support/crc32c.js';

const ascii = (text: string): Buffer => Buffer.from(text, 'ascii');
const range = (size: number, of: (i: number) => number): Buffer => Buffer.from(Array.from({ length: size }, (_, i) => of(i)));

describe('crc32c', () => {
  it.each([
    // RFC 3720, appendix B.4.
    ['32 zeros', Buffer.alloc(32), 0x8a9136aa],
    ['32 ones', Buffer.alloc(32, 0xff), 0x62a8ab43],
    ['32 rising', range(32, (i) => i), 0x46dd794e],
    ['32 falling', range(32, (i) => 31 - i), 0x113fdb5c],
    ['the check value', ascii('123456789'), 0xe3069283],
    ['nothing', Buffer.alloc(0), 0],
  ])('of %s', (_, bytes, wanted) => {
    expect(crc32c(bytes, 0)).toBe(wanted);
    expect(slowCrc32c(bytes)).toBe(wanted);
  });
  it('is that of the definition, for every size and place', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 5000, size: 'max' }), fc.nat(15), (bytes, shift) => {
        const behind = new Uint8Array(bytes.length + shift);
        behind.set(bytes, shift);
        expect(crc32c(behind.subarray(shift), 0)).toBe(slowCrc32c(bytes));
      }),
    );
  });
  it('goes on where it left off', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 3000, size: 'max' }), fc.nat(), (bytes, place) => {
        const at = place % (bytes.length + 1);
        expect(crc32c(bytes.subarray(at), crc32c(bytes.subarray(0, at), 0))).toBe(crc32c(bytes, 0));
      }),
    );
  });
  it('combines those of two parts', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 3000, size: 'max' }), fc.nat(), (bytes, place) => {
        const at = place % (bytes.length + 1);
        const [a, b] = [bytes.subarray(0, at), bytes.subarray(at)];
        expect(crc32cCombine(crc32c(a, 0), crc32c(b, 0), b.length)).toBe(crc32c(bytes, 0));
      }),
    );
  });
  it('combines over lengths that no buffer has', () => {
    const zeros = (crc: number, length: number): number => crc32cCombine(crc, crc32cOfZeros(length), length);
    // Zeros in two steps are zeros in one.
    const [a, b] = [2 ** 31 + 12_345, 2 ** 40 + 7];
    expect(zeros(zeros(0x1234, a), b)).toBe(zeros(0x1234, a + b));
  });
  it('reads shared memory too', () => {
    const shared = new Uint8Array(new SharedArrayBuffer(9));
    shared.set(ascii('123456789'));
    expect(crc32c(shared, 0)).toBe(0xe3069283);
  });
});

/** By doubling: the checksum of 2n zeros is that of n zeros twice. */
function crc32cOfZeros(length: number): number {
  if (length === 0) return 0;
  if (length === 1) return crc32c(Uint8Array.of(0), 0);
  const half = Math.floor(length / 2);
  const ofHalf = crc32cOfZeros(half);
  const both = crc32cCombine(ofHalf, ofHalf, half);
  return length % 2 === 0 ? both : crc32cCombine(both, crc32c(Uint8Array.of(0), 0), 1);
}
