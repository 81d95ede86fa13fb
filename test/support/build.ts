/** Builds capture files field by field, in both byte orders, well-formed or not. Nothing here knows the project's writers. */

/** Numbers in one byte order. */
export interface Order {
  u16(value: number): Buffer;
  u32(value: number): Buffer;
  u64(value: bigint): Buffer;
}

function order(big: boolean): Order {
  const put = (size: number, write: (to: Buffer) => void): Buffer => {
    const to = Buffer.alloc(size);
    write(to);
    return to;
  };
  return {
    u16: (value) => put(2, (to) => (big ? to.writeUInt16BE(value) : to.writeUInt16LE(value))),
    u32: (value) => put(4, (to) => (big ? to.writeUInt32BE(value >>> 0) : to.writeUInt32LE(value >>> 0))),
    u64: (value) => put(8, (to) => (big ? to.writeBigUInt64BE(BigInt.asUintN(64, value)) : to.writeBigUInt64LE(BigInt.asUintN(64, value)))),
  };
}

const padded = (bytes: Uint8Array): Buffer => Buffer.concat([bytes, Buffer.alloc(-bytes.length & 3)]);

/** Bytes that tell where they come from. */
export function payload(size: number, seed = 0): Buffer {
  const bytes = Buffer.alloc(size);
  for (let i = 0; i < size; i++) bytes[i] = (seed * 37 + i * 11) & 0xff;
  return bytes;
}

export interface PcapShape {
  big?: boolean;
  nanos?: boolean;
  snapLength?: number;
  linkType?: number;
}

export interface PcapRecord {
  seconds: number;
  /** Microseconds or nanoseconds, by the file. */
  fraction: number;
  data: Uint8Array;
  /** Where they are not the length of `data`. */
  caplen?: number;
  wirelen?: number;
}

export function pcapHeader({ big = false, nanos = false, snapLength = 262144, linkType = 1 }: PcapShape = {}): Buffer {
  const { u16, u32 } = order(big);
  return Buffer.concat([u32(nanos ? 0xa1b23c4d : 0xa1b2c3d4), u16(2), u16(4), u32(0), u32(0), u32(snapLength), u32(linkType)]);
}

export function pcapRecord({ seconds, fraction, data, caplen, wirelen }: PcapRecord, { big = false }: PcapShape = {}): Buffer {
  const { u32 } = order(big);
  return Buffer.concat([u32(seconds), u32(fraction), u32(caplen ?? data.length), u32(wirelen ?? caplen ?? data.length), data]);
}

export function pcapFile(packets: readonly PcapRecord[], shape: PcapShape = {}): Buffer {
  return Buffer.concat([pcapHeader(shape), ...packets.map((packet) => pcapRecord(packet, shape))]);
}

export interface NgInterface {
  linkType?: number;
  snapLength?: number;
  /** if_tsresol as it is stored: 10^-n, or 2^-n with the high bit set. */
  resolution?: number;
  /** if_tsoffset, seconds. */
  offset?: bigint;
  name?: string;
}

export interface NgPacket {
  interface?: number;
  ticks: bigint;
  data: Uint8Array;
  wirelen?: number;
  /** epb_dropcount */
  drops?: bigint;
  comment?: string;
}

/** The blocks of PCAPNG sections of one byte order. */
export class NgBlocks {
  readonly #order: Order;

  constructor(big = false) {
    this.#order = order(big);
  }

  block(type: number, body: Uint8Array): Buffer {
    const { u32 } = this.#order;
    return Buffer.concat([u32(type), u32(12 + body.length), body, u32(12 + body.length)]);
  }

  option(code: number, value: Uint8Array): Buffer {
    const { u16 } = this.#order;
    return Buffer.concat([u16(code), u16(value.length), padded(value)]);
  }

  /** Options with their end, or nothing. */
  #options(list: Buffer[]): Buffer {
    return list.length === 0 ? Buffer.alloc(0) : Buffer.concat([...list, Buffer.alloc(4)]);
  }

  section(comment?: string): Buffer {
    const { u16, u32, u64 } = this.#order;
    const options = this.#options(comment === undefined ? [] : [this.option(1, Buffer.from(comment))]);
    return this.block(0x0a0d0d0a, Buffer.concat([u32(0x1a2b3c4d), u16(1), u16(0), u64(-1n), options]));
  }

  interface({ linkType = 1, snapLength = 0, resolution, offset, name }: NgInterface = {}): Buffer {
    const { u16, u32, u64 } = this.#order;
    const options: Buffer[] = [];
    if (name !== undefined) options.push(this.option(2, Buffer.from(name)));
    if (resolution !== undefined) options.push(this.option(9, Buffer.from([resolution])));
    if (offset !== undefined) options.push(this.option(14, u64(offset)));
    return this.block(1, Buffer.concat([u16(linkType), u16(0), u32(snapLength), this.#options(options)]));
  }

  enhanced({ interface: id = 0, ticks, data, wirelen = data.length, drops, comment }: NgPacket): Buffer {
    const { u32, u64 } = this.#order;
    const options: Buffer[] = [];
    if (comment !== undefined) options.push(this.option(1, Buffer.from(comment)));
    if (drops !== undefined) options.push(this.option(4, u64(drops)));
    const fixed = [u32(id), u32(Number(ticks >> 32n)), u32(Number(ticks & 0xffffffffn)), u32(data.length), u32(wirelen)];
    return this.block(6, Buffer.concat([...fixed, padded(data), this.#options(options)]));
  }

  simple(data: Uint8Array, wirelen = data.length): Buffer {
    return this.block(3, Buffer.concat([this.#order.u32(wirelen), padded(data)]));
  }

  obsolete({ interface: id = 0, ticks, data, wirelen = data.length, drops = 0n }: NgPacket): Buffer {
    const { u16, u32 } = this.#order;
    const fixed = [u16(id), u16(Number(drops)), u32(Number(ticks >> 32n)), u32(Number(ticks & 0xffffffffn)), u32(data.length), u32(wirelen)];
    return this.block(2, Buffer.concat([...fixed, padded(data)]));
  }
}
