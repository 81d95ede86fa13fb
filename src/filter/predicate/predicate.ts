/**
 * What a filter asks of a packet, whatever language it was written in: comparisons of fields, joined by and, or, not.
 *
 * A comparison is true where the packet has the field with such a value, and false where it does not have the field at all.
 */
import type { NumberSet } from './sets.js';

/** Which of a packet's two ends: the sender of this packet, its receiver, either of them, or an end of the TCP connection. */
export type Side = 'source' | 'destination' | 'either' | 'client' | 'server';

/** The first `prefixBits` bits of an address, as big-endian words of 32 bits (of a MAC address: 16 bits, then 32). Without bits: every address. */
export interface Addresses {
  kind: 'ip4' | 'ip6' | 'mac';
  words: readonly number[];
  prefixBits: number;
}

export type Predicate =
  | { kind: 'and' | 'or'; of: readonly Predicate[] }
  | { kind: 'not'; of: Predicate }
  /** `tcp`: of TCP packets alone. */
  | { kind: 'ip'; side: Side; tcp: boolean; addresses: readonly Addresses[] }
  | { kind: 'mac'; side: 'source' | 'destination' | 'either'; addresses: readonly Addresses[] }
  | { kind: 'port'; transport: 'tcp' | 'udp'; side: Side; values: NumberSet }
  /** What is behind the IP header and IPv6's extension headers. */
  | { kind: 'protocol'; values: NumberSet }
  /** Any tag of the packet. */
  | { kind: 'vlan'; values: NumberSet };

/** A predicate as text: for people, and equal where two predicates are. */
export function printPredicate(predicate: Predicate): string {
  switch (predicate.kind) {
    case 'and':
    case 'or':
      if (predicate.of.length === 0) return predicate.kind === 'and' ? 'anything' : 'nothing';
      return `(${predicate.of.map(printPredicate).join(` ${predicate.kind} `)})`;
    case 'not':
      return `not ${printPredicate(predicate.of)}`;
    case 'ip':
      return `${predicate.tcp ? 'tcp ' : ''}${sideText(predicate.side)}address in ${predicate.addresses.map(addressesText).join(', ')}`;
    case 'mac':
      return `${sideText(predicate.side)}mac in ${predicate.addresses.map(addressesText).join(', ')}`;
    case 'port':
      return `${predicate.transport} ${sideText(predicate.side)}port in ${setText(predicate.values)}`;
    default:
      return `${predicate.kind} in ${setText(predicate.values)}`;
  }
}

const sideText = (side: Side): string => (side === 'either' ? '' : `${side} `);

function setText(values: NumberSet): string {
  if (values.length === 0) return 'nothing';
  const ranges = Array.from({ length: values.length / 2 }, (_, i) => [values[2 * i]!, values[2 * i + 1]!]);
  return ranges.map(([low, high]) => (low === high ? String(low) : `${low}..${high}`)).join(', ');
}

function addressesText({ kind, words, prefixBits }: Addresses): string {
  const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, '0');
  if (kind === 'mac') {
    const digits = hex(words[0] ?? 0, 4) + hex(words[1] ?? 0, 8);
    return `${digits.match(/../g)!.join(':')}/${prefixBits}`;
  }
  if (kind === 'ip4') return `${[24, 16, 8, 0].map((shift) => ((words[0] ?? 0) >>> shift) & 0xff).join('.')}/${prefixBits}`;
  const groups = [0, 1, 2, 3].map((i) => words[i] ?? 0).flatMap((word) => [word >>> 16, word & 0xffff]);
  return `${groups.map((group) => group.toString(16)).join(':')}/${prefixBits}`;
}
