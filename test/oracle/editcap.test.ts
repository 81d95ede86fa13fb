/** Our cuts, time windows and formats against editcap's, packet by packet, both as users start them. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ended, spillway } from '../cli/support.js';
import { hasCorpora, hasProgram, requireOrSkip } from '../setup/require.js';
import { corpus } from '../support/corpora.js';
import { readCapture, type ReadPacket } from '../support/reader.js';
import { temporaryFolder } from '../support/temporary.js';

const folder = temporaryFolder();
const ready = requireOrSkip('editcap', hasProgram('editcap')) && requireOrSkip('the corpora', hasCorpora());
const readyForBoth = ready && requireOrSkip('tcpdump', hasProgram('tcpdump'));

/** Both byte orders, both units, both containers, several link types. */
const CAPTURES = [
  'arkime__v6-http.pcap',
  'libpcap__http_PPI.pcap',
  'pcapplusplus__sll.pcap',
  'tcpdump__tcp-handshake-nano.pcap',
  'tcpreplay__test.rewrite_vlan802.1ad.pcap',
  'wireshark__dhcp-nanosecond.pcapng',
  'wireshark__logistics_multicast.pcapng',
];
const FORMATS = [
  { theirs: 'pcap', ours: 'pcap_us' },
  { theirs: 'nsecpcap', ours: 'pcap_ns' },
  { theirs: 'pcapng', ours: 'pcapng_ns' },
];
const cases = CAPTURES.flatMap((name) => FORMATS.map((format) => ({ name, ...format })));

/** editcap reads a time without a zone as local time. */
const env = { ...process.env, TZ: 'UTC' };
const NS = 1_000_000_000n;

async function program(command: string, args: readonly string[]): Promise<Buffer> {
  const end = await ended(spawn(command, args, { env, stdio: ['ignore', 'pipe', 'pipe'] }));
  expect(end.exit, end.stderr).toBe(0);
  return end.stdout;
}

async function byEditcap(name: string, options: readonly string[], to = 'theirs'): Promise<Buffer> {
  const output = join(folder.path, to);
  await program('editcap', [...options, corpus('captures', name), output]);
  return readFileSync(output);
}

async function byUs(name: string, options: readonly string[], to = 'ours'): Promise<Buffer> {
  const output = join(folder.path, to);
  const { exit, stderr } = await spillway(['export', corpus('captures', name), ...options, '-o', output]);
  expect(exit, stderr).toBe(0);
  return readFileSync(output);
}

/** What an export must keep of a packet; where it ends in the file and which number its interface has is up to the writer. */
function essence({ timeNs, caplen, wirelen, linkType, data }: ReadPacket): object {
  return { timeNs, caplen, wirelen, linkType, data: data.toString('hex') };
}

function packets(bytes: Buffer): object[] {
  const { packets, damageAt } = readCapture(bytes);
  expect(damageAt).toBeNull();
  return packets.map(essence);
}

describe.runIf(ready)('editcap', () => {
  it.for(cases)('-s 96 -F $theirs: $name', async ({ name, theirs, ours }) => {
    const expected = packets(await byEditcap(name, ['-s', '96', '-F', theirs]));
    expect(expected.length).toBeGreaterThan(0);
    expect(packets(await byUs(name, ['-s', '96', '-F', ours]))).toEqual(expected);
  });

  // Both ranges include their start and not their end, so edges on packets' own times tell.
  it.for(CAPTURES)('-A and -B: %s', async (name) => {
    const times = readCapture(readFileSync(corpus('captures', name))).packets.map(({ timeNs }) => timeNs!);
    const at = (part: number): bigint => times[Math.floor((times.length - 1) * part)]!;
    const windows = [
      [at(0.25), at(0.75)],
      [at(0.25) + 1n, at(0.75) + 1n],
      [at(0), at(1)],
      [at(0.5) - 1n, at(1) + NS],
    ] as const;
    let kept = 0;
    for (const [from, to] of windows) {
      const expected = packets(await byEditcap(name, ['-A', dateTime(from), '-B', dateTime(to), '-F', 'nsecpcap']));
      const got = packets(await byUs(name, ['--from', `${dateTime(from)}Z`, '--to', `${dateTime(to)}Z`, '-F', 'pcap_ns']));
      expect(got, `${from}..${to}`).toEqual(expected);
      kept += expected.length;
    }
    // The last window holds at least the last packet.
    expect(kept).toBeGreaterThan(0);
  });
});

describe.runIf(readyForBoth)('tcpdump reads our formats as it reads those of editcap', () => {
  it.for(cases)('$theirs: $name', async ({ name, theirs, ours }) => {
    await byEditcap(name, ['-F', theirs], 'theirs.read');
    await byUs(name, ['-F', ours], 'ours.read');
    const read = (file: string): Promise<Buffer> =>
      program('tcpdump', ['-n', '--time-stamp-precision=nano', '-r', join(folder.path, file), '-w', '-']);
    const expected = packets(await read('theirs.read'));
    expect(expected.length).toBeGreaterThan(0);
    expect(packets(await read('ours.read'))).toEqual(expected);
  });
});

/** `2026-05-01T12:00:00.123456789`, in UTC. */
function dateTime(timeNs: bigint): string {
  const seconds = new Date(Number(timeNs / NS) * 1000).toISOString().slice(0, 19);
  return `${seconds}.${String(timeNs % NS).padStart(9, '0')}`;
}
