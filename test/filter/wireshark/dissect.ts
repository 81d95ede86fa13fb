/** What the outer headers of a packet hold, by the names of tshark: one header read behind another, as far as they are whole. */
import type { Values } from './filters.js';

type Add = (name: string, ...values: (number | string)[]) => void;

export function valuesOf(linkType: number, packet: Buffer, wireLength: number): Values {
  const values: Values = new Map();
  const add: Add = (name, ...more) => {
    values.set(name, [...(values.get(name) ?? []), ...more]);
  };
  add('frame', packet.toString('hex'));
  add('frame.len', wireLength);
  add('frame.marked', 0);
  try {
    link(linkType, packet, add);
  } catch (error) {
    // Cut short: what was read until then is there.
    if (!(error instanceof RangeError)) throw error;
  }
  return values;
}

function link(linkType: number, packet: Buffer, add: Add): void {
  switch (linkType) {
    case 1:
      return ethernet(packet, add);
    case 113:
      return ethertype(packet.readUInt16BE(14), packet.subarray(16), add);
    case 276:
      return ethertype(packet.readUInt16BE(0), packet.subarray(20), add);
    case 0:
    case 108: {
      const family = Math.min(packet.readUInt32BE(0), packet.readUInt32LE(0));
      return family === 2 ? ip4(packet.subarray(4), add) : [24, 28, 30].includes(family) ? ip6(packet.subarray(4), add) : undefined;
    }
    case 228:
      return ip4(packet, add);
    case 229:
      return ip6(packet, add);
    default:
      return packet.readUInt8(0) >> 4 === 4 ? ip4(packet, add) : packet.readUInt8(0) >> 4 === 6 ? ip6(packet, add) : undefined;
  }
}

const hex = (bytes: Buffer, from: number, length: number): string => {
  if (from + length > bytes.length) throw new RangeError('cut');
  return bytes.toString('hex', from, from + length);
};
const bit = (value: number, number: number): number => (value >> number) & 1;

function ethernet(frame: Buffer, add: Add): void {
  const type = frame.readUInt16BE(12);
  const [destination, source] = [hex(frame, 0, 6), hex(frame, 6, 6)];
  add('eth', '');
  add('eth.dst', destination);
  add('eth.src', source);
  add('eth.addr', destination, source);
  for (const [name, number] of [
    ['ig', 0],
    ['lg', 1],
  ] as const) {
    add(`eth.dst.${name}`, bit(frame[0]!, number));
    add(`eth.src.${name}`, bit(frame[6]!, number));
    add(`eth.${name}`, bit(frame[0]!, number), bit(frame[6]!, number));
  }
  if (type <= 1500) return add('eth.len', type);
  add('eth.type', type);
  ethertype(type, frame.subarray(14), add);
}

function ethertype(type: number, payload: Buffer, add: Add): void {
  if (type === 0x0800) ip4(payload, add);
  if (type === 0x86dd) ip6(payload, add);
  if (type === 0x0806) arp(payload, add);
  if (type !== 0x8100 && type !== 0x9100) return;
  const [tag, next] = [payload.readUInt16BE(0), payload.readUInt16BE(2)];
  add('vlan', '');
  add('vlan.id', tag % 4096);
  add('vlan.priority', tag >> 13);
  add('vlan.dei', bit(tag, 12));
  add('vlan.etype', next);
  ethertype(next, payload.subarray(4), add);
}

function arp(packet: Buffer, add: Add): void {
  add('arp', '');
  add('arp.hw.type', packet.readUInt16BE(0));
  add('arp.opcode', packet.readUInt16BE(6));
  add('arp.src.hw_mac', hex(packet, 8, 6));
  add('arp.src.proto_ipv4', hex(packet, 14, 4));
  add('arp.dst.hw_mac', hex(packet, 18, 6));
  add('arp.dst.proto_ipv4', hex(packet, 24, 4));
}

function ip4(header: Buffer, add: Add): void {
  const headerBytes = (header.readUInt8(0) % 16) * 4;
  add('ip', '');
  add('ip.version', header.readUInt8(0) >> 4);
  add('ip.hdr_len', headerBytes);
  add('ip.dsfield', header.readUInt8(1));
  add('ip.dsfield.dscp', header.readUInt8(1) >> 2);
  add('ip.dsfield.ecn', header.readUInt8(1) % 4);
  add('ip.len', header.readUInt16BE(2));
  add('ip.id', header.readUInt16BE(4));
  const flags = header.readUInt8(6) >> 5;
  add('ip.flags', flags);
  for (const [i, name] of ['mf', 'df', 'rb'].entries()) add(`ip.flags.${name}`, bit(flags, i));
  add('ip.frag_offset', header.readUInt16BE(6) % 8192);
  add('ip.ttl', header.readUInt8(8));
  add('ip.proto', header.readUInt8(9));
  add('ip.checksum', header.readUInt16BE(10));
  addresses('ip', hex(header, 12, 4), hex(header, 16, 4), add);
  upper(header.readUInt8(9), 4, header.subarray(headerBytes), header.readUInt16BE(2) - headerBytes, add);
}

function ip6(header: Buffer, add: Add): void {
  const first = header.readUInt32BE(0);
  add('ipv6', '');
  add('ip.version', first >>> 28);
  add('ipv6.version', first >>> 28);
  add('ipv6.tclass', (first >>> 20) % 256);
  add('ipv6.tclass.dscp', (first >>> 22) % 64);
  add('ipv6.flow', first % 2 ** 20);
  add('ipv6.plen', header.readUInt16BE(4));
  add('ipv6.nxt', header.readUInt8(6));
  add('ipv6.hlim', header.readUInt8(7));
  addresses('ipv6', hex(header, 8, 16), hex(header, 24, 16), add);
  let [next, rest, length] = [header.readUInt8(6), header.subarray(40), header.readUInt16BE(4)];
  if (next === 0) {
    const size = 8 * (rest.readUInt8(1) + 1);
    add('ipv6.hopopts', '');
    [next, rest, length] = [rest.readUInt8(0), rest.subarray(size), length - size];
  }
  upper(next, 6, rest, length, add);
}

function addresses(protocol: string, source: string, destination: string, add: Add): void {
  add(`${protocol}.src`, source);
  add(`${protocol}.dst`, destination);
  add(`${protocol}.addr`, source, destination);
}

function upper(protocol: number, version: 4 | 6, header: Buffer, length: number, add: Add): void {
  if (protocol === 6) tcp(header, length, add);
  if (protocol === 17) {
    ports('udp', header, add);
    add('udp.length', header.readUInt16BE(4));
    add('udp.checksum', header.readUInt16BE(6));
  }
  const icmp = protocol === 1 && version === 4 ? 'icmp' : protocol === 58 && version === 6 ? 'icmpv6' : null;
  if (!icmp) return;
  add(icmp, '');
  add(`${icmp}.type`, header.readUInt8(0));
  add(`${icmp}.code`, header.readUInt8(1));
}

function ports(protocol: string, header: Buffer, add: Add): void {
  const [source, destination] = [header.readUInt16BE(0), header.readUInt16BE(2)];
  add(protocol, '');
  add(`${protocol}.srcport`, source);
  add(`${protocol}.dstport`, destination);
  add(`${protocol}.port`, source, destination);
}

function tcp(header: Buffer, length: number, add: Add): void {
  ports('tcp', header, add);
  add('tcp.seq_raw', header.readUInt32BE(4));
  const flags = header.readUInt16BE(12);
  add('tcp.hdr_len', (flags >> 12) * 4);
  add('tcp.flags', flags % 4096);
  for (const [i, name] of ['fin', 'syn', 'reset', 'push', 'ack', 'urg', 'ece', 'cwr', 'ae'].entries()) add(`tcp.flags.${name}`, bit(flags, i));
  add('tcp.window_size_value', header.readUInt16BE(14));
  add('tcp.urgent_pointer', header.readUInt16BE(18));
  add('tcp.len', length - (flags >> 12) * 4);
}
