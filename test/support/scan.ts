/** Driving the addon's scan loop alone, without the engine around it. */
import { fstatSync } from 'node:fs';
import { Scan, STATUS, type Selection, type ShapeAndSelect } from '../../src/native.js';

export const EVERYTHING: ShapeAndSelect = { format: 'records', snapLengthBytes: 0, windowsNs: new BigInt64Array(0), filters: null };

export interface Scanned {
  status: number;
  bytes: Uint8Array;
  report: BigInt64Array;
}

/** Scans a whole uncompressed file. `bytes` lie in `out` where they fit, so that they are gone with its next use. */
export function scanFile(fd: number, selection: Selection, out: Uint8Array = new Uint8Array(1 << 20)): Scanned {
  const scan = new Scan(selection);
  scan.openRange(fd, 0, fstatSync(fd).size, null, false, 0);
  let buffer = out;
  let written = 0;
  for (;;) {
    const status = scan.step(buffer, written, 1 << 30);
    written += scan.outLength();
    if (status === STATUS.outputFull) {
      const bigger = new Uint8Array(2 * buffer.length + scan.needed());
      bigger.set(buffer.subarray(0, written));
      buffer = bigger;
    } else if (status !== STATUS.budget) {
      return { status, bytes: buffer.subarray(0, written), report: scan.report };
    }
  }
}
