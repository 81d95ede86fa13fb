/** Little-endian pcap: a record is the digest's form already, but for the unit of its fraction. */
import type { Hash } from 'node:crypto';
import { CAPTURED_MAX_BYTES, DigestError, nanoseconds, type Tally, type Walk } from './walk.js';

const FILE_HEADER_BYTES = 24;
const RECORD_HEADER_BYTES = 16;

export class PcapWalk implements Walk {
  private begun = false;

  /** `tick`: nanoseconds in a unit of the fraction. */
  constructor(private readonly tick: number) {}

  step(bytes: Buffer, tally: Tally, hash: Hash): number {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    let start = 0;
    if (!this.begun) {
      if (bytes.length < FILE_HEADER_BYTES) return 0;
      this.begun = true;
      start = FILE_HEADER_BYTES;
    }
    let at = start;
    let last = -1;
    while (at + RECORD_HEADER_BYTES <= bytes.length) {
      const captured = view.getUint32(at + 8, true);
      if (captured > CAPTURED_MAX_BYTES) throw new DigestError(`packet ${tally.packets + 1} has a captured length of ${captured}`);
      const end = at + RECORD_HEADER_BYTES + captured;
      if (end > bytes.length) break;
      view.setUint32(at + 4, view.getUint32(at + 4, true) * this.tick, true);
      if (tally.packets === 0) tally.firstNs = nanoseconds(view.getUint32(at, true), view.getUint32(at + 4, true));
      tally.packets++;
      tally.capturedBytes += captured;
      tally.wireBytes += view.getUint32(at + 12, true);
      last = at;
      at = end;
    }
    if (last >= 0) tally.lastNs = nanoseconds(view.getUint32(last, true), view.getUint32(last + 4, true));
    hash.update(bytes.subarray(start, at));
    return at;
  }
}
