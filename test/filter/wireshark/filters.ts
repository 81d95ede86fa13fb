/** Display filters by chance, of what is translated, and what each is of a packet whose headers are known: an evaluator of the tests' own. */
import { IP4, IP6, MACS, TCP_PORTS, UDP_PORTS, VLANS, ip4Bytes, ip6Bytes, macBytes, type Chance } from './packets.js';

/** A field's values: numbers, or bytes in hex. */
export type Values = Map<string, (number | string)[]>;

export interface Filter {
  text: string;
  holds: (values: Values) => boolean;
}

type Type = 'number' | 'truth' | 'ether' | 'ip4' | 'ip6' | 'header';

/** Fields by type, with the numbers that are asked for. */
const NUMBERS: Record<string, readonly number[]> = {
  'frame.len': [0, 14, 60, 61, 70, 100],
  'eth.type': [0x0800, 0x86dd, 0x0806, 0x8100, 0x88cc],
  'eth.len': [38, 1500],
  'vlan.id': VLANS,
  'vlan.priority': [0, 3, 7],
  'vlan.etype': [0x0800, 0x86dd, 0x8100],
  'arp.opcode': [1, 2],
  'arp.hw.type': [1],
  'ip.version': [4, 6],
  'ip.hdr_len': [20, 21, 24, 28],
  'ip.dsfield': [0, 0xb8],
  'ip.dsfield.dscp': [0, 46],
  'ip.dsfield.ecn': [0, 3],
  'ip.len': [20, 28, 40, 60, 100],
  'ip.id': [0, 7, 0xfffe],
  'ip.flags': [0, 2, 4],
  'ip.frag_offset': [0, 1],
  'ip.ttl': [1, 64, 128, 255],
  'ip.proto': [1, 6, 17, 47],
  'ip.checksum': [0],
  'ipv6.version': [6],
  'ipv6.tclass': [0, 5],
  'ipv6.tclass.dscp': [0, 1],
  'ipv6.flow': [0, 0xabcd, 0xb0000],
  'ipv6.plen': [8, 20, 24, 32],
  'ipv6.nxt': [0, 6, 17, 58],
  'ipv6.hlim': [1, 64, 255],
  'tcp.srcport': TCP_PORTS,
  'tcp.dstport': TCP_PORTS,
  'tcp.port': TCP_PORTS,
  'tcp.hdr_len': [20, 24, 32, 60],
  'tcp.flags': [0x02, 0x10, 0x12, 0x18],
  'tcp.window_size_value': [0, 1024, 65535],
  'tcp.urgent_pointer': [0, 9],
  'tcp.seq_raw': [0x7fffffff],
  'tcp.len': [0, 1, 20],
  'udp.srcport': UDP_PORTS,
  'udp.dstport': UDP_PORTS,
  'udp.port': UDP_PORTS,
  'udp.length': [8, 9, 37],
  'udp.checksum': [0, 0x1234],
  'icmp.type': [0, 3, 8],
  'icmp.code': [0, 1],
  'icmpv6.type': [128, 135, 136, 143],
  'icmpv6.code': [0],
};
const TRUTHS = [
  ...['fin', 'syn', 'reset', 'push', 'ack', 'urg', 'ece', 'cwr', 'ae'].map((flag) => `tcp.flags.${flag}`),
  ...['ip.flags.rb', 'ip.flags.df', 'ip.flags.mf', 'vlan.dei', 'eth.ig', 'eth.lg', 'eth.src.lg', 'eth.dst.ig', 'frame.marked'],
];
const ETHERS = ['eth.src', 'eth.dst', 'eth.addr', 'arp.src.hw_mac', 'arp.dst.hw_mac'];
const IP4S = ['ip.src', 'ip.dst', 'ip.addr', 'arp.src.proto_ipv4', 'arp.dst.proto_ipv4'];
const IP6S = ['ipv6.src', 'ipv6.dst', 'ipv6.addr'];
const HEADERS = ['frame', 'eth', 'vlan', 'arp', 'ip', 'ipv6', 'ipv6.hopopts', 'tcp', 'udp', 'icmp', 'icmpv6'];

const hex = (bytes: Buffer): string => bytes.toString('hex');

type Relation = '==' | '!=' | '<' | '<=' | '>' | '>=';
/** Numbers as numbers, equally long hex digits as text. */
function relates(a: number | string, relation: Relation, b: number | string): boolean {
  return { '==': a === b, '!=': a !== b, '<': a < b, '<=': a <= b, '>': a > b, '>=': a >= b }[relation];
}
const WORDS: Record<string, readonly string[]> = {
  '==': ['==', 'eq', 'any_eq'],
  '!=': ['!=', 'ne', 'all_ne'],
  '<': ['<', 'lt'],
  '<=': ['<=', 'le'],
  '>': ['>', 'gt'],
  '>=': ['>=', 'ge'],
};

/** `commas`: filters may hold some. */
export class FilterMaker {
  constructor(
    readonly chance: Chance,
    readonly commas = true,
  ) {}

  filter(depth = 0): Filter {
    const { chance } = this;
    if (depth < 3 && chance.below(3) < 1) {
      const word = chance.of(['and', 'or'] as const);
      const parts = Array.from({ length: 2 + chance.below(2) }, () => this.filter(depth + 1));
      const symbol = word === 'and' ? chance.of([' and ', ' && ', '&&']) : chance.of([' or ', ' || ', '||']);
      return {
        text: `(${parts.map(({ text }) => text).join(symbol)})`,
        holds: (values) => (word === 'and' ? parts.every(({ holds }) => holds(values)) : parts.some(({ holds }) => holds(values))),
      };
    }
    if (depth < 4 && chance.once(6)) {
      const { text, holds } = this.filter(depth + 1);
      return { text: `${chance.of(['!', 'not ', '! '])}(${text})`, holds: (values) => !holds(values) };
    }
    return this.#test();
  }

  #test(): Filter {
    const { chance } = this;
    const type = chance.of<Type>(['number', 'number', 'number', 'truth', 'ether', 'ip4', 'ip4', 'ip6', 'header']);
    const pools: Record<Type, readonly string[]> = {
      number: Object.keys(NUMBERS),
      truth: TRUTHS,
      ether: ETHERS,
      ip4: IP4S,
      ip6: IP6S,
      header: HEADERS,
    };
    const name = chance.of(pools[type]);
    if (type === 'header' || chance.once(8)) return { text: name, holds: (values) => values.has(name) };
    if (chance.once(12)) return this.#frameSlice();
    switch (type) {
      case 'number':
        return this.#number(name);
      case 'truth': {
        const wanted = chance.below(2);
        const set = name.startsWith('tcp') || name.startsWith('ip.');
        const value = chance.of([String(wanted), wanted ? 'TRUE' : 'False', ...(set ? [wanted ? '"Set"' : '"Not set"'] : [])]);
        return this.#compared(name, chance.of(['==', '!=']), value, (one) => one === wanted);
      }
      default:
        return this.#address(name, type);
    }
  }

  #number(name: string): Filter {
    const { chance } = this;
    const pool = NUMBERS[name]!;
    const near = (): number => Math.max(0, chance.of(pool) + (chance.once(5) ? chance.of([-1, 1]) : 0));
    const limit =
      name === 'frame.len' || name === 'tcp.seq_raw' || name === 'tcp.len'
        ? 0xffffffff
        : /^(?:ip\.(?:ttl|proto|dsfield|hdr_len|version|flags)|icmp|ipv6\.(?:nxt|hlim|version))/.test(name)
          ? 255
          : 65535;
    const number = Math.min(limit, near());
    const written = (value: number): string => chance.of([String(value), `0x${value.toString(16)}`, value > 0 ? `0${value.toString(8)}` : '0']);
    if (chance.once(6)) {
      const elements = Array.from({ length: this.commas ? 1 + chance.below(3) : 1 }, () => {
        const low = Math.min(limit, near());
        const high = chance.once(2) ? Math.min(limit, low + chance.below(200)) : low;
        return { low, high, text: high > low ? `${low}${chance.of(['..', ' .. '])}${high}` : written(low) };
      });
      const holds = (values: Values): boolean =>
        (values.get(name) ?? []).some((value) => elements.some(({ low, high }) => Number(value) >= low && Number(value) <= high));
      return { text: `${name} in {${elements.map(({ text }) => text).join(chance.of([',', ', ', ' , ']))}}`, holds };
    }
    if (chance.once(6) && !['frame.len', 'tcp.len', 'ip.hdr_len', 'tcp.hdr_len'].includes(name)) {
      const mask = chance.of([1, 2, 3, 0x10, 0xf0, 0x12]);
      const masked = (value: number | string): number => Number(value) & mask;
      if (chance.once(2))
        return { text: `${name} & ${written(mask)}`, holds: (values) => (values.get(name) ?? []).some((value) => masked(value) !== 0) };
      const wanted = number & mask;
      return this.#compared(`${name} & ${mask}`, chance.of(['==', '!=', '>']), String(wanted), undefined, wanted, (values) =>
        values.get(name)?.map(masked),
      );
    }
    return this.#compared(name, chance.of(['==', '!=', '<', '<=', '>', '>=']), written(number), undefined, number);
  }

  #address(name: string, type: 'ether' | 'ip4' | 'ip6'): Filter {
    const { chance } = this;
    const text = chance.of({ ether: MACS, ip4: IP4, ip6: IP6 }[type]);
    const bytes = type === 'ether' ? macBytes(text) : type === 'ip4' ? ip4Bytes(text) : ip6Bytes(text);
    if (type !== 'ether' && chance.once(4)) {
      const bits = chance.below(8 * bytes.length + 1);
      const begins = (one: number | string): boolean => toBits(String(one)).slice(0, bits) === toBits(hex(bytes)).slice(0, bits);
      return this.#compared(name, chance.of(['==', '!=']), `${text}/${bits}`, begins);
    }
    if (chance.once(6) && !name.startsWith('arp')) {
      const at = chance.below(bytes.length);
      const length = 1 + chance.below(bytes.length - at);
      const part = bytes.subarray(at, at + length);
      const value = [...part].map((byte) => byte.toString(16).padStart(2, '0')).join(':');
      if (length > 1 || /^\d/.test(value))
        return this.#compared(`${name}[${at}:${length}]`, chance.of(['==', '!=']), value, undefined, hex(part), (values) =>
          values.get(name)?.map((one) => String(one).slice(2 * at, 2 * (at + length))),
        );
    }
    const shown = type === 'ether' ? chance.of([text, text.replaceAll(':', '-'), text.toUpperCase()]) : text;
    return this.#compared(name, chance.of(['==', '==', '!=', '<', '<=', '>', '>=']), shown, undefined, hex(bytes));
  }

  /** Against what the whole frame holds, which is in `values` as `frame`. */
  #frameSlice(): Filter {
    const { chance } = this;
    const at = chance.of([0, 6, 12, 14, 23, 36, 60]);
    const bytes = chance.of([Buffer.from([8, 0]), Buffer.from([0x45]), Buffer.from([0, 0]), Buffer.from([6]), macBytes(MACS[0]!)]);
    const value = [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(':');
    return this.#compared(`frame[${at}:${bytes.length}]`, chance.of(['==', '!=']), value, undefined, hex(bytes), (values) => {
      const there = String(values.get('frame')?.[0]).slice(2 * at, 2 * (at + bytes.length));
      return there.length === 2 * bytes.length ? [there] : undefined;
    });
  }

  /** `isEqual`: where equality is not that of values. */
  #compared(
    name: string,
    relation: Relation,
    value: string,
    isEqual?: (one: number | string) => boolean,
    wanted: number | string = '',
    read: (values: Values) => (number | string)[] | undefined = (values) => values.get(name),
  ): Filter {
    const { chance } = this;
    const is = (one: number | string): boolean => (isEqual ? isEqual(one) === (relation === '==') : relates(one, relation, wanted));
    const quantifier = relation !== '!=' && !name.includes('&') && chance.once(6) ? chance.of(['any', 'all']) : null;
    const symbol = quantifier
      ? relation
      : relation === '!=' && chance.once(4)
        ? '!=='
        : relation === '==' && chance.once(8)
          ? '==='
          : chance.of(WORDS[relation]!);
    const isAll = quantifier ? quantifier === 'all' : symbol === '===' || (relation === '!=' && symbol !== '!==');
    const space = /[a-z]/.test(symbol) ? ' ' : chance.of([' ', '']);
    return {
      text: `${quantifier ? `${quantifier} ` : ''}${name}${space}${symbol}${space}${value}`,
      holds: (values) => {
        const there = read(values) ?? [];
        return isAll ? there.length > 0 && there.every(is) : there.some(is);
      },
    };
  }
}

function toBits(digits: string): string {
  return [...Buffer.from(digits, 'hex')].map((byte) => byte.toString(2).padStart(8, '0')).join('');
}
