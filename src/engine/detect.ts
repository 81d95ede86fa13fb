/** Tells compressed sources by their content, never by their name. */

export type Compression = 'gzip' | 'zstd';

/** Bytes that `detectCompression` wants to see. */
export const DETECT_BYTES = 4;

/** RFC 1952 section 2.3.1; RFC 8878 sections 3.1.1 and 3.1.2 (a zstd file may begin with a skippable frame). */
export function detectCompression(head: Uint8Array): Compression | null {
  if (head.length < 2) return null;
  if (head[0] === 0x1f && head[1] === 0x8b) return 'gzip';
  if (head.length < 4) return null;
  const magic = new DataView(head.buffer, head.byteOffset).getUint32(0, true);
  if (magic === 0xfd2fb528 || (magic & 0xfffffff0) >>> 0 === 0x184d2a50) return 'zstd';
  return null;
}
