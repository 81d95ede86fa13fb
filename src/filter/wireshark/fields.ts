/** The fields of display filters that are translated: where in its header each stands, and what its values are. */

/** What can be there several times in a packet, or not at all. */
export type Layer =
  'frame' | 'eth' | 'eth.type' | 'eth.len' | 'vlan' | 'arp' | 'ip' | 'ip.version' | 'ipv6' | 'ipv6.hopopts' | 'tcp' | 'udp' | 'icmp' | 'icmpv6';

export type Type = 'number' | 'truth' | 'setting' | 'ether' | 'ipv4' | 'ipv6' | 'header';

/** One place in the header of a layer. The field's value is what the mask leaves, moved to the right and multiplied. */
export interface Place {
  at: number;
  bytes: 1 | 2 | 4 | 6 | 16;
  mask?: number;
  times?: number;
}

export type Source =
  | { kind: 'places'; places: readonly Place[] }
  /** Worked out of several places of the packet. */
  | { kind: 'frame-length' | 'tcp-length' | 'encapsulation' | 'never-set' }
  /** Nothing but the header itself. */
  | { kind: 'header' };

export interface FieldType {
  layer: Layer;
  type: Type;
  /** The largest number that tshark lets the field be compared with. */
  max: number;
  source: Source;
}

const known = new Map<string, FieldType>();
export const FIELDS: ReadonlyMap<string, FieldType> = known;

const HALF = 0xffff;
const WORD = 0xffffffff;

function add(layer: Layer, name: string, type: Type, max: number, ...places: Place[]): void {
  known.set(name, { layer, type, max, source: { kind: 'places', places } });
}
function number(layer: Layer, name: string, at: number, bytes: 1 | 2 | 4, more: { mask?: number; times?: number; max?: number } = {}): void {
  const { max = 2 ** (8 * bytes) - 1, ...place } = more;
  add(layer, name, 'number', max, { at, bytes, ...place });
}
function flag(layer: Layer, name: string, at: number, bytes: 1 | 2 | 4, mask: number, type: 'truth' | 'setting' = 'truth'): void {
  add(layer, name, type, 1, { at, bytes, mask });
}
/** A source, a destination, and the field that is either. */
function ends(layer: Layer, names: readonly [string, string, string], type: Type, max: number, source: Place, destination: Place): void {
  add(layer, names[0], type, max, source);
  add(layer, names[1], type, max, destination);
  add(layer, names[2], type, max, source, destination);
}
function header(name: Layer): void {
  known.set(name, { layer: name, type: 'header', max: 0, source: { kind: 'header' } });
}

known.set('frame', { layer: 'frame', type: 'header', max: 0, source: { kind: 'header' } });
known.set('frame.len', { layer: 'frame', type: 'number', max: WORD, source: { kind: 'frame-length' } });
known.set('frame.encap_type', { layer: 'frame', type: 'number', max: 0x7fff, source: { kind: 'encapsulation' } });
known.set('frame.marked', { layer: 'frame', type: 'truth', max: 1, source: { kind: 'never-set' } });
known.set('frame.ignored', { layer: 'frame', type: 'truth', max: 1, source: { kind: 'never-set' } });

header('eth');
ends('eth', ['eth.src', 'eth.dst', 'eth.addr'], 'ether', 0, { at: 6, bytes: 6 }, { at: 0, bytes: 6 });
number('eth.type', 'eth.type', 12, 2);
number('eth.len', 'eth.len', 12, 2);
for (const [name, mask] of [
  ['ig', 0x01],
  ['lg', 0x02],
] as const)
  ends('eth', [`eth.src.${name}`, `eth.dst.${name}`, `eth.${name}`], 'truth', 1, { at: 6, bytes: 1, mask }, { at: 0, bytes: 1, mask });

header('vlan');
number('vlan', 'vlan.id', 0, 2, { mask: 0x0fff });
number('vlan', 'vlan.priority', 0, 2, { mask: 0xe000 });
flag('vlan', 'vlan.dei', 0, 2, 0x1000);
number('vlan', 'vlan.etype', 2, 2);

header('arp');
number('arp', 'arp.hw.type', 0, 2);
number('arp', 'arp.proto.type', 2, 2);
number('arp', 'arp.hw.size', 4, 1);
number('arp', 'arp.proto.size', 5, 1);
number('arp', 'arp.opcode', 6, 2);
add('arp', 'arp.src.hw_mac', 'ether', 0, { at: 8, bytes: 6 });
add('arp', 'arp.src.proto_ipv4', 'ipv4', 0, { at: 14, bytes: 4 });
add('arp', 'arp.dst.hw_mac', 'ether', 0, { at: 18, bytes: 6 });
add('arp', 'arp.dst.proto_ipv4', 'ipv4', 0, { at: 24, bytes: 4 });

header('ip');
// tshark gives it to IPv6 as well.
number('ip.version', 'ip.version', 0, 1, { mask: 0xf0 });
number('ip', 'ip.hdr_len', 0, 1, { mask: 0x0f, times: 4 });
number('ip', 'ip.dsfield', 1, 1);
number('ip', 'ip.dsfield.dscp', 1, 1, { mask: 0xfc });
number('ip', 'ip.dsfield.ecn', 1, 1, { mask: 0x03 });
number('ip', 'ip.len', 2, 2);
number('ip', 'ip.id', 4, 2);
number('ip', 'ip.flags', 6, 1, { mask: 0xe0 });
flag('ip', 'ip.flags.rb', 6, 1, 0x80, 'setting');
flag('ip', 'ip.flags.df', 6, 1, 0x40, 'setting');
flag('ip', 'ip.flags.mf', 6, 1, 0x20, 'setting');
number('ip', 'ip.frag_offset', 6, 2, { mask: 0x1fff });
number('ip', 'ip.ttl', 8, 1);
number('ip', 'ip.proto', 9, 1);
number('ip', 'ip.checksum', 10, 2);
ends('ip', ['ip.src', 'ip.dst', 'ip.addr'], 'ipv4', 0, { at: 12, bytes: 4 }, { at: 16, bytes: 4 });

header('ipv6');
header('ipv6.hopopts');
number('ipv6', 'ipv6.version', 0, 1, { mask: 0xf0 });
number('ipv6', 'ipv6.tclass', 0, 4, { mask: 0x0ff00000 });
number('ipv6', 'ipv6.tclass.dscp', 0, 4, { mask: 0x0fc00000 });
number('ipv6', 'ipv6.tclass.ecn', 0, 4, { mask: 0x00300000 });
number('ipv6', 'ipv6.flow', 0, 4, { mask: 0x000fffff, max: 0xffffff });
number('ipv6', 'ipv6.plen', 4, 2);
number('ipv6', 'ipv6.nxt', 6, 1);
number('ipv6', 'ipv6.hlim', 7, 1);
ends('ipv6', ['ipv6.src', 'ipv6.dst', 'ipv6.addr'], 'ipv6', 0, { at: 8, bytes: 16 }, { at: 24, bytes: 16 });

header('tcp');
ends('tcp', ['tcp.srcport', 'tcp.dstport', 'tcp.port'], 'number', HALF, { at: 0, bytes: 2 }, { at: 2, bytes: 2 });
number('tcp', 'tcp.seq_raw', 4, 4);
number('tcp', 'tcp.ack_raw', 8, 4);
number('tcp', 'tcp.hdr_len', 12, 1, { mask: 0xf0, times: 4 });
number('tcp', 'tcp.flags', 12, 2, { mask: 0x0fff });
for (const [i, name] of ['fin', 'syn', 'reset', 'push', 'ack', 'urg', 'ece', 'cwr', 'ae'].entries())
  flag('tcp', `tcp.flags.${name}`, 12, 2, 1 << i, 'setting');
number('tcp', 'tcp.window_size_value', 14, 2);
number('tcp', 'tcp.checksum', 16, 2);
number('tcp', 'tcp.urgent_pointer', 18, 2);
known.set('tcp.len', { layer: 'tcp', type: 'number', max: WORD, source: { kind: 'tcp-length' } });

header('udp');
ends('udp', ['udp.srcport', 'udp.dstport', 'udp.port'], 'number', HALF, { at: 0, bytes: 2 }, { at: 2, bytes: 2 });
number('udp', 'udp.length', 4, 2);
number('udp', 'udp.checksum', 6, 2);

header('icmp');
number('icmp', 'icmp.type', 0, 1);
number('icmp', 'icmp.code', 1, 1);
number('icmp', 'icmp.checksum', 2, 2);
header('icmpv6');
number('icmpv6', 'icmpv6.type', 0, 1);
number('icmpv6', 'icmpv6.code', 1, 1);
number('icmpv6', 'icmpv6.checksum', 2, 2);
