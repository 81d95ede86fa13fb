/** What an index is asked for a filter's program, as text. */
import { filterNeeds, type Need } from '../native.js';

/** One sentence for each thing that a block must hold. None: an index can't leave anything out. */
export function needsText(code: Uint8Array, linkType: number): string[] {
  const clauses = filterNeeds(code, linkType);
  if (clauses === null) return ['nothing: no packet can match'];
  return clauses.map((clause) => clause.map(needText).join(' or '));
}

function needText({ kind, low, high }: Need): string {
  const [name, text] = FORMS[kind];
  if (kind === 'ip6') return `${name} ${text(low)}`;
  return low === high ? `${name} ${text(low)}` : `${name} ${text(low)} to ${text(high)}`;
}

const hex = (value: bigint, digits: number): string => value.toString(16).padStart(digits, '0');
const decimal = (value: bigint): string => String(value);

const FORMS: Record<Need['kind'], [name: string, text: (value: bigint) => string]> = {
  ether_type: ['EtherType', (value) => `0x${hex(value, 4)}`],
  vlan: ['VLAN', decimal],
  ip_protocol: ['IP protocol', decimal],
  ip4: ['IPv4 address', (value) => [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 0xffn).join('.')],
  // The index knows a hash of it only.
  ip6: ['IPv6 address, by its hash', (value) => hex(value, 16)],
  port: ['port', decimal],
  mac: ['MAC address', (value) => hex(value, 12).match(/../g)!.join(':')],
};
