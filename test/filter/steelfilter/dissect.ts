/**
 * What the page on filters says of packets, once more and in another way: a dissector that reads headers one behind another, and
 * an evaluator that asks columns for all values they have.
 */
import { ip6Bytes } from './frames.js';

/** Every value that a packet has in a column, as text: addresses in hex. */
export type Values = Map<string, string[]>;

const TAGS = [0x8100, 0x88a8, 0x9100];
const WALKED = [0, 43, 44, 60];

export function valuesOf(linkType: number, packet: Buffer): Values {
  const values: Values = new Map();
  const add = (column: string, ...more: (string | number)[]): void => {
    values.set(column, [...(values.get(column) ?? []), ...more.map(String)]);
  };
  link(linkType, packet, add);
  return values;
}

type Add = (column: string, ...values: (string | number)[]) => void;

function link(linkType: number, packet: Buffer, add: Add): void {
  if (linkType === 228) return ip4(packet, add);
  if (linkType === 229) return ip6(packet, add);
  if ([101, 12, 14].includes(linkType)) {
    const version = packet.toString('hex', 0, 1)[0];
    return version === '4' ? ip4(packet, add) : version === '6' ? ip6(packet, add) : undefined;
  }
  if (linkType === 0 || linkType === 108) {
    const family = Math.min(packet.readUInt32LE(0), packet.readUInt32BE(0));
    const behind = packet.subarray(4);
    return family === 2 ? ip4(behind, add) : [10, 24, 28, 30].includes(family) ? ip6(behind, add) : undefined;
  }
  if (linkType === 1) {
    const [destination, source] = [packet.toString('hex', 0, 6), packet.toString('hex', 6, 12)];
    add('dst_mac.addr', destination);
    add('src_mac.addr', source);
    add('eth.addr', destination, source);
  }
  const [typeAt, behind] = { 1: [12, 14], 113: [14, 16], 276: [0, 20] }[linkType]!;
  ethertype(packet.readUInt16BE(typeAt), packet.subarray(behind), 0, add);
}

function ethertype(type: number, payload: Buffer, depth: number, add: Add): void {
  if (type === 0x0800) ip4(payload, add);
  if (type === 0x86dd) ip6(payload, add);
  if (!TAGS.includes(type) || depth === 2) return;
  add('vlan.id', payload.readUInt16BE(0) % 4096);
  ethertype(payload.readUInt16BE(2), payload.subarray(4), depth + 1, add);
}

function ip4(header: Buffer, add: Add): void {
  const later = header.readUInt16BE(6) % 8192 !== 0;
  upper(header[9]!, later ? null : header.subarray((header[0]! % 16) * 4), header.toString('hex', 12, 16), header.toString('hex', 16, 20), add);
}

function ip6(header: Buffer, add: Add): void {
  let type = header[6]!;
  let rest: Buffer | null = header.subarray(40);
  for (let count = 0; count < 5 && WALKED.includes(type); count++) {
    const isFragment: boolean = type === 44;
    const isLater: boolean = isFragment && rest.readUInt16BE(2) >= 8;
    type = rest[0]!;
    if (isLater) {
      rest = null;
      break;
    }
    rest = rest.subarray(isFragment ? 8 : 8 * (rest[1]! + 1));
  }
  upper(type, rest, header.toString('hex', 8, 24), header.toString('hex', 24, 40), add);
}

function upper(protocol: number, header: Buffer | null, source: string, destination: string, add: Add): void {
  add('ip.proto', protocol);
  add('src_ip.addr', source);
  add('dst_ip.addr', destination);
  add('ip.addr', source, destination);
  if (protocol === 6) add('tcp.ip', source, destination);
  const name = { 6: 'tcp', 17: 'udp' }[protocol];
  if (!name || !header) return;
  const ports = [header.readUInt16BE(0), header.readUInt16BE(2)] as const;
  add(`${name}.port`, ...ports);
  add(`src_${name}.port`, ports[0]);
  add(`dst_${name}.port`, ports[1]);
  if (name !== 'tcp') return;
  const flags = header[13]!.toString(2).padStart(8, '0');
  const [ack, syn] = [flags[3] === '1', flags[6] === '1'];
  const sourceIsServer = syn ? ack : ports[0] < ports[1];
  const ends = [
    [source, ports[0]],
    [destination, ports[1]],
  ] as const;
  const [client, server] = sourceIsServer ? [ends[1], ends[0]] : [ends[0], ends[1]];
  add('cli_tcp.ip', client[0]);
  add('cli_tcp.port', client[1]);
  add('srv_tcp.ip', server[0]);
  add('srv_tcp.port', server[1]);
}

/** An expression as the tests make it. */
export type Asked = { column: string; operator: string; value: string } | { join: 'and' | 'or'; of: Asked[] } | { not: Asked };

export function holds(asked: Asked, values: Values): boolean {
  if ('not' in asked) return !holds(asked.not, values);
  if ('join' in asked) return asked.join === 'and' ? asked.of.every((each) => holds(each, values)) : asked.of.some((each) => holds(each, values));
  const { column, operator, value } = asked;
  const there = values.get(column) ?? [];
  if (operator === '!=') return there.length > 0 && !there.some((one) => isEqual(column, one, value));
  return there.some((one) => {
    if (operator === '==' || operator === '=') return isEqual(column, one, value);
    const [a, b] = [Number(one), Number(value)];
    return { '<': a < b, '<=': a <= b, '>': a > b, '>=': a >= b }[operator]!;
  });
}

const NAMES: Record<string, string> = { tcp: '6', udp: '17', icmp: '1', icmpv6: '58' };

function isEqual(column: string, one: string, value: string): boolean {
  if (column === 'ip.proto') return one === (NAMES[value.toLowerCase()] ?? value);
  if (column.endsWith('mac.addr') || column === 'eth.addr') return one === value.replace(/[:-]/g, '').toLowerCase();
  if (!column.endsWith('.ip') && !column.endsWith('.addr')) return one === value;
  const [address = '', prefix] = value.split('/');
  const wanted = address.includes(':') ? ip6Bytes(address) : Buffer.from(address.split('.').map(Number));
  const bits = (bytes: Buffer): string => [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  const there = Buffer.from(one, 'hex');
  return there.length === wanted.length && bits(there).startsWith(bits(wanted).slice(0, prefix === undefined ? undefined : Number(prefix)));
}
