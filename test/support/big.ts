/** Files of many extents, with a decoy across every boundary of an extent: a packet that holds a chain of records like its file's own. */
import { NgBlocks, payload, pcapHeader, pcapRecord } from './build.js';

const DECOY_BYTES = 200_000;
/** Every extent of a file of the sizes used here begins at a multiple of this. */
const BOUNDARY_BYTES = 4 << 20;
const NS = 1_000_000_000n;
const START = 1_700_000_000;

/** Fills `bytes` with what `next` gives, which is told the offset and the number of the packet. */
function fill(size: number, head: Buffer, next: (n: number, isDecoy: boolean) => Buffer): Buffer {
  const parts = [head];
  let at = head.length;
  for (let n = 0; at < size; n++) {
    const toBoundary = BOUNDARY_BYTES - (at % BOUNDARY_BYTES);
    const part = next(n, toBoundary < DECOY_BYTES / 2 && n % 2 === 0);
    parts.push(part);
    at += part.length;
  }
  return Buffer.concat(parts);
}

/** Ethernet-like bytes of a size that varies with the number; made once for each. */
const SIZES = [0, 1, 40, 60, 64, 300, 1400];
const FRAMES = SIZES.map((size, i) => payload(size, i));
const frame = (n: number, isTiny: boolean): Buffer => (isTiny ? FRAMES[3]! : FRAMES[(n * 7 + (n >> 3)) % FRAMES.length]!);

export function bigPcap(size: number, { isTiny = false, big = false } = {}): Buffer {
  const shape = { big };
  const decoy = pcapRecord({ seconds: START, fraction: 5, data: payload(20) }, shape);
  const decoys = Buffer.concat(Array.from({ length: DECOY_BYTES / decoy.length }, () => decoy));
  return fill(size, pcapHeader(shape), (n, isDecoy) =>
    // Time steps back now and then.
    pcapRecord({ seconds: START + (n >> 10) - (n % 1000 === 7 ? 5 : 0), fraction: n % 1_000_000, data: isDecoy ? decoys : frame(n, isTiny) }, shape),
  );
}

/** Interfaces that appear late, and a second section in the other byte order, at a third and two thirds of the size. */
export function bigPcapng(size: number): Buffer {
  let blocks = new NgBlocks(false);
  let stage = 0;
  const decoysOf = (of: NgBlocks): Buffer => {
    const decoy = of.enhanced({ ticks: BigInt(START) * NS, data: payload(20) });
    return Buffer.concat(Array.from({ length: DECOY_BYTES / decoy.length }, () => decoy));
  };
  let decoys = decoysOf(blocks);
  let written = 0;
  const head = Buffer.concat([
    blocks.section('big'),
    blocks.interface({ resolution: 9, name: 'a' }),
    blocks.interface({ resolution: 6, offset: 60n }),
  ]);
  return fill(size, head, (n, isDecoy) => {
    const before: Buffer[] = [];
    if (stage === 0 && written > size / 3) {
      stage = 1;
      before.push(blocks.interface({ resolution: 9, name: 'late' }));
    } else if (stage === 1 && written > (2 * size) / 3) {
      stage = 2;
      blocks = new NgBlocks(true);
      decoys = decoysOf(blocks);
      before.push(blocks.section('other'), blocks.interface({ resolution: 9 }), blocks.interface({ resolution: 6 }));
    }
    const id = stage === 1 && n % 3 === 0 ? 2 : n % 2;
    const ns = BigInt(START + (n >> 10)) * NS + BigInt(n);
    const data = isDecoy ? decoys : frame(n, false);
    const packet = blocks.enhanced({ interface: id, ticks: id === 1 ? ns / 1000n : ns, data, ...(n % 50 === 0 && { comment: 'one of fifty' }) });
    const part = Buffer.concat([...before, packet]);
    written += part.length;
    return part;
  });
}
