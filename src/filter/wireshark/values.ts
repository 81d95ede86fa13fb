/** Values of comparisons, read strictly: what is not surely understood as tshark does is undefined. */
import { addressesIn, macIn } from '../steelfilter/values.js';
import type { Value } from './parser.js';

/** A value by its bytes, and how many bits of them count. */
export interface Bits {
  bytes: readonly number[];
  prefixBits: number;
}

/** Decimal, octal, hexadecimal or binary, as C writes them. */
export function numberIn({ kind, text }: Value, max: number): number | undefined {
  if (kind !== 'word') return undefined;
  const number = /^(?:0|[1-9]\d{0,9})$/.test(text)
    ? Number(text)
    : /^0[0-7]{1,11}$/.test(text)
      ? parseInt(text, 8)
      : /^0x[0-9a-fA-F]{1,8}$/.test(text) || /^0b[01]{1,32}$/.test(text)
        ? Number(text)
        : undefined;
  return number !== undefined && number <= max ? number : undefined;
}

const TRUTHS: ReadonlyMap<string, number> = new Map([
  ['1', 1],
  ['TRUE', 1],
  ['True', 1],
  ['true', 1],
  ['0', 0],
  ['FALSE', 0],
  ['False', 0],
  ['false', 0],
]);
const SETTINGS: ReadonlyMap<string, number> = new Map([
  ['Set', 1],
  ['Not set', 0],
]);

/** `isSetting`: the field's values are also called "Set" and "Not set". */
export function truthIn({ kind, text }: Value, isSetting: boolean): number | undefined {
  return kind === 'word' ? TRUTHS.get(text) : isSetting ? SETTINGS.get(text) : undefined;
}

/** An address of IPv4 or IPv6, with a prefix or without; of what lies behind the prefix, nothing counts. */
export function addressIn({ kind, text }: Value, length: 4 | 16): Bits | undefined {
  if (kind !== 'word') return undefined;
  const [address = '', prefix] = text.split('/');
  // In tshark's words these are more than an address.
  if (text.split('/').length > 2 || (prefix !== undefined && !/^(?:0|[1-9]\d{0,2})$/.test(prefix))) return undefined;
  const found = addressesIn(address);
  if (typeof found !== 'object' || found.words.length * 4 !== length) return undefined;
  const prefixBits = prefix === undefined ? 8 * length : Number(prefix);
  if (prefixBits > 8 * length) return undefined;
  return { bytes: found.words.flatMap((word) => [word >>> 24, (word >>> 16) & 255, (word >>> 8) & 255, word & 255]), prefixBits };
}

export function etherIn({ kind, text }: Value): Bits | undefined {
  if (kind !== 'word' || !macIn(text)) return undefined;
  return { bytes: text.split(/[:-]/).map((byte) => parseInt(byte, 16)), prefixBits: 48 };
}

/** Pairs of hexadecimal digits joined by colons; of a single byte, one that can't be the name of a protocol. */
export function bytesIn({ kind, text }: Value): readonly number[] | undefined {
  if (kind !== 'word') return undefined;
  if (/^0x[0-9a-fA-F]{2}$/.test(text)) return [Number(text)];
  if (!/^(?:[0-9][0-9a-fA-F]|[0-9a-fA-F]{2}(?::[0-9a-fA-F]{2})+)$/.test(text)) return undefined;
  return text.split(':').map((byte) => parseInt(byte, 16));
}
