/** Our export against `tcpdump -r FILE -w - FILTER`, byte for byte, both as users start them. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ended, spillway, type Ended } from '../cli/support.js';
import { hasCorpora, hasProgram, requireOrSkip } from '../setup/require.js';
import { corpus } from '../support/corpora.js';
import { readCapture } from '../support/reader.js';
import { temporaryFolder } from '../support/temporary.js';

const folder = temporaryFolder();
const ready = requireOrSkip('tcpdump', hasProgram('tcpdump')) && requireOrSkip('the corpora', hasCorpora());

/** Little-endian pcap with microseconds, as tcpdump writes it here. */
const CAPTURES = [
  'arkime__80211http.pcap',
  'arkime__http2-nghttp2.pcap',
  'arkime__modbus.pcap',
  'arkime__mqtt_synthetic.pcap',
  'arkime__v6-http.pcap',
  'libpcap__geneve.pcap',
  'libpcap__http_PPI.pcap',
  'ndpi__ocs.pcap',
  'ndpi__sip.pcap',
  'pcapplusplus__DnsPackets.pcap',
  'pcapplusplus__four_ipv6_http_streams.pcap',
  'pcapplusplus__sll.pcap',
  'suricata-verify__decode-teredo-01.pcap',
  'tcpdump__OSPFv3_NBMA_adjacencies.pcap',
  'zeek__llc.pcap',
  'zeek__nflog-http.pcap',
  'zeek__pppoe-over-qinq.pcap',
];
const FILTERS = [null, 'tcp', 'udp port 53', 'ip6', 'greater 200'];

const LINK_TYPE_AT = 20;
const HEADER_BYTES = 24;
/**
 * Link type 12 is raw IP on most systems and was never registered: libpcap reads it as raw IP and writes the
 * registered 101, while an export keeps the number it found.
 */
const RENUMBERED = new Map([['pcapplusplus__four_ipv6_http_streams.pcap', { ours: 12, theirs: 101 }]]);

/** What tcpdump says where it refuses a filter: our answer is a refusal too, or no packet. */
const NO_SUCH_LINK_FILTER = 'link-layer type filtering not implemented';
const REJECTS_ALL = 'expression rejects all packets';
const refused: string[] = [];
/** Packets both kept, by filter. */
const kept = new Map<string | null, number>();

function tcpdump(file: string, filter: string | null): Promise<Ended> {
  const args = ['-n', '-r', file, '-w', '-', ...(filter === null ? [] : [filter])];
  return ended(spawn('tcpdump', args, { stdio: ['ignore', 'pipe', 'pipe'] }));
}

async function compare(name: string, filter: string | null): Promise<void> {
  const file = corpus('captures', name);
  const output = join(folder.path, `${name}.${FILTERS.indexOf(filter)}`);
  const theirs = await tcpdump(file, filter);
  const ours = await spillway(['export', file, ...(filter === null ? [] : ['-f', filter]), '-o', output]);
  if (theirs.exit !== 0) {
    refused.push(`${name}: ${filter}`);
    if (theirs.stderr.includes(REJECTS_ALL)) {
      expect(ours.exit, ours.stderr).toBe(0);
      expect(readFileSync(output)).toHaveLength(HEADER_BYTES);
    } else {
      expect(theirs.stderr).toContain(NO_SUCH_LINK_FILTER);
      expect(ours.exit).toBe(1);
      expect(ours.stderr).toContain(`${NO_SUCH_LINK_FILTER} [FILTER_LINK_TYPE]`);
    }
    return;
  }
  expect(ours.exit, ours.stderr).toBe(0);
  const wrote = readFileSync(output);
  const renumbered = RENUMBERED.get(name);
  if (renumbered) {
    expect(wrote.readUInt32LE(LINK_TYPE_AT)).toBe(renumbered.ours);
    expect(theirs.stdout.readUInt32LE(LINK_TYPE_AT)).toBe(renumbered.theirs);
    wrote.writeUInt32LE(renumbered.theirs, LINK_TYPE_AT);
  }
  const packets = (bytes: Buffer): number => readCapture(bytes).packets.length;
  expect(packets(wrote)).toBe(packets(theirs.stdout));
  expect(wrote.equals(theirs.stdout), `${name} ${filter}`).toBe(true);
  kept.set(filter, (kept.get(filter) ?? 0) + packets(wrote));
}

describe.runIf(ready)('an export is what tcpdump writes', () => {
  it.for(CAPTURES)('%s', async (name) => {
    for (const filter of FILTERS) await compare(name, filter);
  });

  it('and the comparison was worth something', () => {
    for (const filter of FILTERS) expect(kept.get(filter), String(filter)).toBeGreaterThan(0);
    expect(refused).toEqual([
      'arkime__mqtt_synthetic.pcap: ip6',
      'zeek__nflog-http.pcap: tcp',
      'zeek__nflog-http.pcap: udp port 53',
      'zeek__nflog-http.pcap: ip6',
    ]);
  });
});
