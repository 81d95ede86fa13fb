/** Options of a PCAPNG section header (draft-ietf-opsawg-pcapng, 3.5), little-endian, without their end. */

const COMMENT = 1;

/** A comment in front of the options that are there. */
export function withComment(comment: string, options: Uint8Array | null): Uint8Array {
  const text = Buffer.from(comment);
  const head = Buffer.alloc(4 + Math.ceil(text.length / 4) * 4);
  head.writeUInt16LE(COMMENT, 0);
  head.writeUInt16LE(text.length, 2);
  text.copy(head, 4);
  return Buffer.concat([head, options ?? Buffer.alloc(0)]);
}
