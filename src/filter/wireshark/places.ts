/** What stands in one place of a packet, compared. */
import type { Base, Field } from '../predicate/fields.js';
import type { Formula } from '../predicate/formula.js';
import { rangeSet, unionOf, type NumberSet } from '../predicate/sets.js';
import type { Place } from './fields.js';
import type { Header, Packets } from './packets.js';
import type { Relation } from './parser.js';
import type { Bits } from './values.js';

/** The numbers that have the relation to `value`. */
export function related(relation: Relation, value: number, max: number): NumberSet {
  switch (relation) {
    case '==':
      return rangeSet(value, value);
    case '!=':
      return unionOf([rangeSet(0, value - 1), rangeSet(value + 1, max)]);
    case '<':
      return rangeSet(0, value - 1);
    case '<=':
      return rangeSet(0, value);
    case '>':
      return rangeSet(value + 1, max);
    case '>=':
      return rangeSet(value, max);
  }
}

/** The field's number, of which only the bits of `bits` count where they are given, is in the set. Undefined where that is not to be said. */
export function numberIs(
  packets: Packets,
  header: Header,
  { at, bytes, mask, times = 1 }: Place,
  set: NumberSet,
  bits?: number,
): Formula | undefined {
  if (bytes > 4 || (bits !== undefined && times !== 1)) return undefined;
  const shift = mask === undefined ? 0 : lowestBit(mask);
  const all = mask ?? 2 ** (8 * bytes) - 1;
  const asked = bits === undefined ? all : (all & (bits * 2 ** shift)) >>> 0;
  if (asked === 0) return undefined;
  const step = 2 ** shift;
  const raw: number[] = [];
  for (let i = 0; i < set.length; i += 2) {
    const low = Math.ceil(set[i]! / times) * step;
    const high = Math.min(asked, Math.floor(set[i + 1]! / times) * step + step - 1);
    if (low <= high) raw.push(low, high);
  }
  const isWhole = asked === 2 ** (8 * bytes) - 1;
  return packets.formulas.in(packets.load(header.base, header.at + at, bytes as 1 | 2 | 4, isWhole ? undefined : asked), raw);
}

/** The bytes there have the relation to those wanted, as memcmp tells. Of a prefix, `==` and `!=` alone are asked. */
export function bytesAre(packets: Packets, header: Header, at: number, relation: Relation, { bytes, prefixBits }: Bits): Formula {
  const { formulas } = packets;
  const words = wordsOf(packets, header.base, header.at + at, bytes);
  const equal = (count: number): Formula =>
    formulas.and(
      ...words.slice(0, count).map(({ field, value, bitsBefore, bits }) => {
        const counting = Math.max(0, Math.min(bits, prefixBits - bitsBefore));
        const free = 2 ** (bits - counting);
        const low = Math.floor(value / free) * free;
        return formulas.in(field, rangeSet(low, low + free - 1));
      }),
    );
  const differs = (strict: '<' | '>'): Formula =>
    formulas.or(...words.map(({ field, value }, i) => formulas.and(equal(i), formulas.in(field, related(strict, value, field.max)))));
  switch (relation) {
    case '==':
      return equal(words.length);
    case '!=':
      return formulas.not(equal(words.length));
    case '<':
    case '>':
      return differs(relation);
    case '<=':
      return formulas.not(differs('>'));
    case '>=':
      return formulas.not(differs('<'));
  }
}

interface Word {
  field: Field;
  value: number;
  bits: number;
  bitsBefore: number;
}

/** A MAC address as two bytes and four, as libpcap divides it, and so the index. */
function wordsOf(packets: Packets, base: Base, at: number, bytes: readonly number[]): Word[] {
  const words: Word[] = [];
  for (let done = 0; done < bytes.length;) {
    const left = bytes.length - done;
    const size = left === 6 ? 2 : left >= 4 ? 4 : left >= 2 ? 2 : 1;
    const value = bytes.slice(done, done + size).reduce((sum, byte) => sum * 256 + byte, 0);
    words.push({ field: packets.load(base, at + done, size), value, bits: 8 * size, bitsBefore: 8 * done });
    done += size;
  }
  return words;
}

function lowestBit(mask: number): number {
  return 31 - Math.clz32(mask & -mask);
}
