/** STEELFILTER programs against the tests' own dissector and evaluator: filters at random, packets at random, cut at every length. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileSteelfilter } from '../../../src/filter/steelfilter/steelfilter.js';
import { runProgram, verifyProgram } from '../../../src/native.js';
import { holds, valuesOf, type Asked } from './dissect.js';
import { frames, IP4, IP6, LINK_TYPES, MACS, PORTS, PROTOCOLS, VLANS } from './frames.js';

const NETS = [
  '10.0.0.0/8',
  '10.0.0.0/30',
  '192.168.7.8/31',
  '0.0.0.0/0',
  '2001:db8::/32',
  '2001:db8::/33',
  '2001:db8:1::/48',
  'fe80::/10',
  '::/0',
  '2001:db8::2/127',
];
const EQUAL = ['==', '=', '!='];
const ORDER = [...EQUAL, '<', '<=', '>', '>='];
const from = <T>(values: readonly T[]): fc.Arbitrary<T> => fc.constantFrom(...values);
const comparing = (columns: string[], operators: string[], values: string[]): fc.Arbitrary<Asked> =>
  fc.record({ column: from(columns), operator: from(operators), value: from(values) });

const comparison = fc.oneof(
  {
    weight: 4,
    arbitrary: comparing(['ip.addr', 'src_ip.addr', 'dst_ip.addr', 'tcp.ip', 'cli_tcp.ip', 'srv_tcp.ip'], EQUAL, [...IP4, ...IP6, ...NETS]),
  },
  {
    weight: 4,
    arbitrary: comparing(
      ['tcp.port', 'src_tcp.port', 'dst_tcp.port', 'cli_tcp.port', 'srv_tcp.port', 'udp.port', 'src_udp.port', 'dst_udp.port'],
      ORDER,
      PORTS.map(String),
    ),
  },
  comparing(['ip.proto'], ORDER, PROTOCOLS.map(String)),
  comparing(['ip.proto'], EQUAL, ['tcp', 'UDP', 'icmp', 'icmpv6']),
  comparing(['vlan.id'], ORDER, VLANS.map(String)),
  comparing(['eth.addr', 'src_mac.addr', 'dst_mac.addr'], EQUAL, [...MACS, MACS[0]!.replaceAll(':', '-')]),
);
const { asked } = fc.letrec<{ asked: Asked }>((tie) => ({
  asked: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    comparison,
    fc.record({ join: from(['and', 'or'] as const), of: fc.array(tie('asked'), { minLength: 1, maxLength: 4 }) }),
    fc.record({ not: tie('asked') }),
  ),
}));

/** The expression as text, in one of the ways it may be written; `style` says in which. */
function written(expression: Asked, style: number): string {
  const either = <T>(a: T, b: T, bit: number): T => (style & (1 << bit) ? a : b);
  if ('not' in expression) return `${either('!', either('NOT ', 'not ', 0), 1)}(${written(expression.not, style >> 1)})`;
  if ('join' in expression) {
    const word = expression.join === 'and' ? either(' && ', either(' And ', ' and ', 0), 1) : either('||', either(' OR ', ' or ', 0), 1);
    return `(${expression.of.map((each, i) => written(each, style + i)).join(word)})`;
  }
  const { column, operator, value } = expression;
  return [column, operator, either(`"${value}"`, either(`'${value}'`, value, 0), 2)].join(either(' ', '', 1));
}

const accepts = (code: Uint8Array, packet: Uint8Array): boolean => runProgram(code, packet, packet.length) !== 0;

describe.each(LINK_TYPES)('on link type %i', (linkType) => {
  it('programs accept what the evaluator accepts', () => {
    const seen = { true: 0, false: 0 };
    fc.assert(
      fc.property(asked, fc.nat(63), fc.array(frames(linkType), { minLength: 8, maxLength: 12 }), (expression, style, packets) => {
        const text = written(expression, style);
        const { code, rejectsAll } = compileSteelfilter(text, linkType);
        expect(verifyProgram(code)).toBe(null);
        for (const { bytes } of packets) {
          const expected = holds(expression, valuesOf(linkType, bytes));
          seen[`${expected}`] += 1;
          if (accepts(code, bytes) !== expected) throw new Error(`${text} on ${bytes.toString('hex')}: expected ${expected}`);
          if (rejectsAll && expected) throw new Error(`${text} matches, and was said not to`);
        }
      }),
      { numRuns: 300 },
    );
    expect(Math.min(seen.true, seen.false), JSON.stringify(seen)).toBeGreaterThan(300);
  });

  it('a packet that was cut is accepted only where the whole one is, and wherever its headers are whole', () => {
    let accepted = 0;
    fc.assert(
      fc.property(asked, frames(linkType), (expression, { bytes, headerBytes }) => {
        const { code } = compileSteelfilter(written(expression, 0), linkType);
        const whole = accepts(code, bytes);
        let before = false;
        for (let length = 0; length <= headerBytes; length++) {
          const now = accepts(code, bytes.subarray(0, length));
          if (before && !now) throw new Error(`accepted with ${length - 1} bytes of ${bytes.toString('hex')} and not with ${length}`);
          before = now;
        }
        accepted += Number(before);
        expect(before).toBe(whole);
      }),
      { numRuns: 120 },
    );
    expect(accepted).toBeGreaterThan(20);
  });
});

describe('long lists', () => {
  const udp = (source: number, address: number): Buffer => {
    const bytes = Buffer.alloc(28);
    bytes.set([0x45, 0, 0, 28, 0, 0, 0, 0, 64, 17]);
    bytes.writeUInt32BE(address, 12);
    bytes.writeUInt16BE(source, 20);
    bytes.writeUInt16BE(60_000, 22);
    return bytes;
  };
  const dotted = (address: number): string => [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join('.');

  it('of ports, or-ed and refused', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(300), { minLength: 1, maxLength: 150 }), fc.constantFrom(1, 64), (ports, step) => {
        const texts = [
          ports.map((port) => `src_udp.port==${port * step}`).join('||'),
          ports.map((port) => `src_udp.port!=${port * step}`).join('&&'),
        ];
        const [some, none] = texts.map((text) => compileSteelfilter(text, 101).code);
        for (let n = 0; n <= 301; n++) {
          const packet = udp(n * step, 0);
          expect([accepts(some!, packet), accepts(none!, packet)]).toEqual([ports.includes(n), !ports.includes(n)]);
        }
      }),
      { numRuns: 40 },
    );
  });
  it('of hosts and networks, with jumps farther than one instruction reaches', () => {
    const hosts = Array.from({ length: 1000 }, (_, i) => (0x0a000000 + i * 7919) >>> 0);
    const isNet = (host: number): boolean => host % 256 === 0;
    const { code } = compileSteelfilter(hosts.map((host) => `src_ip.addr == ${dotted(host)}${isNet(host) ? '/24' : ''}`).join(' or '), 228);
    const wanted = (address: number): boolean => hosts.some((host) => host === address || (isNet(host) && host === address - (address % 256)));
    expect(code.length / 8).toBeGreaterThan(1000);
    for (const host of hosts)
      for (const near of [-1, 0, 1, 200]) expect(accepts(code, udp(1, host + near)), dotted(host + near)).toBe(wanted(host + near));
  });
});
