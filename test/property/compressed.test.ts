/** A compressed capture is the capture: gzip and zstd, in one piece or many, and cut anywhere. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { gzipSync } from 'node:zlib';
import { compress } from 'zstd-napi';
import { coded } from '../../src/errors.js';
import { capture } from '../support/arbitrary.js';
import { request, runExport, type Exported } from '../support/engine.js';
import { records } from '../support/records.js';
import { temporaryFolder } from '../support/temporary.js';

const folder = temporaryFolder();

const CODECS: Record<string, (bytes: Buffer) => Buffer> = { gzip: (bytes) => gzipSync(bytes), zstd: (bytes) => Buffer.from(compress(bytes)) };

/** Frames or members of their own, at these places of the plain bytes. */
function inPieces(bytes: Buffer, places: number[], encode: (bytes: Buffer) => Buffer): Buffer {
  const cuts = [0, ...places.map((place) => place % bytes.length).sort((a, b) => a - b), bytes.length];
  return Buffer.concat(cuts.slice(1).map((end, i) => encode(bytes.subarray(cuts[i], end))));
}

const run = (path: string): Promise<Exported> => runExport(request(path, { format: 'records' }), { workers: 0 });

describe.each(Object.entries(CODECS))('%s', (name, encode) => {
  it('gives the packets of what it holds, however it is divided', async () => {
    await fc.assert(
      fc.asyncProperty(capture, fc.array(fc.nat(), { maxLength: 3 }), async (bytes, places) => {
        const plain = await run(folder.write('plain', bytes));
        const packed = await run(folder.write(name, inPieces(bytes, places, encode)));
        expect(packed.bytes).toEqual(plain.bytes);
        expect(packed.receipt).toEqual(plain.receipt);
      }),
      { numRuns: 30, interruptAfterTimeLimit: 40_000 },
    );
  }, 60_000);

  it('cut anywhere gives a beginning of the packets, and says that it is damaged', async () => {
    await fc.assert(
      fc.asyncProperty(capture, fc.nat(), async (bytes, place) => {
        const plain = await run(folder.write('plain', bytes));
        const whole = encode(bytes);
        const cut = whole.subarray(0, 4 + (place % (whole.length - 4)));
        const got = await run(folder.write(name, cut)).catch((error: unknown) => coded(error).code);
        // Where the first header is not whole there is no capture.
        if (typeof got !== 'object') {
          expect(got).toBe('SOURCE_NOT_A_CAPTURE');
          return;
        }
        expect(got.receipt.truncated).toBe(true);
        expect(got.receipt.damage).toHaveLength(1);
        const [all, some] = [plain, got].map((one) => [...records(one.bytes)].map(({ number, caplen }) => `${number} ${caplen}`));
        expect(some).toEqual(all!.slice(0, some!.length));
      }),
      { numRuns: 30, interruptAfterTimeLimit: 40_000 },
    );
  }, 60_000);
});
