/** What the index of a file that is not ours holds for: the file as it was. */
import { createHash } from 'node:crypto';
import { fstatSync, read } from 'node:fs';
import { promisify } from 'node:util';
import { Unchanged } from '../engine/unchanged.js';
import { crc32c } from '../native.js';

/** Both ends of a file, where a capture that is written anew differs from the one before. */
const PROVED_BYTES = 64 << 10;
const MOST_KNOWN = 1000;

export interface Fingerprint {
  id: bigint;
  /** Names the index's file. */
  name: string;
  sizeBytes: number;
}

const readAt = promisify(read);
const known = new Unchanged<Fingerprint>(MOST_KNOWN);

/** Null for what is no regular file. */
export async function fingerprint(fd: number): Promise<Fingerprint | null> {
  const stat = fstatSync(fd, { bigint: true });
  if (!stat.isFile()) return null;
  const before = known.get(stat);
  if (before) return before;
  const { dev, ino, size, mtimeNs, ctimeNs } = stat;
  const sizeBytes = Number(size);
  const crcAt = async (position: number): Promise<number> => {
    const { buffer, bytesRead } = await readAt(fd, Buffer.alloc(PROVED_BYTES), 0, PROVED_BYTES, position);
    return crc32c(buffer.subarray(0, bytesRead), 0);
  };
  const ends = [await crcAt(0), await crcAt(Math.max(0, sizeBytes - PROVED_BYTES))];
  const text = [dev, ino, size, mtimeNs, ctimeNs, ...ends].join(' ');
  const found = { id: createHash('sha256').update(text).digest().readBigUInt64LE(), name: `${dev}-${ino}.index`, sizeBytes };
  known.put(stat, found);
  return found;
}
