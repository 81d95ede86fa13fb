/** Worker threads that start while a command still reads its flags, opens its sources and has its filter compiled. */
import { closeSync, openSync, readSync, statSync } from 'node:fs';
import type { Pool } from '../engine/pool.js';
import type { Source } from '../engine/types.js';

/** Threads for a scan of these sources, already starting; undefined where it will not need any. They end with the process. */
export async function startThreads(sources: readonly (Source | object)[]): Promise<Pool | undefined> {
  const { createPool, threadsFor } = await import('../engine/pool.js');
  const { DETECT_BYTES, detectCompression } = await import('../engine/detect.js');
  const head = Buffer.alloc(DETECT_BYTES);

  /** Bytes that are read in ranges; 0 for what is read from front to end, or not at all. */
  const bytesOf = (path: string): number => {
    try {
      const stat = statSync(path);
      if (!stat.isFile()) return 0;
      const fd = openSync(path, 'r');
      try {
        return detectCompression(head.subarray(0, readSync(fd, head, 0, DETECT_BYTES, 0))) === null ? stat.size : 0;
      } finally {
        closeSync(fd);
      }
    } catch {
      return 0; // whoever opens it for the scan says what is wrong
    }
  };

  const bytes = sources
    .map((source) => ('path' in source && typeof source.path === 'string' ? bytesOf(source.path) : 0))
    .reduce((sum, each) => sum + each, 0);
  const threads = bytes === 0 ? 0 : threadsFor(bytes);
  if (threads === 0) return undefined;
  const pool = createPool(threads);
  pool.start();
  return pool;
}
