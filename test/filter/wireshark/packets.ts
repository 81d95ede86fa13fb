/** Packets by chance for display filters, ordinary ones and strange ones: tags, options, fragments, tunnels, wrong lengths, cuts. */
import { chance } from '../../support/chance.js';

export interface Packet {
  bytes: Buffer;
  wireLength: number;
}

export const MACS = ['02:00:00:00:00:01', '02:00:00:00:00:02', '01:00:5e:00:00:fb', 'ff:ff:ff:ff:ff:ff', '08:00:27:11:22:33'];
export const IP4 = ['10.0.0.1', '10.0.0.2', '192.168.7.9', '224.0.0.251', '8.8.8.8'];
export const IP6 = ['2001:db8::1', '2001:db8::2', 'fe80::a:b', 'ff02::1'];
export const TCP_PORTS = [20, 21, 22, 23, 53, 80, 179, 443, 1234, 5005, 6653, 2002, 1883, 3306, 5432, 8080, 50000, 65535];
export const UDP_PORTS = [53, 67, 68, 123, 137, 443, 500, 520, 547, 1234, 1900, 1985, 2152, 3544, 4789, 5353, 6081, 6343, 50000, 65535];
export const VLANS = [0, 5, 6, 4095];

/** The same numbers for the same seed. */
export class Chance {
  readonly #next: () => number;

  constructor(seed: number) {
    this.#next = chance(seed);
  }

  below(count: number): number {
    return Math.floor(this.#next() * count);
  }

  of<T>(values: readonly T[]): T {
    return values[this.below(values.length)]!;
  }

  /** One time in `count`. */
  once(count: number): boolean {
    return this.below(count) === 0;
  }

  bytes(count: number): Buffer {
    return Buffer.from(Array.from({ length: count }, () => this.below(256)));
  }
}

const u16 = (...values: number[]): Buffer => Buffer.from(values.flatMap((value) => [(value >> 8) & 255, value & 255]));
export const macBytes = (text: string): Buffer => Buffer.from(text.replaceAll(':', ''), 'hex');
export const ip4Bytes = (text: string): Buffer => Buffer.from(text.split('.').map(Number));
export function ip6Bytes(text: string): Buffer {
  const [head = '', tail = ''] = text.split('::');
  const groups = (half: string): string[] => (half === '' ? [] : half.split(':'));
  const zeros = Array<string>(8 - groups(head).length - groups(tail).length).fill('0');
  return Buffer.from([...groups(head), ...zeros, ...groups(tail)].map((group) => group.padStart(4, '0')).join(''), 'hex');
}

const DNS = Buffer.from('123401000001000000000000076578616d706c6503636f6d0000010001', 'hex');
const OPENFLOW = (inner: Buffer): Buffer =>
  Buffer.concat([Buffer.from([1, 10]), u16(18 + inner.length), Buffer.alloc(8), u16(inner.length, 1), Buffer.alloc(2), inner]);

/** Makes packets of one link type. */
export class PacketMaker {
  constructor(
    readonly chance: Chance,
    readonly linkType: number,
  ) {}

  packet(): Packet {
    const { chance } = this;
    const headers = this.#link();
    // Padding, and what some devices leave behind it.
    const trailer = chance.once(4)
      ? Buffer.alloc(Math.max(0, 60 - headers.length))
      : chance.once(8)
        ? chance.bytes(chance.below(9))
        : Buffer.alloc(0);
    const bytes = Buffer.concat([headers, trailer]);
    const length = chance.once(10) ? chance.below(bytes.length + 1) : bytes.length;
    return { bytes: bytes.subarray(0, length), wireLength: bytes.length };
  }

  #link(): Buffer {
    const { chance } = this;
    switch (this.linkType) {
      case 1:
        return this.#ethernet(0);
      case 113: {
        const [type, behind] = this.#typed(0);
        return Buffer.concat([u16(0, chance.once(6) ? chance.of([772, 778, 824, 801]) : 1, 6), chance.bytes(8), u16(type), behind]);
      }
      case 276: {
        const [type, behind] = this.#typed(0);
        return Buffer.concat([
          u16(type, 0, 0, 1, chance.once(6) ? chance.of([772, 778, 824, 801]) : 1),
          Buffer.from([0, 6]),
          chance.bytes(8),
          behind,
        ]);
      }
      case 0:
      case 108: {
        const is4 = chance.once(2);
        const family = chance.once(12) ? chance.below(40) : is4 ? 2 : chance.of([24, 28, 30]);
        return Buffer.concat([
          Buffer.from(this.linkType === 0 && chance.once(2) ? [family, 0, 0, 0] : [0, 0, 0, family]),
          is4 ? this.#ip4(0) : this.#ip6(0),
        ]);
      }
      case 228:
        return this.#ip4(0);
      case 229:
        return this.#ip6(0);
      default:
        return chance.once(12) ? chance.bytes(40) : chance.once(2) ? this.#ip4(0) : this.#ip6(0);
    }
  }

  #ethernet(depth: number): Buffer {
    const [type, behind] = this.#typed(depth);
    const destination = type < 1536 ? this.chance.of(['01:80:c2:00:00:00', '01:00:0c:00:00:00', ...MACS]) : this.chance.of(MACS);
    return Buffer.concat([macBytes(destination), macBytes(this.chance.of(MACS)), u16(type), behind]);
  }

  /** An EtherType, or a length, and what it says. */
  #typed(depth: number, tags = 0): [number, Buffer] {
    const { chance } = this;
    if (tags < 4 && chance.once(5)) {
      const [type, behind] = this.#typed(depth, tags + 1);
      return [chance.of([0x8100, 0x8100, 0x8100, 0x9100, 0x88a8]), Buffer.concat([u16(chance.of(VLANS) | (chance.below(16) << 12), type), behind])];
    }
    const kind = chance.below(20);
    if (kind < 9) return [0x0800, this.#ip4(depth)];
    if (kind < 14) return [0x86dd, this.#ip6(depth)];
    if (kind < 16) return [0x0806, this.#arp()];
    return chance.of<() => [number, Buffer]>([
      () => [38, Buffer.concat([Buffer.from('424203000000000080', 'hex'), chance.bytes(29)])],
      () => [chance.below(1600), Buffer.concat([Buffer.from('aaaa030000000800', 'hex'), this.#ip4(depth)])],
      () => [0x8847, Buffer.concat([Buffer.from('0000514000', 'hex').subarray(0, 4), this.#ip4(depth)])],
      () => [0x8864, Buffer.concat([Buffer.from('11000001', 'hex'), u16(60), u16(0x21), this.#ip4(depth)])],
      () => [0x6558, this.#ethernet(depth + 1)],
      () => [chance.of([0x88cc, 0x888e, 0x9000, 0x8809, 0x8863, 0x1234, 0x8903, 0x891d, 0x88e7]), chance.bytes(30)],
      () => [0x0800, this.#ip6(depth)],
    ])();
  }

  #arp(): Buffer {
    const { chance } = this;
    const start = chance.once(8) ? chance.of([u16(6, 0x800), u16(1, 0x86dd), u16(3, 0x800)]) : u16(1, 0x800);
    const sizes = chance.once(8) ? chance.bytes(2) : Buffer.from([6, 4]);
    const operation = u16(chance.once(8) ? chance.below(12) : 1 + chance.below(2));
    return Buffer.concat([
      start,
      sizes,
      operation,
      macBytes(chance.of(MACS)),
      ip4Bytes(chance.of(IP4)),
      macBytes(chance.of(MACS)),
      ip4Bytes(chance.of(IP4)),
    ]);
  }

  #ip4(depth: number): Buffer {
    const { chance } = this;
    const [protocol, body] = this.#upper(depth, false);
    const options = chance.once(10)
      ? chance.of([Buffer.from([0x94, 4, 0, 0]), Buffer.from([0x83, 7, 4, 8, 8, 8, 8, 0]), Buffer.alloc(4, 1), Buffer.alloc(8)])
      : Buffer.alloc(0);
    const words = chance.once(40) ? chance.below(16) : 5 + options.length / 4;
    const length = 20 + options.length + body.length + (chance.once(20) ? chance.of([-30, -1, 1, 4, 100]) : 0);
    const fragment = chance.once(12) ? chance.of([0x2000, 0x2001, 0x00b9, 0x8000]) : chance.of([0, 0x4000]);
    return Buffer.concat([
      Buffer.from([(chance.once(60) ? chance.below(16) << 4 : 0x40) | words, chance.of([0, 0, 0xb8, 3])]),
      u16(Math.max(0, chance.once(60) ? 0 : length), chance.of([0, 7, 0xfffe]), fragment),
      Buffer.from([chance.of([1, 64, 128, 255]), protocol]),
      u16(0),
      ip4Bytes(chance.of(IP4)),
      ip4Bytes(chance.of(IP4)),
      options,
      body,
    ]);
  }

  #ip6(depth: number): Buffer {
    const { chance } = this;
    let [next, body] = this.#upper(depth, true);
    while (chance.once(5)) {
      const type = chance.of([0, 0, 0, 43, 44, 60]);
      const first = chance.of([5, 5, 1, 0xc2]);
      const header =
        type === 44
          ? Buffer.concat([Buffer.from([next, 0]), u16(chance.of([0, 1, 8, 0xfff8])), Buffer.alloc(4, 7)])
          : Buffer.from([next, 0, first, 2, 0, 0, 1, 0]);
      [next, body] = [type, Buffer.concat([header, body])];
    }
    const length = body.length + (chance.once(20) ? chance.of([-9, 1, 100]) : 0);
    return Buffer.concat([
      Buffer.from([chance.once(60) ? chance.below(256) : 0x60, chance.of([0, 0, 0x5b])]),
      u16(chance.of([0, 0, 0xabcd]), Math.max(0, chance.once(60) ? 0 : length)),
      Buffer.from([next, chance.of([1, 64, 255])]),
      ip6Bytes(chance.of(IP6)),
      ip6Bytes(chance.of(IP6)),
      body,
    ]);
  }

  #upper(depth: number, is6: boolean): [number, Buffer] {
    const { chance } = this;
    const kind = chance.below(20);
    if (kind < 7) return [6, this.#tcp(depth)];
    if (kind < 13) return [17, this.#udp(depth)];
    if (kind < 16) return is6 ? [58, this.#icmp6(depth)] : [1, this.#icmp(depth)];
    const inner = (): Buffer => this.#inner(depth);
    return chance.of<() => [number, Buffer]>([
      () => [47, Buffer.concat([u16(0, 0x0800), inner()])],
      () => [47, Buffer.concat([u16(0, 0x6558), depth > 1 ? Buffer.alloc(20) : this.#ethernet(depth + 1)])],
      () => [4, inner()],
      () => [41, inner()],
      () => [51, Buffer.concat([Buffer.from([6, 4]), Buffer.alloc(22), this.#tcp(depth)])],
      () => [50, chance.bytes(30)],
      () => [2, Buffer.concat([Buffer.from([0x16, 0, 0, 0]), ip4Bytes('224.0.0.251')])],
      () => [103, Buffer.concat([Buffer.from([0x20 | chance.below(9), 0, 0, 0]), Buffer.alloc(4), inner()])],
      () => [132, Buffer.concat([u16(5000, 5001), chance.bytes(24)])],
      () => [89, chance.bytes(44)],
      () => [chance.of([0, 59, 97, 112, 115, 136, 137, 253]), chance.bytes(24)],
    ])();
  }

  /** An IP packet inside of another. */
  #inner(depth: number): Buffer {
    if (depth > 1) return Buffer.alloc(20, 0x45);
    return this.chance.once(3) ? this.#ip6(depth + 1) : this.#ip4(depth + 1);
  }

  #payload(depth: number): Buffer {
    const { chance } = this;
    const inner = (): Buffer => (depth > 1 ? chance.bytes(14) : this.#ethernet(depth + 1));
    return chance.of<() => Buffer>([
      () => chance.bytes(chance.below(40)),
      () => Buffer.alloc(chance.below(30)),
      () => Buffer.from('GET / HTTP/1.1\r\nHost: a\r\n\r\n'),
      () => Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc'),
      () => Buffer.from('CONNECT a:6653 HTTP/1.1\r\nHost: a\r\n\r\n'),
      () => Buffer.from('HTTP/1.1 200 OK\r\n\r\n'),
      () => Buffer.from('M-SEARCH * HTTP/1.1\r\nST: a\r\n\r\n'),
      () => Buffer.from('1603010005010000010016030300020100', 'hex'),
      () => DNS,
      () => Buffer.concat([u16(DNS.length), DNS]),
      () => OPENFLOW(inner()),
      () => Buffer.concat([Buffer.from('0800000000000500', 'hex'), inner()]),
      () => Buffer.concat([Buffer.from('0000655800000500', 'hex'), inner()]),
      () => Buffer.concat([Buffer.from([0x30, 0xff]), u16(60), Buffer.alloc(4, 1), this.#inner(depth)]),
      () => this.#inner(depth),
      inner,
    ])();
  }

  #tcp(depth: number): Buffer {
    const { chance } = this;
    const words = chance.once(12) ? chance.below(16) : chance.of([5, 5, 8]);
    const options = Buffer.from([2, 4, 5, 0xb4, 1, 3, 3, 7, 4, 2, 0, 0]).subarray(0, Math.max(0, 4 * (words - 5)));
    const flags = (words << 12) | (chance.once(10) ? chance.below(4096) : chance.of([0x02, 0x12, 0x10, 0x18, 0x11, 0x04]));
    return Buffer.concat([
      u16(chance.of(TCP_PORTS), chance.of(TCP_PORTS)),
      chance.bytes(8),
      u16(flags, chance.of([0, 1024, 65535]), 0, chance.of([0, 0, 9])),
      options,
      chance.once(2) ? Buffer.alloc(0) : this.#payload(depth),
    ]);
  }

  #udp(depth: number): Buffer {
    const { chance } = this;
    const payload = chance.once(6) ? Buffer.alloc(0) : this.#payload(depth);
    const length = 8 + payload.length + (chance.once(12) ? chance.of([-9, -8, -1, 1, 20]) : 0);
    return Buffer.concat([u16(chance.of(UDP_PORTS), chance.of(UDP_PORTS), Math.max(0, length), chance.of([0, 0x1234])), payload]);
  }

  #icmp(depth: number): Buffer {
    const { chance } = this;
    const type = chance.of([0, 0, 8, 8, 3, 5, 11, 12, 9, 13, 14, 42]);
    return Buffer.concat([
      Buffer.from([type, chance.below(4)]),
      chance.bytes(6),
      [3, 5, 11, 12].includes(type) ? this.#inner(depth) : chance.bytes(chance.below(60)),
    ]);
  }

  #icmp6(depth: number): Buffer {
    const { chance } = this;
    const type = chance.of([128, 129, 130, 131, 133, 134, 135, 135, 136, 137, 143, 1, 3, 155]);
    const option = chance.of([
      Buffer.alloc(0),
      Buffer.from([1, 1, 2, 0, 0, 0, 0, 1]),
      Buffer.from([14, 1, 2, 0, 0, 0, 0, 1]),
      Buffer.concat([Buffer.from([4, 8, 0, 0, 0, 0, 0, 0]), this.#inner(depth)]),
    ]);
    const body = [135, 136].includes(type)
      ? Buffer.concat([ip6Bytes(chance.of(IP6)), option])
      : type === 133
        ? option
        : type === 134 || type === 137
          ? Buffer.concat([Buffer.alloc(8), option])
          : [1, 3].includes(type)
            ? this.#inner(depth)
            : chance.bytes(chance.below(40));
    return Buffer.concat([Buffer.from([type, 0]), chance.bytes(6), body]);
  }
}
