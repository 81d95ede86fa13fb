/**
 * A slow and plain reader of pcap and PCAPNG, written from the format's pages apart from the addon, for the tests that
 * judge it: the whole file at once, times as exact bigints.
 */

export interface ReadPacket {
  /** Exact, however far from int64; null: the block has none. */
  timeNs: bigint | null;
  /** pcap: as they stand in the file, with nanoseconds that may be a second or more. */
  seconds: bigint;
  nanos: bigint;
  caplen: number;
  wirelen: number;
  data: Buffer;
  linkType: number;
  /** Number of the interface in the whole file, all sections counted. */
  interface: number;
  /** Packets lost before this one, as the file tells. */
  drops: bigint;
  comments: string[];
  /** Bytes of the file up to the end of the record. */
  end: number;
}

export interface ReadInterface {
  linkType: number;
  snapLength: number;
  /** Ticks a second. */
  ticks: bigint;
  offsetSeconds: bigint;
  name: string | null;
}

export interface Capture {
  container: 'pcap' | 'pcapng';
  packets: ReadPacket[];
  interfaces: ReadInterface[];
  /** How many packets stand before each interface's description. */
  described: number[];
  sections: number;
  /** Where the first record begins that is not whole or not possible; null: the file is whole. */
  damageAt: number | null;
}

export class NotACapture extends Error {}

const NS = 1_000_000_000n;
const RECORD_MAX_BYTES = 16 << 20;
const USUAL_CAPLEN_MAX = 262144;

export function readCapture(bytes: Buffer): Capture {
  if (bytes.length < 4) throw new NotACapture('too short');
  if (bytes.readUInt32LE(0) === 0x0a0d0d0a) return new NgReader(bytes).read();
  return readPcap(bytes);
}

/** Reads numbers in one byte order. */
class Numbers {
  constructor(
    readonly bytes: Buffer,
    readonly big: boolean,
  ) {}
  u16(at: number): number {
    return this.big ? this.bytes.readUInt16BE(at) : this.bytes.readUInt16LE(at);
  }
  u32(at: number): number {
    return this.big ? this.bytes.readUInt32BE(at) : this.bytes.readUInt32LE(at);
  }
  u64(at: number): bigint {
    return this.big ? this.bytes.readBigUInt64BE(at) : this.bytes.readBigUInt64LE(at);
  }
}

function readPcap(bytes: Buffer): Capture {
  const big = bytes.readUInt32BE(0) === 0xa1b2c3d4 || bytes.readUInt32BE(0) === 0xa1b23c4d;
  const numbers = new Numbers(bytes, big);
  const magic = numbers.u32(0);
  if (magic !== 0xa1b2c3d4 && magic !== 0xa1b23c4d) throw new NotACapture('unknown magic number');
  if (bytes.length < 24) throw new NotACapture('the header is cut');
  const tick = magic === 0xa1b23c4d ? 1n : 1000n;
  const snapLength = numbers.u32(16);
  const linkType = numbers.u32(20) & 0xffff;
  const caplenMax = Math.min(Math.max(snapLength, USUAL_CAPLEN_MAX), RECORD_MAX_BYTES);
  const interfaces = [{ linkType, snapLength, ticks: NS / tick, offsetSeconds: 0n, name: null }];
  const capture: Capture = { container: 'pcap', packets: [], interfaces, described: [0], sections: 1, damageAt: null };
  for (let at = 24; at < bytes.length;) {
    const caplen = at + 16 <= bytes.length ? numbers.u32(at + 8) : Infinity;
    const end = at + 16 + caplen;
    if (caplen > caplenMax || end > bytes.length) return { ...capture, damageAt: at };
    const seconds = BigInt(numbers.u32(at));
    const nanos = BigInt(numbers.u32(at + 4)) * tick;
    const data = bytes.subarray(at + 16, end);
    const rest = { caplen, wirelen: numbers.u32(at + 12), data, linkType, interface: 0, drops: 0n, comments: [], end };
    capture.packets.push({ timeNs: seconds * NS + nanos, seconds, nanos, ...rest });
    at = end;
  }
  return capture;
}

class NgReader {
  readonly #capture: Capture = { container: 'pcapng', packets: [], interfaces: [], described: [], sections: 0, damageAt: null };
  #numbers: Numbers;
  /** Of the present section. */
  #interfaces: ReadInterface[] = [];

  constructor(readonly bytes: Buffer) {
    this.#numbers = new Numbers(bytes, false);
  }

  read(): Capture {
    const { bytes } = this;
    for (let at = 0; at < bytes.length;) {
      const end = this.#block(at);
      if (end === null && this.#capture.sections === 0) throw new NotACapture('no whole section header');
      if (end === null) return { ...this.#capture, damageAt: at };
      at = end;
    }
    return this.#capture;
  }

  /** The end of the block at `at`, or null where it is damaged or cut. */
  #block(at: number): number | null {
    const { bytes } = this;
    if (at + 12 > bytes.length) return null;
    const isSection = bytes.readUInt32LE(at) === 0x0a0d0d0a;
    if (isSection) {
      const little = bytes.readUInt32LE(at + 8) === 0x1a2b3c4d;
      if (!little && bytes.readUInt32BE(at + 8) !== 0x1a2b3c4d) return null;
      this.#numbers = new Numbers(bytes, !little);
    }
    const numbers = this.#numbers;
    const length = numbers.u32(at + 4);
    const end = at + length;
    if (length < 12 || length % 4 !== 0 || length > RECORD_MAX_BYTES || end > bytes.length || numbers.u32(end - 4) !== length) return null;
    if (isSection) return this.#section(at, length) ? end : null;
    const body = { from: at + 8, to: end - 4 };
    switch (numbers.u32(at)) {
      case 1:
        return this.#interface(body.from, body.to) ? end : null;
      case 2:
        return this.#packet(body.from, body.to, numbers.u16(body.from), numbers.u16(body.from + 2), end);
      case 3:
        return this.#simple(body.from, body.to, end);
      case 6:
        return this.#packet(body.from, body.to, numbers.u32(body.from), null, end);
      default:
        return end;
    }
  }

  #section(at: number, length: number): boolean {
    if (length < 28 || this.#numbers.u16(at + 12) !== 1 || ![0, 2].includes(this.#numbers.u16(at + 14))) return false;
    this.#capture.sections += 1;
    this.#interfaces = [];
    return true;
  }

  *#options(from: number, to: number): Generator<{ code: number; at: number; length: number }> {
    for (let at = from; at + 4 <= to;) {
      const code = this.#numbers.u16(at);
      const length = this.#numbers.u16(at + 2);
      if (code === 0 || at + 4 + length > to) return;
      yield { code, at: at + 4, length };
      at += 4 + length + (-length & 3);
    }
  }

  #interface(from: number, to: number): boolean {
    if (to - from < 8) return false;
    const numbers = this.#numbers;
    const one: ReadInterface = { linkType: numbers.u16(from), snapLength: numbers.u32(from + 4), ticks: 1_000_000n, offsetSeconds: 0n, name: null };
    for (const { code, at, length } of this.#options(from + 8, to)) {
      const value = this.bytes[at]!;
      if (code === 2) one.name = this.bytes.toString('utf8', at, at + length);
      if (code === 9 && length === 1) one.ticks = (value & 0x80) !== 0 ? 1n << BigInt(value & 0x7f) : 10n ** BigInt(value);
      if (code === 14 && length === 8) one.offsetSeconds = BigInt.asIntN(64, numbers.u64(at));
    }
    this.#interfaces.push(one);
    this.#capture.interfaces.push(one);
    this.#capture.described.push(this.#capture.packets.length);
    return true;
  }

  /** Enhanced and obsolete packets differ in how they tell the interface and the drops. */
  #packet(from: number, to: number, id: number, drops: number | null, end: number): number | null {
    const numbers = this.#numbers;
    const one = this.#interfaces[id];
    if (to - from < 20 || one === undefined) return null;
    const caplen = numbers.u32(from + 12);
    const optionsAt = from + 20 + caplen + (-caplen & 3);
    if (optionsAt > to) return null;
    const ticks = (BigInt(numbers.u32(from + 4)) << 32n) | BigInt(numbers.u32(from + 8));
    const timeNs = (ticks * NS) / one.ticks + one.offsetSeconds * NS;
    let lost = drops === null || drops === 0xffff ? 0n : BigInt(drops);
    const comments: string[] = [];
    for (const { code, at, length } of this.#options(optionsAt, to)) {
      if (code === 1) comments.push(this.bytes.toString('utf8', at, at + length));
      if (code === 4 && length === 8) lost = numbers.u64(at);
    }
    this.#push(id, timeNs, caplen, numbers.u32(from + 16), from + 20, lost, comments, end);
    return end;
  }

  #simple(from: number, to: number, end: number): number | null {
    const one = this.#interfaces[0];
    if (to - from < 4 || one === undefined) return null;
    const wirelen = this.#numbers.u32(from);
    const caplen = one.snapLength === 0 ? wirelen : Math.min(wirelen, one.snapLength);
    if (caplen > to - from - 4) return null;
    this.#push(0, null, caplen, wirelen, from + 4, 0n, [], end);
    return end;
  }

  #push(id: number, timeNs: bigint | null, caplen: number, wirelen: number, at: number, drops: bigint, comments: string[], end: number): void {
    const nanos = (((timeNs ?? 0n) % NS) + NS) % NS;
    const before = this.#capture.interfaces.length - this.#interfaces.length;
    this.#capture.packets.push({
      timeNs,
      seconds: ((timeNs ?? 0n) - nanos) / NS,
      nanos,
      caplen,
      wirelen,
      data: this.bytes.subarray(at, at + caplen),
      linkType: this.#interfaces[id]!.linkType,
      interface: before + id,
      drops,
      comments,
      end,
    });
  }
}
