/**
 * The sample capture of a new data folder: one minute in a small network, the same bytes every time, so that an export
 * works before anything was captured. Addresses are those kept for documentation (RFC 5737).
 */
import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { partName } from './part-files.js';
import { TCP, arp, echo, host, tcp, udp, type Host } from './sample-packets.js';

export const SAMPLE_NAME = 'sample.pcap';

/** 2026-11-20T09:00:00Z. */
const START_SECONDS = 1_795_165_200;

interface Packet {
  /** After the start. */
  atUs: number;
  bytes: Buffer;
}

const gateway = host('192.0.2.1', 0x01);
const resolver = host('192.0.2.53', 0x53);
const clients = [host('192.0.2.10', 0x10), host('192.0.2.11', 0x11), host('192.0.2.12', 0x12)];
/** Beyond the gateway, so their frames carry its address on the link. */
const remote = (ip: string): Host => ({ ...host(ip, 0), mac: gateway.mac });
const web = remote('198.51.100.20');
const secure = remote('203.0.113.80');

/** Writes `sample.pcap` into `folder`, whole or not at all. */
export async function writeSample(folder: string): Promise<void> {
  const part = join(folder, partName());
  await writeFile(part, sampleCapture(), { mode: 0o600, flag: 'wx' });
  await rename(part, join(folder, SAMPLE_NAME));
}

/** The capture: pcap, microseconds, little-endian, Ethernet. */
export function sampleCapture(): Buffer {
  const packets = clients.flatMap((client, i) => [
    ...resolution(client, i),
    ...pings(client, i),
    ...Array.from({ length: 4 }, (_, visit) => conversation(client, web, 80, i * 4 + visit)).flat(),
    ...Array.from({ length: 5 }, (_, visit) => conversation(client, secure, 443, 12 + i * 5 + visit)).flat(),
  ]);
  packets.sort((a, b) => a.atUs - b.atUs);
  const header = Buffer.alloc(24);
  header.writeUInt32LE(0xa1b2c3d4, 0);
  header.writeUInt16LE(2, 4);
  header.writeUInt16LE(4, 6);
  header.writeUInt32LE(262144, 16);
  header.writeUInt32LE(1, 20);
  return Buffer.concat([header, ...packets.flatMap(record)]);
}

function record({ atUs, bytes }: Packet): Buffer[] {
  const head = Buffer.alloc(16);
  head.writeUInt32LE(START_SECONDS + Math.floor(atUs / 1e6), 0);
  head.writeUInt32LE(atUs % 1e6, 4);
  head.writeUInt32LE(bytes.length, 8);
  head.writeUInt32LE(bytes.length, 12);
  return [head, bytes];
}

/** Who is the gateway, and what is the address of the server: every ten seconds. */
function resolution(client: Host, index: number): Packet[] {
  return Array.from({ length: 6 }, (_, round) => {
    const at = round * 10e6 + index * 700_003;
    const ports: [number, number] = [40_000 + round * 10 + index, 53];
    const [question, answer] = lookup(0x1000 + round * 16 + index);
    return [
      { atUs: at, bytes: arp(client, null, gateway) },
      { atUs: at + 311, bytes: arp(gateway, client, client) },
      { atUs: at + 1_204, bytes: udp(client, resolver, ports, question) },
      { atUs: at + 9_877, bytes: udp(resolver, client, [ports[1], ports[0]], answer) },
    ];
  }).flat();
}

/** A DNS question for www.example.com and its answer (RFC 1035). */
function lookup(id: number): [Buffer, Buffer] {
  const name = Buffer.from('\x03www\x07example\x03com\0', 'latin1');
  const head = (flags: number, answers: number): Buffer => Buffer.from([id >> 8, id & 0xff, flags >> 8, flags & 0xff, 0, 1, 0, answers, 0, 0, 0, 0]);
  const asked = Buffer.concat([name, Buffer.from([0, 1, 0, 1])]);
  const address = Buffer.concat([Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 1, 44, 0, 4]), web.ip]);
  return [Buffer.concat([head(0x0100, 0), asked]), Buffer.concat([head(0x8180, 1), asked, address])];
}

function pings(client: Host, index: number): Packet[] {
  const data = Buffer.from(Array.from({ length: 48 }, (_, i) => i));
  return Array.from({ length: 10 }, (_, round) => {
    const at = round * 5e6 + 2e6 + index * 330_017;
    return [
      { atUs: at, bytes: echo(client, gateway, false, 0x0100 + index, round + 1, data) },
      { atUs: at + 842, bytes: echo(gateway, client, true, 0x0100 + index, round + 1, data) },
    ];
  }).flat();
}

/** One TCP connection from SYN to FIN: a request and a response of one to eight segments. */
function conversation(client: Host, server: Host, port: number, index: number): Packet[] {
  const ports: [number, number] = [50_000 + index, port];
  const packets: Packet[] = [];
  let at = 1e6 + index * 2_083_331;
  let mine = 1_000_000 + index * 77_777;
  let theirs = 3_000_000 + index * 55_555;
  const up = (flags: number, data: Buffer = Buffer.alloc(0)): void => {
    packets.push({ atUs: (at += 1_371), bytes: tcp(client, server, ports, flags, mine, flags === TCP.SYN ? 0 : theirs, data) });
    mine += data.length + (flags & (TCP.SYN | TCP.FIN) ? 1 : 0);
  };
  const down = (flags: number, data: Buffer = Buffer.alloc(0)): void => {
    packets.push({ atUs: (at += 14_923), bytes: tcp(server, client, [ports[1], ports[0]], flags, theirs, mine, data) });
    theirs += data.length + (flags & (TCP.SYN | TCP.FIN) ? 1 : 0);
  };
  up(TCP.SYN);
  down(TCP.SYN | TCP.ACK);
  up(TCP.ACK);
  up(TCP.PSH | TCP.ACK, port === 80 ? Buffer.from(`GET /page/${index} HTTP/1.1\r\nHost: www.example.com\r\n\r\n`) : noise(517, index));
  const segments = 1 + (index % 8);
  if (port === 80) down(TCP.PSH | TCP.ACK, Buffer.from(`HTTP/1.1 200 OK\r\nContent-Length: ${segments * 1200}\r\n\r\n`));
  for (let i = 0; i < segments; i++) down(TCP.PSH | TCP.ACK, noise(1200, index * 8 + i));
  up(TCP.ACK);
  up(TCP.FIN | TCP.ACK);
  down(TCP.FIN | TCP.ACK);
  up(TCP.ACK);
  return packets;
}

/** Bytes that look encrypted, the same for the same seed. */
function noise(length: number, seed: number): Buffer {
  const bytes = Buffer.alloc(length);
  let state = (seed * 2_654_435_761 + 1) >>> 0;
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[i] = state >>> 24;
  }
  return bytes;
}
