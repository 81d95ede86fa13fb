/** A buffer as large as one likes on a disk that is not: the same packets in every segment, which are links to one file; each has an index of its own. */
import { execFileSync } from 'node:child_process';
import { linkSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TrafficFile } from './cache.js';
import { indexSegment } from './segments.js';

const JOB = { version: 1, name: 'bench', interfaces: ['eth0'], filter: null, snapLengthBytes: 0, segmentBytes: 0, retainBytes: 0 };

export interface LargeBuffer {
  segments: number;
  bytes: number;
}

/** Adds a job of at least `bytes` to a data folder. */
export function largeBuffer(spillway: string, input: TrafficFile, dataFolder: string, bytes: number): LargeBuffer {
  const folder = join(dataFolder, 'buffer', '00000000-0000-4000-8000-000000000001');
  const place = join(folder, '0-eth0');
  mkdirSync(place, { recursive: true });
  const path = (id: number, ending: string): string => join(place, `${String(id).padStart(16, '0')}.${ending}`);
  const first = path(1, 'pcapng');
  execFileSync(spillway, ['export', input.path, '-F', 'pcapng_ns', '-s', '0', '-o', first]);
  const { size } = statSync(first);
  const segments = Math.ceil(bytes / size);
  for (let id = 1; id <= segments; id++) {
    if (id > 1) linkSync(first, path(id, 'pcapng'));
    indexSegment(path(id, 'pcapng'), path(id, 'index'), BigInt(id));
  }
  writeFileSync(join(folder, 'job.json'), JSON.stringify({ ...JOB, retainAgeSeconds: 0, fsync: 'seal' }));
  return { segments, bytes: segments * size };
}
