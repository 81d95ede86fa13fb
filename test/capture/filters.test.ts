/** A filter lets through live what it lets through offline: untagged, tagged and doubly tagged frames, and every kind of filter. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { hasProgram, requireOrSkip } from '../setup/require.js';
import { canCapture, Capture, freshFolder, interfaceStatus, Network, pause, until } from './live.js';
import { programFile } from './program-file.js';
import { numberOf, sealedPackets, upTo } from './segments.js';

const FRAMES = 300;
/** A block of the ring is handed on after a tenth of a second, however little is in it: 16 of them let a busy machine be late. */
const SMALL = ['--ring-bytes', String(16 << 20), '--queue-bytes', String(8 << 20)];

const FILTERS = [
  'ip',
  'ip6',
  'vlan',
  'not vlan',
  'vlan 42',
  'vlan 100',
  'vlan 100 and vlan 42',
  'vlan and vlan and udp src port 1003',
  'vlan 42 and host 10.0.0.1',
  'host 10.0.0.1',
  'dst host 10.0.0.1',
  'net 10.0.0.0/24',
  'udp src port 1003',
  'portrange 1010-1020',
  'ip proto 17',
  'ether src 02:00:00:00:00:01 and vlan',
  'ether proto 0x88a8',
  'ether[14:2] & 0xfff = 42',
  'less 104',
  'greater 108',
  'udp[8] & 1 = 1',
];

const TAGS = [{}, { vlan: 42 }, { vlan: 42, outer: 100 }, { outer: 7 }];

describe.runIf(requireOrSkip('root, network namespaces and tcpdump', canCapture() && hasProgram('tcpdump')))('a live filter', () => {
  it('answers as it does offline', { timeout: 120_000 }, async () => {
    const network = new Network();
    const captures: { filter: string | null; folder: string; capture: Capture }[] = [];
    for (const filter of [null, ...FILTERS]) {
      const folder = freshFolder();
      const program = filter === null ? [] : ['--program', programFile(filter, join(folder, 'program'))];
      captures.push({ filter, folder, capture: await Capture.start(network, folder, ['--interface', 'vb', ...SMALL, ...program]) });
    }
    for (const [sent, tags] of TAGS.entries()) {
      await network.send({ count: FRAMES, first: sent * FRAMES, size: 100, rate: 2000, ...tags });
      // The kernel queues 1,000 frames of a virtual link at most, and every capture looks at each of them.
      await until(async () => (await interfaceStatus(captures[0]!.folder)).packets === (sent + 1) * FRAMES, 30_000);
    }
    await pause(500);
    for (const { capture } of captures) expect(await capture.stop()).toBe(0);
    const stored = (folder: string): number[] => sealedPackets(join(folder, '0-vb')).map(numberOf);
    const all = join(captures[0]!.folder, '0-vb', '0000000000000001.pcapng');
    expect(stored(captures[0]!.folder)).toEqual(upTo(0, 4 * FRAMES));
    let some = 0;
    for (const { filter, folder } of captures.slice(1)) {
      const numbers = stored(folder);
      const wanted = execFileSync('tcpdump', ['-n', '-r', all, '-w', '-', filter!], { stdio: ['ignore', 'pipe', 'ignore'] });
      expect(numbers, filter!).toEqual(pcapNumbers(wanted));
      if (numbers.length > 0 && numbers.length < 4 * FRAMES) some += 1;
    }
    expect(some).toBeGreaterThan(FILTERS.length / 2);
  });
});

/** The numbers in a little-endian pcap. */
function pcapNumbers(pcap: Buffer): number[] {
  const numbers: number[] = [];
  for (let at = 24; at < pcap.length;) {
    const size = pcap.readUInt32LE(at + 8);
    numbers.push(numberOf({ data: pcap.subarray(at + 16, at + 16 + size) }));
    at += 16 + size;
  }
  return numbers;
}
