/** Other people's tools, and the captures that are put before them and us. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { hasCorpora } from '../setup/require.js';
import { NgBlocks, payload, pcapFile, type PcapShape } from './build.js';
import { corpus, table } from './corpora.js';
import { readCapture, type ReadPacket } from './reader.js';

export interface Ran {
  ok: boolean;
  stdout: string;
  stderr: string;
}

/** Runs a tool to its end: UTC, no locale, no configuration of the user's. */
export function run(tool: string, args: string[]): Ran {
  const env = { ...process.env, TZ: 'UTC', LC_ALL: 'C', HOME: '/nonexistent', XDG_CONFIG_HOME: '/nonexistent' };
  const { status, stdout, stderr, error } = spawnSync(tool, args, { env, encoding: 'utf8', maxBuffer: 64 << 20 });
  if (error) throw error;
  return { ok: status === 0, stdout, stderr };
}

/** A frame that filters have something to say about: Ethernet, IPv4 or IPv6, TCP or UDP. */
function frame(n: number): Buffer {
  const isV6 = n % 4 === 3;
  const size = (n * 37) % 400;
  const ports = Buffer.from([0, n % 3 === 0 ? 53 : 80, 0x80 + (n % 100), n % 256, 0, 8 + size, 0, 0]);
  const body = Buffer.concat([ports, payload(size, n)]);
  const protocol = n % 2 ? 17 : 6;
  const v4 = Buffer.from([0x45, 0, 0, 0, 0, n % 256, 0, 0, 64, protocol, 0, 0, 10, 0, 0, n % 20, 10, 0, 1, n % 7]);
  v4.writeUInt16BE(20 + body.length, 2);
  const v6 = Buffer.concat([Buffer.from([0x60, 0, 0, 0, 0, 0, protocol, 64]), payload(32, n % 5)]);
  const type = isV6 ? [0x86, 0xdd] : [8, 0];
  return Buffer.concat([Buffer.from([2, 0, 0, 0, 0, n % 9, 2, 0, 0, 0, 0, 1, ...type]), isV6 ? v6 : v4, body]);
}

/** Some thousand packets; their times step back now and then. */
export function traffic(shape: PcapShape = {}, count = 3000): Buffer {
  const perSecond = shape.nanos ? 1_000_000_000 : 1_000_000;
  return pcapFile(
    Array.from({ length: count }, (_, n) => {
      const data = frame(n);
      const seconds = 1_600_000_000 + Math.floor(n / 100) - (n % 50 === 49 ? 2 : 0);
      return { seconds, fraction: (n * 7_919_993) % perSecond, data, wirelen: data.length + (n % 5 === 0 ? 100 : 0) };
    }),
    shape,
  );
}

export function trafficNg(big: boolean, count = 1000): Buffer {
  const blocks = new NgBlocks(big);
  const parts = [blocks.section('of an oracle'), blocks.interface({ snapLength: 2000, resolution: 9, name: 'eth0' })];
  for (let n = 0; n < count; n++) parts.push(blocks.enhanced({ ticks: 1_600_000_000_000_000_000n + BigInt(n) * 7_919_993n, data: frame(n) }));
  return Buffer.concat(parts);
}

/** The files by name: those built here, and the corpora's captures where they are. */
export function samples(write: (name: string, bytes: Uint8Array) => string): [name: string, path: string][] {
  const own = [
    write('le-us.pcap', traffic()),
    write('be-us.pcap', traffic({ big: true })),
    write('le-ns.pcap', traffic({ nanos: true })),
    write('be-ns.pcap', traffic({ nanos: true, big: true })),
    write('le.pcapng', trafficNg(false)),
    write('be.pcapng', trafficNg(true)),
  ];
  const theirs = hasCorpora() ? table('captures.tsv').map(({ file = '' }) => corpus('captures', file)) : [];
  return [...own, ...theirs].map((path) => [basename(path), path]);
}

/** What makes two packets the same, whatever file they are in. Not the link type: Wireshark has numbers of its own. */
export function plain({ packets }: { packets: ReadPacket[] }): string[] {
  return packets.map(({ timeNs, wirelen, data }) => `${timeNs} ${wirelen} ${data.toString('hex')}`);
}

export const plainFile = (path: string): string[] => plain(readCapture(readFileSync(path)));
