/** How a file is cut into the ranges that workers scan. */
import type { OutputFormat } from '../native.js';
import { EXTENT_BYTES, LEAST_EXTENT_BYTES } from './limits.js';

/** Bytes of a range: large, but not so large that slots take much memory, or that a thread gets nothing. */
export function extentBytes(sizeBytes: number, format: OutputFormat, threads: number): number {
  let bytes = EXTENT_BYTES;
  const halveIf = (condition: boolean): void => {
    if (condition && bytes > LEAST_EXTENT_BYTES) bytes /= 2;
  };
  halveIf(format.startsWith('pcapng_'));
  halveIf(threads > 2);
  while (bytes > LEAST_EXTENT_BYTES && sizeBytes < 2 * threads * bytes) bytes /= 2;
  return bytes;
}
