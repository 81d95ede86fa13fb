/** Little-endian PCAPNG with enhanced packet blocks: each is packed down to the digest's form, in place. */
import type { Hash } from 'node:crypto';
import { CAPTURED_MAX_BYTES, DigestError, nanoseconds, type Tally, type Walk } from './walk.js';

const SECTION_HEADER = 0x0a0d0d0a;
const INTERFACE_DESCRIPTION = 1;
const ENHANCED_PACKET = 6;
const SIMPLE_PACKET = 3;
const OBSOLETE_PACKET = 2;
const BYTE_ORDER_MAGIC = 0x1a2b3c4d;
const OPTION_IF_TSRESOL = 9;
const OPTION_IF_TSOFFSET = 14;
const DEFAULT_RESOLUTION = 6;
const PACKET_HEADER_BYTES = 28;
const DIGEST_HEADER_BYTES = 16;

export class PcapngWalk implements Walk {
  /** Ticks a second of each interface of the section. */
  private ticks: bigint[] = [];

  step(bytes: Buffer, tally: Tally, hash: Hash): number {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    let at = 0;
    // Packets are packed into [0, packed): a packet's digest form is shorter than its block, so nothing unread is hit.
    let packed = 0;
    while (at + 12 <= bytes.length) {
      const type = view.getUint32(at, true);
      const length = view.getUint32(at + 4, true);
      if (length < 12 || length % 4 !== 0 || length > 2 * CAPTURED_MAX_BYTES)
        throw new DigestError(`a block of ${length} bytes after packet ${tally.packets}`);
      if (at + length > bytes.length) break;
      if (view.getUint32(at + length - 4, true) !== length) throw new DigestError(`a block's two lengths differ after packet ${tally.packets}`);
      if (type === ENHANCED_PACKET) packed = this.pack(bytes, view, at, length, packed, tally);
      else if (type === INTERFACE_DESCRIPTION) this.ticks.push(resolution(view, at + 16, at + length - 4));
      else if (type === SECTION_HEADER) this.section(view, at);
      else if (type === SIMPLE_PACKET || type === OBSOLETE_PACKET)
        throw new DigestError(`a packet block of type ${type}, which this reader does not read`);
      at += length;
    }
    hash.update(bytes.subarray(0, packed));
    return at;
  }

  private section(view: DataView, at: number): void {
    if (view.getUint32(at + 8, true) !== BYTE_ORDER_MAGIC) throw new DigestError('a section of the other byte order');
    this.ticks = [];
  }

  private pack(bytes: Buffer, view: DataView, at: number, length: number, to: number, tally: Tally): number {
    const ticks = this.ticks[view.getUint32(at + 8, true)];
    const captured = view.getUint32(at + 20, true);
    if (ticks === undefined || captured > length - PACKET_HEADER_BYTES - 4)
      throw new DigestError(`packet ${tally.packets + 1} does not fit its block or has no interface`);
    const time = (BigInt(view.getUint32(at + 12, true)) << 32n) | BigInt(view.getUint32(at + 16, true));
    const wire = view.getUint32(at + 24, true);
    const seconds = Number(time / ticks);
    const fraction = Number(((time % ticks) * 1_000_000_000n) / ticks);
    view.setUint32(to, seconds, true);
    view.setUint32(to + 4, fraction, true);
    view.setUint32(to + 8, captured, true);
    view.setUint32(to + 12, wire, true);
    bytes.copyWithin(to + DIGEST_HEADER_BYTES, at + PACKET_HEADER_BYTES, at + PACKET_HEADER_BYTES + captured);
    if (tally.packets === 0) tally.firstNs = nanoseconds(seconds, fraction);
    tally.lastNs = nanoseconds(seconds, fraction);
    tally.packets++;
    tally.capturedBytes += captured;
    tally.wireBytes += wire;
    return to + DIGEST_HEADER_BYTES + captured;
  }
}

/** Ticks a second, from the options in `[at, end)`. */
function resolution(view: DataView, at: number, end: number): bigint {
  let value = DEFAULT_RESOLUTION;
  while (at + 4 <= end) {
    const code = view.getUint16(at, true);
    const length = view.getUint16(at + 2, true);
    if (code === 0) break;
    if (code === OPTION_IF_TSRESOL && length === 1) value = view.getUint8(at + 4);
    if (code === OPTION_IF_TSOFFSET) throw new DigestError('an interface with a time offset, which this reader does not read');
    at += 4 + ((length + 3) & ~3);
  }
  return (value & 0x80) === 0 ? 10n ** BigInt(value) : 2n ** BigInt(value & 0x7f);
}
