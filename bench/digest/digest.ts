/**
 * The bench's own small reader: what packets does a capture hold, as one digest? Written apart from the engine it
 * checks, streaming, and only for what the cases need: little-endian pcap (microseconds, nanoseconds) and PCAPNG.
 *
 * The digest is SHA-256 over all packets of `u32 seconds, u32 nanoseconds, u32 captured length, u32 wire length` (little
 * endian) and the captured bytes, so pcap and PCAPNG of the same packets agree, whatever their resolution.
 */
import { createHash } from 'node:crypto';
import { PcapWalk } from './pcap.js';
import { PcapngWalk } from './pcapng.js';
import { DigestError, type Tally, type Walk } from './walk.js';

export interface PacketDigest {
  sha256: string;
  packets: number;
  capturedBytes: number;
  wireBytes: number;
  /** Of the first and the last packet in file order; null without any. */
  firstNs: bigint | null;
  lastNs: bigint | null;
}

/** A record that does not fit is damage; the traffic's largest is far smaller. */
const WORK_BYTES = 4 << 20;

/** Reads a whole capture, given in pieces of any size. */
export async function digest(pieces: AsyncIterable<Buffer>): Promise<PacketDigest> {
  const hash = createHash('sha256');
  const tally: Tally = { packets: 0, capturedBytes: 0, wireBytes: 0, firstNs: null, lastNs: null };
  const work = Buffer.allocUnsafeSlow(WORK_BYTES);
  let held = 0;
  let walk: Walk | null = null;
  for await (const piece of pieces) {
    for (let from = 0; from < piece.length;) {
      if (held === work.length) throw new DigestError(`a record of more than ${WORK_BYTES} bytes`);
      const taken = piece.copy(work, held, from);
      from += taken;
      held += taken;
      if (held < work.length && from === piece.length) break; // walk in large steps
      walk ??= begin(work.subarray(0, held));
      held = rest(work, held, walk.step(work.subarray(0, held), tally, hash));
    }
  }
  walk ??= begin(work.subarray(0, held));
  held = rest(work, held, walk.step(work.subarray(0, held), tally, hash));
  if (held > 0) throw new DigestError(`the capture ends inside a record, ${held} bytes into it, after ${tally.packets} packets`);
  return { sha256: hash.digest('hex'), ...tally };
}

/** Moves what was not used to the front. */
function rest(work: Buffer, held: number, used: number): number {
  work.copyWithin(0, used, held);
  return held - used;
}

function begin(bytes: Buffer): Walk {
  if (bytes.length < 4) throw new DigestError(`no capture: ${bytes.length} bytes`);
  const magic = bytes.readUInt32LE(0);
  if (magic === 0xa1b2c3d4) return new PcapWalk(1000);
  if (magic === 0xa1b23c4d) return new PcapWalk(1);
  if (magic === 0x0a0d0d0a) return new PcapngWalk();
  throw new DigestError(`no capture that this reader knows: magic number ${magic.toString(16)}`);
}
