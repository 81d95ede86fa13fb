/** What the index of a capture leaves unread: the programs of filters with a host, a port, a tag say what they need. */
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { compileSteelfilter } from '../../../src/filter/steelfilter/steelfilter.js';
import { probeIndex } from '../../../src/native.js';
import { payload, pcapFile } from '../../support/build.js';
import { makeIndex } from '../../support/buffer.js';
import { temporaryFolder } from '../../support/temporary.js';

const COUNT = 4000;
const RARE = [1000, 1001, 3000];
const folder = temporaryFolder();

const u16 = (value: number): number[] => [value >> 8, value & 255];

/** The rare ones are of another host, network, port and tag, some of IPv6; all others are TCP between two hosts. */
function frame(n: number): Buffer {
  const isRare = RARE.includes(n);
  const link = isRare ? [2, 0, 0, 0, 0, 9, 2, 0, 0, 0, 0, 8, 0x88, 0xa8, 0, 7, 0x81, 0, 0xe0, 77] : [2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2];
  const ports = [...u16(isRare ? 4433 : 1024 + (n % 8)), ...u16(80), ...Array<number>(9).fill(0), 0x10];
  if (n === 3000)
    return Buffer.concat([Buffer.from([...link, 0x86, 0xdd, 0x60, 0, 0, 0, 1, 144, 6, 64]), payload(32, 7), Buffer.from(ports), payload(300, n)]);
  const ip = [
    0x45,
    0,
    ...u16(334),
    0,
    0,
    0,
    0,
    64,
    6,
    0,
    0,
    ...(isRare ? [10, 9, 8, 7] : [192, 168, 0, 1]),
    ...(isRare ? [10, 9, 8, 6] : [192, 168, 0, 2]),
  ];
  return Buffer.concat([Buffer.from([...link, 8, 0, ...ip, ...ports]), payload(300, n)]);
}
const v6 = payload(16, 7).toString('hex').match(/..../g)!.join(':');

describe('an index', () => {
  const bytes = pcapFile(Array.from({ length: COUNT }, (_, n) => ({ seconds: 1_600_000_000 + n, fraction: 0, data: frame(n) })));
  makeIndex(folder.write('a.pcap', bytes), bytes.length, join(folder.path, 'a.index'), 5n);
  const fd = openSync(join(folder.path, 'a.index'), 'r');
  afterAll(() => closeSync(fd));
  const skipped = (text: string): number => {
    const { code } = compileSteelfilter(text, 1);
    const answer = probeIndex(fd, 5n, [[{ linkType: 1, code }]], new BigInt64Array(0), {});
    if (typeof answer === 'string') throw new Error(answer);
    return answer.skippedPackets / COUNT;
  };

  it.each([
    'ip.addr == 10.9.8.7',
    'ip.addr == 10.9.8.7 && ip.addr == 10.9.8.6',
    'ip.addr == 10.9.8.7 || ip.addr == 10.77.0.1',
    'src_ip.addr == 10.0.0.0/8',
    `ip.addr == ${v6}`,
    `ip.addr == ${v6} or ip.addr == 10.9.8.7`,
    'tcp.port == 4433',
    'src_tcp.port >= 4430 and src_tcp.port <= 4440',
    'vlan.id == 77',
    'vlan.id == 77 and ip.addr == 10.9.8.7 and tcp.port == 80',
    'eth.addr == 02:00:00:00:00:09 and vlan.id == 77',
    'cli_tcp.ip == 10.9.8.7',
    'srv_tcp.ip == 10.9.8.6 and srv_tcp.port == 80',
    'ip.addr == 10.9.8.7 and not tcp.port == 22',
    'ip.proto == udp',
    'udp.port == 53',
  ])('leaves most unread: %s', (text) => expect(skipped(text)).toBeGreaterThan(0.8));

  it.each(['not ip.addr == 10.9.8.7', 'ip.addr != 10.9.8.7', 'tcp.port == 80'])('must be read whole: %s', (text) => expect(skipped(text)).toBe(0));

  // All but the first block, which describes the interface.
  it('leaves nearly everything unread where a filter can match nothing', () =>
    expect(skipped('udp.port == 1 && tcp.port == 1')).toBeGreaterThan(0.9));
});
