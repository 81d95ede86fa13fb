/** The fixed form for oracles (output format `records`): what the scan loop itself makes of each packet it lets through. */

export const RECORD_HEADER_BYTES = 48;

export interface Record48 {
  /** In the source, from 1. */
  number: number;
  seconds: bigint;
  nanos: bigint;
  caplen: number;
  wirelen: number;
  linkType: number;
  interface: number;
  hasTime: boolean;
  data: Buffer;
}

export function* records(bytes: Uint8Array): Generator<Record48> {
  const all = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 0; at < all.length;) {
    const caplen = all.readUInt32LE(at + 24);
    const end = at + RECORD_HEADER_BYTES + caplen;
    if (end > all.length) throw new Error(`the records end inside the one at ${at}`);
    yield {
      number: Number(all.readBigUInt64LE(at)),
      seconds: all.readBigInt64LE(at + 8),
      nanos: all.readBigUInt64LE(at + 16),
      caplen,
      wirelen: all.readUInt32LE(at + 28),
      linkType: all.readUInt32LE(at + 32),
      interface: all.readUInt32LE(at + 36),
      hasTime: (all.readUInt32LE(at + 40) & 1) === 0,
      data: all.subarray(at + RECORD_HEADER_BYTES, end),
    };
    at = end;
  }
}
