/** A STEELFILTER and the BPF expression that means the same let the same packets through, in captures from everywhere. */
import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { FilterCompiler } from '../../src/filter/compile.js';
import { compileSteelfilter } from '../../src/filter/steelfilter/steelfilter.js';
import { valuesOf } from '../filter/steelfilter/dissect.js';
import { LINK_TYPES } from '../filter/steelfilter/frames.js';
import { hasProgram, requireOrSkip } from '../setup/require.js';
import { FilteredFile } from '../support/matches.js';
import { samples } from '../support/oracle.js';
import { readCapture } from '../support/reader.js';
import { temporaryFolder } from '../support/temporary.js';

const folder = temporaryFolder();
const compiler = new FilterCompiler();
afterAll(() => compiler.close());

/** libpcap looks at no port or protocol behind extension headers: packets that have some are compared no further. */
const EXTENDED = '(ip6 and (ip6[6] = 0 or ip6[6] = 43 or ip6[6] = 44 or ip6[6] = 60))';

/** The expression at every depth of tags: behind `vlan`, libpcap reads all that follows four bytes later. */
const atDepths = (linkType: number, text: string): string => (linkType === 1 ? `(${text}) or (vlan and ((${text}) or (vlan and (${text}))))` : text);

const host = (side: string, address: string): string => `${address.includes(':') ? 'ip6' : 'ip'} ${side}host ${address}`;

/** Pairs of a STEELFILTER and what libpcap calls it, about what a capture holds most of. */
function pairs(
  [a = '10.0.0.1', b = '10.0.0.2']: string[],
  [p = '80', q = '53']: string[],
  [mac = '02:00:00:00:00:01']: string[],
): [string, string][] {
  const net = a.includes(':') ? null : `${a.split('.')[0]}.0.0.0/8`;
  return [
    [`ip.addr == ${a}`, host('', a)],
    [`ip.addr == ${a} && ip.addr == ${b}`, `${host('', a)} and ${host('', b)}`],
    [`src_ip.addr == ${a} or dst_ip.addr == ${b}`, `${host('src ', a)} or ${host('dst ', b)}`],
    [`ip.addr != ${a}`, `(ip or ip6) and not ${host('', a)}`],
    ...(net ? [[`dst_ip.addr == ${net}`, `ip and dst net ${net}`] as [string, string]] : []),
    [`tcp.port == ${p}`, `tcp port ${p}`],
    [`udp.port == ${p} or udp.port == ${q}`, `udp port ${p} or udp port ${q}`],
    [`src_tcp.port == ${p}`, `tcp src port ${p}`],
    [`dst_udp.port == ${q}`, `udp dst port ${q}`],
    [`src_tcp.port < 1024 and dst_tcp.port >= 1024`, 'tcp src portrange 0-1023 and tcp dst portrange 1024-65535'],
    [`ip.addr == ${a} and not tcp.port == ${p}`, `${host('', a)} and not tcp port ${p}`],
    ['ip.proto == udp', 'ip proto 17 or ip6 proto 17'],
    ['ip.proto == icmpv6 or ip.proto == icmp', 'ip proto 58 or ip6 proto 58 or ip proto 1 or ip6 proto 1'],
    [`tcp.ip == ${a}`, `tcp and ${host('', a)}`],
    ...([
      [`eth.addr == ${mac}`, `ether host ${mac}`],
      [`dst_mac.addr != ${mac}`, `not ether dst ${mac}`],
      ['vlan.id <= 4095', 'vlan'],
    ] as [string, string][]),
  ];
}

/** The most frequent values of a column. */
function frequent(path: string, linkType: number, columns: string[], form: (hex: string) => string): string[] {
  const counts = new Map<string, number>();
  for (const { data } of readCapture(readFileSync(path)).packets.slice(0, 2000)) {
    try {
      const values = valuesOf(linkType, data);
      for (const value of columns.flatMap((column) => values.get(column) ?? [])) counts.set(value, (counts.get(value) ?? 0) + 1);
    } catch {
      continue; // A packet that was cut in its headers.
    }
  }
  return [...counts].sort((a, b) => b[1] - a[1]).map(([value]) => form(value));
}
const pairsOfDigits = (hex: string): string => hex.match(/../g)!.join(':');
const address = (hex: string): string => (hex.length === 8 ? [...Buffer.from(hex, 'hex')].join('.') : hex.match(/..../g)!.join(':'));

describe.runIf(requireOrSkip('tcpdump', hasProgram('tcpdump')))('libpcap and STEELFILTER', () => {
  it('agree on what means the same', async () => {
    let compared = 0;
    let matched = 0;
    for (const [name, path] of samples(folder.write)) {
      const file = new FilteredFile(path);
      const { linkType } = file;
      try {
        if (!LINK_TYPES.includes(linkType)) continue;
        const ours = (text: string): number[] => file.matches(compileSteelfilter(text, linkType).code);
        const theirs = async (text: string): Promise<number[]> => file.matches((await compiler.compile(atDepths(linkType, text), linkType)).code);
        const extended = new Set(await theirs(EXTENDED));
        const addresses = frequent(path, linkType, ['ip.addr'], address);
        const ports = frequent(path, linkType, ['tcp.port', 'udp.port'], String);
        const macs = frequent(path, linkType, ['eth.addr'], pairsOfDigits);
        for (const [steel, bpf] of pairs(addresses, ports, macs)) {
          if (linkType !== 1 && /ether|vlan/.test(bpf)) continue;
          const plain = (numbers: number[]): number[] => (/port|proto/.test(bpf) ? numbers.filter((n) => !extended.has(n)) : numbers);
          const mine = plain(ours(steel));
          expect(mine, `${name}: ${steel}`).toEqual(
            plain(bpf === 'vlan' ? file.matches((await compiler.compile('vlan', 1)).code) : await theirs(bpf)),
          );
          compared += 1;
          matched += mine.length;
        }
      } finally {
        file.close();
      }
    }
    console.log(`STEELFILTER and BPF: ${compared} pairs agree, on ${matched} packets let through`);
    expect(compared).toBeGreaterThan(80);
    expect(matched).toBeGreaterThan(10_000);
  });
});
