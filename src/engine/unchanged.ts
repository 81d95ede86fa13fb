/**
 * What was learnt of files, for as long as they are what they were: the same device, inode, size, and times of modification
 * and change. Of a file that changed a moment ago nothing is kept: it could change again without a new time.
 */
import type { BigIntStats } from 'node:fs';

/** Coarser than any file system's clock in use (FAT: two seconds). */
const SETTLED_MS = 3000n;
const NS_PER_MS = 1_000_000n;

export class Unchanged<T> {
  readonly #known = new Map<string, T>();

  constructor(private readonly most: number) {}

  get(stat: BigIntStats): T | undefined {
    return this.#known.get(keyOf(stat));
  }

  /** `stat`: taken before the file was looked at. */
  put(stat: BigIntStats, value: T): void {
    const changedNs = stat.mtimeNs > stat.ctimeNs ? stat.mtimeNs : stat.ctimeNs;
    if (changedNs / NS_PER_MS + SETTLED_MS > BigInt(Date.now())) return;
    if (this.#known.size >= this.most) {
      const [oldest] = this.#known.keys();
      this.#known.delete(oldest!);
    }
    this.#known.set(keyOf(stat), value);
  }
}

const keyOf = ({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string => `${dev} ${ino} ${size} ${mtimeNs} ${ctimeNs}`;
