/** The walk over IPv6's extension headers, as instructions. */
import { OP, type Assembler, type Label } from './assembler.js';

/** Scratch words: where the next header begins, and 1 when the walk ended in a later fragment. */
const NEXT_WORD = 0;
export const WALKED_LATER = 1;

/** So many stand before the transport header where all come once, in the order of RFC 8200. */
export const MAX_EXTENSION_HEADERS = 5;

const NEXT_HEADER = 6;
const FIXED_HEADER = 40;
const FRAGMENT = 44;
const FRAGMENT_BYTES = 8;
const FRAGMENT_OFFSET_BITS = 0xfff8;
/** Of which the second byte is the length. */
const WITH_LENGTH = [0, 43, 60];

/**
 * Goes on at `next` with the upper protocol in A and in X how far its header lies behind the fixed one. A later fragment ends
 * the walk with the protocol that its fragment header names, and so does one header too many with its own number.
 */
export function putWalk(out: Assembler, network: number, next: Label): Label {
  const here = network + FIXED_HEADER;
  const isLater = out.line(
    [
      [OP.ldImm, 1],
      [OP.st, WALKED_LATER],
      [OP.ldInd[1], here],
    ],
    next,
  );
  let ahead = next;
  for (let header = 0; header < MAX_EXTENSION_HEADERS; header += 1) {
    const moveOn = out.line(
      [
        [OP.addX, 0],
        [OP.st, NEXT_WORD],
        [OP.ldInd[1], here],
        [OP.ldxMem, NEXT_WORD],
      ],
      ahead,
    );
    const skip = out.line(
      [
        [OP.ldInd[1], here + 1],
        [OP.add, 1],
        [OP.lsh, 3],
      ],
      moveOn,
    );
    const skipFragment = out.line([[OP.ldImm, FRAGMENT_BYTES]], moveOn);
    const fragment = out.line([[OP.ldInd[2], here + 2]], out.branch(OP.jset, FRAGMENT_OFFSET_BITS, isLater, skipFragment));
    const other = WITH_LENGTH.reduce<Label>((otherwise, number) => out.branch(OP.jeq, number, skip, otherwise), next);
    ahead = out.branch(OP.jeq, FRAGMENT, fragment, other);
  }
  return out.line(
    [
      [OP.ldxImm, 0],
      [OP.stx, WALKED_LATER],
      [OP.ldInd[1], network + NEXT_HEADER],
    ],
    ahead,
  );
}
