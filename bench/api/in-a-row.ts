/**
 * Exports in a row in every mode that a client fetches or the server writes, a third of them broken off in mid-stream, and
 * what the server holds before, in the middle and after: descriptors, files, memory.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { BenchRefusal } from '../refusal.js';
import { Connection, create, fetchPackets, remove } from './http.js';

export interface Place {
  address: string;
  /** The server's. */
  dataFolder: string;
  /** A file in it, larger than what the system takes for a client that reads nothing: `fs/admin/big.pcap`. */
  path: string;
}

export interface Holding {
  descriptors: number;
  /** Spools, and files that are being written. */
  files: number;
  residentBytes: number;
  heapBytes: number;
  /** Buffers outside of the heap. */
  externalBytes: number;
}

const SMALL = { stop_rule: { packet_limit: 1000 } };
/** It is broken off behind so many bytes. */
const ENOUGH_BYTES = 100_000;
/** What has ended expires by itself: a third of all is not deleted. */
const EXPIRES = { handle_timeout_msec: 50 };
const SETTLE_MS = 1000;
const SETTLE_TRIES = 20;

/** Resolves to what was held before, after each part of the row, and at its end. */
export async function inARow(place: Place, count: number, parts = 2): Promise<Holding[]> {
  const connection = await Connection.open(place.address);
  try {
    const holdings = [await settled(connection, place)];
    for (let i = 0; i < count; i++) {
      await one(connection, place, i);
      if ((i + 1) % Math.ceil(count / parts) === 0 || i + 1 === count) holdings.push(await settled(connection, place));
    }
    return holdings;
  } finally {
    connection.close();
  }
}

async function one(connection: Connection, { address, path }: Place, i: number): Promise<void> {
  const isBroken = i % 3 === 2;
  const mode = MODES[((i / 3) % MODES.length) | 0]!;
  const isKept = i % 9 < 3;
  const whole = isBroken ? {} : SMALL;
  const file = mode === 'STREAM_TO_FILE' ? { output_filename: '/admin/out.pcap' } : {};
  // One whose client has left waits for another, and does not expire soon.
  const goesByItself = isKept && mode !== 'BUFFER_STREAM';
  const id = await create(connection, { path, mode, ...whole, ...file, ...(goesByItself && EXPIRES) });
  if (mode !== 'STREAM_TO_FILE') {
    const { bytes } = await fetchPackets(address, id, isBroken ? ENOUGH_BYTES : Infinity);
    if (bytes === 0) throw new BenchRefusal(`export ${id} gave no packets`);
  }
  // An export to a file that is deleted at once is broken off as well.
  if (!goesByItself) await remove(connection, id);
}

/** Spools of all that is broken off are written for nothing: there are fewer of them. */
const MODES = ['LEGACY', 'LEGACY', 'STREAM_TO_FILE', 'LEGACY', 'BUFFER_STREAM'] as const;

/** Once everything has ended and expired. */
async function settled(connection: Connection, { dataFolder }: Place): Promise<Holding> {
  for (let left = SETTLE_TRIES; ; left--) {
    await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
    const text = (await connection.ask('GET', '/metrics')).body;
    const of = (name: string): number => Number(new RegExp(`^${name} ([\\d.e+]+)$`, 'm').exec(text)?.[1]);
    const exports = [...text.matchAll(/^spillway_exports\{.*\} (\d+)$/gm)].reduce((sum, [, each]) => sum + Number(each), 0);
    if (exports > 0 && left > 0) continue;
    if (exports > 0) throw new BenchRefusal(`${exports} exports are left though all were deleted, or have expired`);
    return {
      descriptors: of('process_open_fds'),
      files: temporaryFiles(dataFolder),
      residentBytes: of('process_resident_memory_bytes'),
      heapBytes: of('nodejs_heap_size_used_bytes'),
      externalBytes: of('nodejs_external_memory_bytes'),
    };
  }
}

function temporaryFiles(dataFolder: string): number {
  const unfinished = readdirSync(join(dataFolder, 'fs', 'admin')).filter((name) => name.endsWith('.part'));
  return readdirSync(join(dataFolder, 'spool')).length + unfinished.length;
}
