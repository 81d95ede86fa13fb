/** Values of comparisons, read strictly: undefined is what is not exactly one, a text says what else is wrong. */
import { isIPv4, isIPv6 } from 'node:net';
import type { Addresses } from '../predicate/predicate.js';
import { PROTOCOLS } from './columns.js';

/** An address, or a network as `address/bits` in which the bits behind the prefix are 0. */
export function addressesIn(text: string): Addresses | string | undefined {
  const [, address = '', bits] = /^([^/]*)(?:\/(0|[1-9]\d{0,2}))?$/.exec(text) ?? [];
  const words = isIPv4(address) ? ip4Words(address) : isIPv6(address) && !address.includes('%') ? ip6Words(address) : undefined;
  if (!words) return undefined;
  const longest = 32 * words.length;
  const prefixBits = bits === undefined ? longest : Number(bits);
  if (prefixBits > longest) return `a prefix has at most ${longest} bits`;
  if (words.some((word, i) => word % 2 ** (32 - Math.max(0, Math.min(32, prefixBits - 32 * i))) !== 0))
    return `the address has bits behind the ${prefixBits} of its prefix`;
  return { kind: words.length === 1 ? 'ip4' : 'ip6', words, prefixBits };
}

/** Six pairs of hexadecimal digits, joined by colons or by dashes. */
export function macIn(text: string): Addresses | undefined {
  if (!/^[0-9a-f]{2}([:-])(?:[0-9a-f]{2}\1){4}[0-9a-f]{2}$/i.test(text)) return undefined;
  const digits = text.replace(/[:-]/g, '');
  return { kind: 'mac', words: [parseInt(digits.slice(0, 4), 16), parseInt(digits.slice(4), 16)], prefixBits: 48 };
}

/** A decimal number without leading zeros. */
export function numberIn(text: string, max: number): number | undefined {
  return /^(?:0|[1-9]\d{0,4})$/.test(text) && Number(text) <= max ? Number(text) : undefined;
}

export function protocolIn(text: string): number | undefined {
  return PROTOCOLS.get(text.toLowerCase()) ?? numberIn(text, 255);
}

function ip4Words(address: string): number[] {
  return [address.split('.').reduce((word, byte) => word * 256 + Number(byte), 0)];
}

function ip6Words(address: string): number[] {
  // The last 32 bits may be written as an IPv4 address.
  const plain = address.replace(/[\d.]+$/, (end) => {
    if (!end.includes('.')) return end;
    const [word = 0] = ip4Words(end);
    return `${(word >>> 16).toString(16)}:${(word & 0xffff).toString(16)}`;
  });
  const [head = [], tail = []] = plain.split('::').map((half) => (half === '' ? [] : half.split(':')));
  const groups = [...head, ...Array<string>(8 - head.length - tail.length).fill('0'), ...tail].map((group) => parseInt(group, 16));
  return [0, 2, 4, 6].map((i) => groups[i]! * 65536 + groups[i + 1]!);
}
