/**
 * Any export of any capture gives what the plain model gives, however the file is cut into extents and steps. Files
 * hold decoys: payloads that look like records, so that many guesses of a boundary are wrong.
 */
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { SpillwayError } from '../../src/errors.js';
import type { ExportRequest } from '../../src/engine/types.js';
import { capture, LINK_TYPES, perhapsDamaged } from '../support/arbitrary.js';
import { slowCrc32c } from '../support/crc32c.js';
import { cutInto, cutting } from '../support/cutting.js';
import { request, runExport, type Exported } from '../support/engine.js';
import { expectedOf, refusal, told } from '../support/model.js';
import { NotACapture, readCapture } from '../support/reader.js';
import { temporaryFolder } from '../support/temporary.js';
import { wishes } from '../support/wishes.js';

vi.mock('../../src/engine/limits.js', async (original) => (await import('../support/cutting.js')).changeable(await original()));

const folder = temporaryFolder();

/** The export, or the code of its error. */
async function outcome(asked: ExportRequest): Promise<Exported | string> {
  try {
    return await runExport(asked, { workers: 0 });
  } catch (error) {
    if (!(error instanceof SpillwayError)) throw error;
    return refusal(error.code);
  }
}

describe('an export', () => {
  it('is what the model says', async () => {
    await fc.assert(
      fc.asyncProperty(perhapsDamaged, wishes, cutting, async (bytes, wish, cut) => {
        const asked = request(folder.write('source', bytes), wish);
        cutInto(cut);
        const got = await outcome(asked);
        let source;
        try {
          source = readCapture(bytes);
        } catch (error) {
          if (!(error instanceof NotACapture)) throw error;
          expect(got).toBe('SOURCE_NOT_A_CAPTURE');
          return;
        }
        // A wrong byte may have made a link type that the filters do not compile for.
        fc.pre(wish.filters.length === 0 || source.interfaces.every(({ linkType }) => LINK_TYPES.includes(linkType)));
        const wanted = expectedOf(source, asked);
        if (typeof wanted === 'string' || typeof got === 'string') {
          expect(got).toBe(typeof wanted === 'string' ? refusal(wanted) : wanted);
          return;
        }
        const out = readCapture(got.bytes);
        expect(out.damageAt).toBe(null);
        expect(out.container).toBe(wish.format.startsWith('pcapng') ? 'pcapng' : 'pcap');
        expect(out.packets.map(told)).toEqual(wanted.packets);
        if (out.container === 'pcapng') {
          const described = source.interfaces.slice(0, wanted.stoppedBy === null ? undefined : out.interfaces.length);
          const ticks = wish.format === 'pcapng_us' ? 1_000_000n : 1_000_000_000n;
          expect(out.interfaces).toEqual(described.map((one) => ({ ...one, ticks })));
        }
        const { receipt } = got;
        expect(receipt.stopped_by).toBe(wanted.stoppedBy);
        expect(receipt.damage.map(({ offsetBytes }) => offsetBytes)).toEqual(wanted.damageAt === null ? [] : [wanted.damageAt]);
        expect(receipt.truncated).toBe(wanted.stoppedBy !== null || wanted.damageAt !== null);
        expect(receipt.packets_read).toBe(BigInt(wanted.read));
        expect(receipt.packets_processed).toBe(BigInt(wanted.inWindows));
        expect(receipt.packets_exported).toBe(BigInt(wanted.packets.length));
        expect(receipt.packets_cut).toBe(BigInt(wanted.cut));
        expect(receipt.bytes_exported).toBe(BigInt(got.bytes.length));
        expect(receipt.crc32c).toBe(slowCrc32c(got.bytes).toString(16).padStart(8, '0'));
      }),
      { numRuns: 70, interruptAfterTimeLimit: 60_000 },
    );
  }, 120_000);

  it('has the same bytes and the same receipt however the file is cut', async () => {
    await fc.assert(
      fc.asyncProperty(capture, wishes, cutting, async (bytes, wish, cut) => {
        const asked = request(folder.write('source', bytes), wish);
        cutInto({ SLOT_BYTES: 2 << 20 });
        const whole = await outcome(asked);
        cutInto(cut);
        expect(await outcome(asked)).toEqual(whole);
      }),
      { numRuns: 70, interruptAfterTimeLimit: 60_000 },
    );
  }, 120_000);
});
