/** The columns that a packet has. */
import type { Side } from '../predicate/predicate.js';

export type Column =
  | { type: 'ip'; side: Side; tcp: boolean }
  | { type: 'mac'; side: 'source' | 'destination' | 'either' }
  | { type: 'port'; transport: 'tcp' | 'udp'; side: Side }
  | { type: 'protocol' }
  | { type: 'vlan' };

const ip = (side: Side, tcp = false): Column => ({ type: 'ip', side, tcp });
const port = (transport: 'tcp' | 'udp', side: Side): Column => ({ type: 'port', transport, side });

export const COLUMNS: ReadonlyMap<string, Column> = new Map<string, Column>([
  ['ip.addr', ip('either')],
  ['src_ip.addr', ip('source')],
  ['dst_ip.addr', ip('destination')],
  ['tcp.ip', ip('either', true)],
  ['cli_tcp.ip', ip('client', true)],
  ['srv_tcp.ip', ip('server', true)],
  ['tcp.port', port('tcp', 'either')],
  ['src_tcp.port', port('tcp', 'source')],
  ['dst_tcp.port', port('tcp', 'destination')],
  ['cli_tcp.port', port('tcp', 'client')],
  ['srv_tcp.port', port('tcp', 'server')],
  ['udp.port', port('udp', 'either')],
  ['src_udp.port', port('udp', 'source')],
  ['dst_udp.port', port('udp', 'destination')],
  ['ip.proto', { type: 'protocol' }],
  ['vlan.id', { type: 'vlan' }],
  ['eth.addr', { type: 'mac', side: 'either' }],
  ['src_mac.addr', { type: 'mac', side: 'source' }],
  ['dst_mac.addr', { type: 'mac', side: 'destination' }],
]);

/** Names that `ip.proto` knows, as IANA's registry has them. */
export const PROTOCOLS: ReadonlyMap<string, number> = new Map([
  ['icmp', 1],
  ['igmp', 2],
  ['ipip', 4],
  ['tcp', 6],
  ['udp', 17],
  ['ipv6', 41],
  ['gre', 47],
  ['esp', 50],
  ['ah', 51],
  ['icmpv6', 58],
  ['ospf', 89],
  ['pim', 103],
  ['vrrp', 112],
  ['l2tp', 115],
  ['sctp', 132],
]);
