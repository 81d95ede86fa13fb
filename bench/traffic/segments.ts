/** The traffic of a profile as a day in the buffer of a capture job: finished segments with their indexes, as sealing leaves them. */
import { execFileSync } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { IndexFile } from '../../src/native.js';
import type { TrafficFile } from './cache.js';

const SEGMENT_BYTES = 128 << 20;
const NAME = 'bench';
const DAY_NS = 86_400e9;

/** A host that has packets for a moment only: the share of the time is that of one minute of a day. */
export const BRIEF = { host: '198.51.100.99', word: 0xc6336463, share: 1440n } as const;

export interface SegmentedTraffic {
  /** A data folder with one job. */
  dataFolder: string;
  job: string;
  /** In order of capture. */
  files: string[];
  bytes: number;
  indexBytes: number;
  /** The same packets in one pcap file. */
  pcap: string;
  firstNs: bigint;
  lastNs: bigint;
}

const seconds = (ns: bigint): string => `${ns / 1_000_000_000n}.${String(ns % 1_000_000_000n).padStart(9, '0')}`;

/** Made once beside the traffic. */
export function segmentedTraffic(spillway: string, input: TrafficFile, say: (line: string) => void): SegmentedTraffic {
  const dataFolder = `${input.path}.data`;
  const pcap = `${input.path}.day.pcap`;
  const folder = join(dataFolder, 'buffer', '00000000-0000-4000-8000-000000000001');
  const place = join(folder, '0-eth0');
  if (!existsSync(join(folder, 'job.json'))) {
    say(`${input.label}: making segments`);
    rmSync(dataFolder, { recursive: true, force: true });
    mkdirSync(place, { recursive: true });
    make(spillway, input, place);
    const settings = { interfaces: ['eth0'], filter: null, snapLengthBytes: 0, segmentBytes: 0, retainBytes: 0, retainAgeSeconds: 0, fsync: 'seal' };
    execFileSync(spillway, ['export', ...list(place, '.pcapng'), '-s', '0', '-o', pcap]);
    writeFileSync(join(folder, 'job.json'), JSON.stringify({ version: 1, name: NAME, ...settings }));
  }
  const sizes = (ending: string): number => sum(list(place, ending).map((path) => sizeOf(path)));
  return {
    dataFolder,
    job: NAME,
    files: list(place, '.pcapng'),
    bytes: sizes('.pcapng'),
    indexBytes: sizes('.index'),
    pcap,
    firstNs: input.firstNs,
    lastNs: input.firstNs + BigInt(DAY_NS),
  };
}

function make(spillway: string, input: TrafficFile, place: string): void {
  const { firstNs, lastNs, bytes } = input;
  const count = BigInt(Math.max(2, Math.round(bytes / SEGMENT_BYTES)));
  const span = lastNs + 1n - firstNs;
  const edges = Array.from({ length: Number(count) + 1 }, (_, i) => firstNs + (span * BigInt(i)) / count);
  // In the middle of the second half, between two others.
  const brief = firstNs + (span * 3n) / 4n;
  const windows = edges.slice(0, -1).flatMap((from, i): [bigint, bigint, boolean][] => {
    const to = edges[i + 1]!;
    const end = brief + span / BRIEF.share;
    if (brief < from || end > to) return [[from, to, false]];
    return [[from, brief, false], [brief, end, true], [end, to, false]]; // prettier-ignore
  });
  let id = 0n;
  for (const [from, to, isBrief] of windows) {
    if (from >= to) continue;
    id += 1n;
    const path = join(place, `${String(id).padStart(16, '0')}.pcapng`);
    execFileSync(spillway, ['export', input.path, '--from', seconds(from), '--to', seconds(to), '-F', 'pcapng_ns', '-s', '0', '-o', `${path}.part`]);
    rewrite(`${path}.part`, input, isBrief);
    indexSegment(`${path}.part`, path.replace(/pcapng$/, 'index'), id);
    renameSync(`${path}.part`, path);
  }
}

/** Makes the index of a whole segment, as sealing does. */
export function indexSegment(path: string, indexPath: string, id: bigint): void {
  const fd = openSync(path, 'r');
  try {
    const file = new IndexFile(fd, sizeOf(path), indexPath, id);
    let status = 0;
    while (status === 0) status = file.step(4 << 20);
    if (status !== 1 || file.seal() !== 0) throw new Error(`no index of ${path}`);
  } finally {
    closeSync(fd);
  }
}

/** Spreads the packets over a day from the first on; `isBrief`: gives every IPv4 packet the source address of the brief host. */
function rewrite(path: string, { firstNs, lastNs }: TrafficFile, isBrief: boolean): void {
  const bytes = readFileSync(path);
  const [high, low] = [Number(firstNs >> 32n), Number(firstNs & 0xffffffffn)];
  const factor = DAY_NS / Number(lastNs - firstNs);
  for (let at = 0; at < bytes.length; at += bytes.readUInt32LE(at + 4)) {
    if (bytes.readUInt32LE(at) !== 6) continue;
    // Nanoseconds since the first packet are exact in a double, and so is where they are put back.
    const since = (bytes.readUInt32LE(at + 12) - high) * 2 ** 32 + bytes.readUInt32LE(at + 16) - low;
    const time = low + Math.floor((since * factor) / 1000) * 1000;
    bytes.writeUInt32LE(high + Math.floor(time / 2 ** 32), at + 12);
    bytes.writeUInt32LE(time % 2 ** 32, at + 16);
    let type = at + 28 + 12;
    while (bytes.readUInt16BE(type) === 0x8100) type += 4;
    if (isBrief && bytes.readUInt16BE(type) === 0x0800) bytes.writeUInt32BE(BRIEF.word, type + 2 + 12);
  }
  writeFileSync(path, bytes);
}

const list = (folder: string, ending: string): string[] =>
  readdirSync(folder)
    .filter((name) => name.endsWith(ending))
    .sort()
    .map((name) => join(folder, name));
const sum = (numbers: number[]): number => numbers.reduce((all, each) => all + each, 0);
const sizeOf = (path: string): number => statSync(path).size;
