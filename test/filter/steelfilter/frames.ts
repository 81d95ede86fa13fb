/** Packets at random, of few addresses and ports, so that filters have something to find. */
import fc from 'fast-check';

export const IP4 = ['10.0.0.1', '10.0.0.2', '10.1.0.1', '192.168.7.9'];
export const IP6 = ['2001:db8::1', '2001:db8::2', '2001:db8:1::1', 'fe80::a:b'];
export const PORTS = [0, 53, 80, 443, 1024, 50000, 65535];
export const VLANS = [0, 5, 6, 4095];
export const MACS = ['02:00:00:00:00:01', '02:00:00:00:00:02', '02:00:00:01:00:01'];
/** Of these some are extension headers. */
export const PROTOCOLS = [0, 1, 6, 17, 41, 43, 44, 51, 58, 60, 132, 255];
export const LINK_TYPES = [1, 113, 276, 0, 108, 101, 12, 14, 228, 229];

/** A packet, and behind how many of its bytes no header goes on. */
export interface Frame {
  linkType: number;
  bytes: Buffer;
  headerBytes: number;
}

const u16 = (value: number): Buffer => Buffer.from([value >> 8, value & 255]);
const ip4Bytes = (text: string): Buffer => Buffer.from(text.split('.').map(Number));
export const ip6Bytes = (text: string): Buffer => {
  const [head = '', tail = ''] = text.split('::');
  const groups = (half: string): string[] => (half === '' ? [] : half.split(':'));
  const zeros = Array<string>(8 - groups(head).length - groups(tail).length).fill('0');
  return Buffer.from([...groups(head), ...zeros, ...groups(tail)].map((group) => group.padStart(4, '0')).join(''), 'hex');
};
const macBytes = (text: string): Buffer => Buffer.from(text.replaceAll(':', ''), 'hex');

const from = <T>(values: readonly T[]): fc.Arbitrary<T> => fc.constantFrom(...values);
const PAYLOAD = Buffer.alloc(40, 0xa5);

/** TCP's flags stand where other protocols have something else. */
const transport = fc
  .record({ source: from(PORTS), destination: from(PORTS), flags: from([0, 0x02, 0x12, 0x10, 0x18, 0xff]) })
  .map(({ source, destination, flags }) => Buffer.concat([u16(source), u16(destination), Buffer.alloc(9), Buffer.from([flags])]));

const offsets = from([0, 0, 0, 0x2000, 0x0001, 0x1fff, 0x4000]);
const ip4 = fc
  .record({
    source: from(IP4),
    destination: from(IP4),
    protocol: from(PROTOCOLS),
    words: from([5, 5, 5, 6, 15, 0, 2]),
    fragment: offsets,
    body: transport,
  })
  .map(({ source, destination, protocol, words, fragment, body }) => {
    const fixed = Buffer.concat([
      Buffer.from([0x40 | words, 0, 0, 0, 0, 0]),
      u16(fragment),
      Buffer.from([64, protocol, 0, 0]),
      ip4Bytes(source),
      ip4Bytes(destination),
    ]);
    return Buffer.concat([fixed, Buffer.alloc(Math.max(0, 4 * words - 20)), body]);
  });

interface Extension {
  type: number;
  /** Of a fragment header: its offset and flags; of others: how many bytes more than eight, by eight. */
  value: number;
}
const extension: fc.Arbitrary<Extension> = fc.oneof(
  fc.record({ type: from([0, 43, 60]), value: fc.nat(3) }),
  fc.record({ type: fc.constant(44), value: from([0, 1, 8, 0xfff8]) }),
);
const ip6 = fc
  .record({
    source: from(IP6),
    destination: from(IP6),
    // What is no extension header: these are whole.
    protocol: from(PROTOCOLS.filter((number) => ![0, 43, 44, 60].includes(number))),
    extensions: fc.oneof({ weight: 2, arbitrary: fc.constant<Extension[]>([]) }, { weight: 3, arbitrary: fc.array(extension, { maxLength: 7 }) }),
    body: transport,
  })
  .map(({ source, destination, protocol, extensions, body }) => {
    const types = [...extensions.map(({ type }) => type), protocol];
    const headers = extensions.map(({ type, value }, i) => {
      const next = types[i + 1]!;
      if (type === 44) return Buffer.concat([Buffer.from([next, 0xff]), u16(value), Buffer.alloc(4)]);
      return Buffer.concat([Buffer.from([next, value]), Buffer.alloc(6 + 8 * value)]);
    });
    return Buffer.concat([Buffer.from([0x60, 0, 0, 0, 0, 0, types[0]!, 64]), ip6Bytes(source), ip6Bytes(destination), ...headers, body]);
  });
const arp = fc
  .record({ source: from(IP4), destination: from(IP4) })
  .map(({ source, destination }) => Buffer.concat([Buffer.alloc(14), ip4Bytes(source), Buffer.alloc(6), ip4Bytes(destination)]));

interface Layer {
  type: number;
  bytes: Buffer;
}
const layer = fc.oneof(
  { weight: 4, arbitrary: ip4.map((bytes): Layer => ({ type: 0x0800, bytes })) },
  { weight: 4, arbitrary: ip6.map((bytes): Layer => ({ type: 0x86dd, bytes })) },
  { weight: 1, arbitrary: arp.map((bytes): Layer => ({ type: typeFor(bytes), bytes })) },
);
/** ARP, or something that no one knows, with the same bytes. */
function typeFor(bytes: Buffer): number {
  return bytes[17]! % 2 === 0 ? 0x0806 : 0x1234;
}

const tags = fc.array(fc.record({ type: from([0x8100, 0x88a8, 0x9100]), id: from(VLANS), priority: from([0, 0x6000, 0xf000]) }), { maxLength: 3 });

function behindTags(linkType: number): fc.Arbitrary<Frame> {
  return fc.record({ layer, tags, source: from(MACS), destination: from(MACS) }).map((given) => {
    const types = [...given.tags.map(({ type }) => type), given.layer.type];
    const inner = given.tags.map(({ id, priority }, i) => Buffer.concat([u16(priority | id), u16(types[i + 1]!)]));
    const first = u16(types[0]!);
    const link = {
      1: [macBytes(given.destination), macBytes(given.source), first],
      113: [Buffer.from([0, 0, 0, 1, 0, 6]), macBytes(given.source), Buffer.alloc(2), first],
    }[linkType] ?? [first, Buffer.alloc(18)];
    return frame(linkType, Buffer.concat([...link, ...inner, given.layer.bytes]));
  });
}

function frame(linkType: number, headers: Buffer): Frame {
  return { linkType, bytes: Buffer.concat([headers, PAYLOAD]), headerBytes: headers.length };
}

const FAMILIES = [2, 10, 24, 28, 30, 7];

/** A packet of the link type. */
export function frames(linkType: number): fc.Arbitrary<Frame> {
  if ([1, 113, 276].includes(linkType)) return behindTags(linkType);
  const bytes = layer.map((each) => each.bytes);
  if (linkType === 228) return ip4.map((each) => frame(linkType, each));
  if (linkType === 229) return ip6.map((each) => frame(linkType, each));
  if (linkType !== 0 && linkType !== 108) return bytes.map((each) => frame(linkType, each));
  return fc.record({ layer, family: from(FAMILIES), isBig: fc.boolean(), isTrue: fc.boolean() }).map((given) => {
    const right = given.layer.type === 0x0800 ? 2 : given.layer.type === 0x86dd ? 30 : 7;
    const value = given.isTrue ? right : given.family === 2 ? 7 : given.family;
    const family = given.isBig ? [0, 0, 0, value] : [value, 0, 0, 0];
    // An IPv4 packet under the number of IPv6 is read as IPv6: only whole ones are wanted here.
    const fits = (value === 2) === (given.layer.type === 0x0800) && [10, 24, 28, 30].includes(value) === (given.layer.type === 0x86dd);
    return frame(linkType, Buffer.concat([Buffer.from(fits ? family : [0, 0, 0, 7]), given.layer.bytes]));
  });
}
