/** Whether a finished segment is what its index says: it opens, its index answers, and blocks have their checksums. */
import { open, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import type { Segment } from '../../buffer/catalog.js';
import { crc32c, lockShared, probeIndex, type BlockSums } from '../../native.js';
import { Breath } from '../pieces.js';
import type { Finding } from './finding.js';

const EVERY_TIME = new BigInt64Array(0);

export interface CheckOptions {
  /** All blocks, as far as the time goes; else the first and the last. */
  isWhole: boolean;
  /** As performance.now() tells. */
  untilMs: number;
  signal: AbortSignal;
}

export async function segmentHolds(folder: string, { id, stem }: Segment, options: CheckOptions): Promise<Finding> {
  const file = await openOrNull(join(folder, `${stem}.pcapng`));
  // Retention may have let go of it since it was listed.
  if (!file) return { ok: 'it is gone meanwhile' };
  try {
    // Held, it stays as long as it is looked at.
    if (!lockShared(file.fd) || (await file.stat()).nlink === 0) return { ok: 'it is gone meanwhile' };
    const sums = await sumsOf(join(folder, `${stem}.index`), id);
    if (typeof sums === 'string') return { failed: sums };
    const { size } = await file.stat();
    if (size < sums.end) return { failed: `it has ${size} bytes, and its index knows ${sums.end}` };
    return await blocksHold(file, sums, options);
  } finally {
    await file.close();
  }
}

interface Indexed {
  sums: BlockSums;
  end: number;
}

/** A sentence where the index is missing or can't be read. */
async function sumsOf(path: string, id: bigint): Promise<Indexed | string> {
  const index = await openOrNull(path);
  if (!index) return 'its index is missing';
  try {
    const answer = probeIndex(index.fd, id, null, EVERY_TIME, { sums: true });
    if (typeof answer === 'string') return `its index can not be used: ${answer}`;
    return answer.sums ? { sums: answer.sums, end: answer.end } : 'its index has no checksums';
  } finally {
    await index.close();
  }
}

async function blocksHold(file: FileHandle, { sums }: Indexed, { isWhole, untilMs, signal }: CheckOptions): Promise<Finding> {
  const breath = new Breath(signal);
  const count = sums.crcs.length;
  // The newest first: of a large one, that is what is most likely asked for.
  const wanted = isWhole ? Array.from({ length: count }, (_, i) => count - 1 - i) : [...new Set([0, count - 1])].filter((i) => i >= 0);
  let checked = 0;
  // One for all: new ones would pile up until they are collected.
  let buffer = Buffer.alloc(0);
  for (const i of wanted) {
    if (checked > 0 && performance.now() >= untilMs) break;
    if (breath.isDue) await breath.take();
    const [start, end] = [sums.bounds[2 * i]!, sums.bounds[2 * i + 1]!];
    const bytes = end - start;
    if (buffer.length < bytes) buffer = Buffer.allocUnsafe(bytes);
    const { bytesRead } = await file.read(buffer, 0, bytes, start);
    if (bytesRead < bytes || crc32c(buffer.subarray(0, bytes), 0) !== sums.crcs[i])
      return { failed: `the block at byte ${start} with ${sums.packets[i]} packets does not have its checksum` };
    checked += 1;
  }
  return { ok: `${checked} of ${count} blocks have their checksums` };
}

async function openOrNull(path: string): Promise<FileHandle | null> {
  try {
    return await open(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
