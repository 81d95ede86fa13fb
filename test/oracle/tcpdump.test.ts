/** tcpdump -r -w and an export in pcap_us write the same file, byte for byte. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SpillwayError } from '../../src/errors.js';
import { hasProgram, requireOrSkip } from '../setup/require.js';
import { request, runExport } from '../support/engine.js';
import { run, samples } from '../support/oracle.js';
import { readCapture } from '../support/reader.js';
import { temporaryFolder } from '../support/temporary.js';

const folder = temporaryFolder();
const files = samples(folder.write);
const FILTERS = [
  '',
  'tcp',
  'udp port 53',
  'ip6',
  'len > 200 and not arp',
  'host 10.0.0.3 or net 192.168.0.0/16',
  'vlan and ip',
  'greater 60 and ip[8] < 64',
];

const RAW = 101;
const OLD_RAW = [12, 14];
const CODES = ['FILTER_INVALID', 'FILTER_LINK_TYPE'];

/** Our file, or the code of the refusal. */
async function ours(path: string, filter: string, limit = 0n): Promise<Buffer | string> {
  const limits = { packets: limit, capturedBytes: 0n, durationNs: 0n };
  try {
    return (await runExport(request(path, { format: 'pcap_us', filters: filter === '' ? [] : [filter], limits }))).bytes;
  } catch (error) {
    if (error instanceof SpillwayError && CODES.includes(error.code)) return error.code;
    throw error;
  }
}

function theirs(path: string, filter: string, args: string[] = []): Buffer | string {
  const to = join(folder.path, 'tcpdump.pcap');
  const { ok, stderr } = run('tcpdump', ['-n', '-r', path, '-w', to, ...args, ...(filter === '' ? [] : [filter])]);
  // A filter that can match nothing is refused by tcpdump, and warned of by us: both give no packet.
  if (!ok) return stderr.includes('rejects all packets') ? 'no packets' : 'refused';
  return readFileSync(to);
}

/**
 * libpcap cuts packets to the snap length of the header, which some writers did not keep to, writes 262144 where the
 * header says 0, and the newer number where it says raw IP with one of the older: these are told apart here, so that all
 * else must be the same byte for byte.
 */
function comparable(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes);
  if (copy.readUInt32LE(16) === 0) copy.writeUInt32LE(262144, 16);
  if (OLD_RAW.includes(copy.readUInt32LE(20))) copy.writeUInt32LE(RAW, 20);
  return copy;
}
const keepsToSnapLength = (path: string): boolean => {
  const { packets, interfaces } = readCapture(readFileSync(path));
  return packets.every((packet) => packet.caplen <= (interfaces[packet.interface]!.snapLength || Infinity));
};

describe.runIf(requireOrSkip('tcpdump', hasProgram('tcpdump')))('tcpdump -r -w', () => {
  const tested = files.filter(([, path]) => keepsToSnapLength(path));

  it('has most files to say something about', () => expect(tested.length).toBeGreaterThan(files.length * 0.9));

  it.each(FILTERS)(
    'writes what we write: "%s"',
    async (filter) => {
      let same = 0;
      for (const [name, path] of tested) {
        const [a, b] = [await ours(path, filter), theirs(path, filter)];
        if (b === 'no packets') expect(typeof a === 'string' || a.length === 24, name).toBe(true);
        else if (b === 'refused') expect(typeof a, `${name}: tcpdump refuses the filter`).toBe('string');
        else expect(comparable(a as Buffer).equals(comparable(b as Buffer)), name).toBe(true);
        same += 1;
      }
      console.log(`tcpdump "${filter}": ${same} files are the same`);
    },
    60_000,
  );

  it('stops after as many packets', async () => {
    for (const [name, path] of tested.slice(0, 20)) {
      const [a, b] = [await ours(path, '', 7n), theirs(path, '', ['-c', '7'])];
      expect(comparable(a as Buffer).equals(comparable(b as Buffer)), name).toBe(true);
    }
  }, 60_000);

  it('reads every format that we write', async () => {
    for (const format of ['pcap_us', 'pcap_ns', 'pcapng_us', 'pcapng_ns'] as const) {
      for (const [name, path] of files.slice(0, 12)) {
        const { bytes, receipt } = await runExport(request(path, { format }));
        const read = run('tcpdump', ['-n', '-r', folder.write('ours', bytes), '--count']);
        expect(read.ok, `${format} ${name}: ${read.stderr}`).toBe(true);
        expect(read.stdout, name).toMatch(new RegExp(`^${receipt.packets_exported} packets?`));
      }
    }
  }, 60_000);
});
