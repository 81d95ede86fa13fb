/** Traffic files on disk, made once for each profile, seed and length, and read into the page cache before they are measured. */
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statfsSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { BenchRefusal } from '../refusal.js';
import { generate, type TrafficFacts, type TrafficRequest } from './generate.js';
import { TRAFFIC_REVISION } from './profile.js';

export interface TrafficFile extends TrafficFacts {
  path: string;
  /** Short words for tables: profile and size. */
  label: string;
}

/** The disk keeps this much free besides the file. */
const SPARE_BYTES = 256 << 20;
const WARM_BUFFER_BYTES = 8 << 20;

export const mebibytes = (bytes: number): string => `${Math.round(bytes / (1 << 20))} MiB`;

/** The cached file, or a new one; `say` hears of the making. */
export function trafficFile(dir: string, request: TrafficRequest, say: (line: string) => void): TrafficFile {
  const { profile, seed, bytes } = request;
  const path = join(dir, `${profile}-r${TRAFFIC_REVISION}-s${seed}-${bytes}.pcap`);
  const label = `${profile} ${mebibytes(bytes)}`;
  const cached = readFacts(path);
  if (cached !== null) return { path, label, ...cached };
  mkdirSync(dir, { recursive: true });
  const free = freeBytes(dir);
  if (free < bytes + SPARE_BYTES) {
    throw new BenchRefusal(
      `${dir} has ${mebibytes(free)} free and ${label} of traffic needs ${mebibytes(bytes + SPARE_BYTES)}; name another folder with --dir.`,
    );
  }
  const started = performance.now();
  const facts = make(path, request);
  const seconds = (performance.now() - started) / 1000;
  say(`made ${path}: ${facts.packets} packets, ${Math.round(facts.bytes / 1e6 / seconds)} MB/s`);
  return { path, label, ...facts };
}

function freeBytes(dir: string): number {
  const { bavail, bsize } = statfsSync(dir);
  return bavail * bsize;
}

function make(path: string, request: TrafficRequest): TrafficFacts {
  const part = `${path}.part`;
  const fd = openSync(part, 'w');
  try {
    const facts = generate(request, (piece) => {
      for (let done = 0; done < piece.length;) done += writeSync(fd, piece, done);
    });
    renameSync(part, path);
    writeFileSync(
      `${path}.json`,
      JSON.stringify(facts, (_, value: unknown) => (typeof value === 'bigint' ? value.toString() : value)),
    );
    return facts;
  } catch (error) {
    rmSync(part, { force: true });
    throw error;
  } finally {
    closeSync(fd);
  }
}

/** The facts beside a whole file, or null where there is none. */
function readFacts(path: string): TrafficFacts | null {
  if (!existsSync(path) || !existsSync(`${path}.json`)) return null;
  const facts = JSON.parse(readFileSync(`${path}.json`, 'utf8')) as Omit<TrafficFacts, 'firstNs' | 'lastNs'> & { firstNs: string; lastNs: string };
  if (statSync(path).size !== facts.bytes) return null;
  return { ...facts, firstNs: BigInt(facts.firstNs), lastNs: BigInt(facts.lastNs) };
}

/** Reads the whole file once, so that no measurement waits for the disk. */
export function warm(path: string): void {
  const buffer = Buffer.allocUnsafeSlow(WARM_BUFFER_BYTES);
  const fd = openSync(path, 'r');
  try {
    while (readSync(fd, buffer) > 0);
  } finally {
    closeSync(fd);
  }
}
