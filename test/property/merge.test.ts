/**
 * An export of several sources is a merge by the times of their heads, whatever they are: that is what the plain model
 * says, and it depends neither on how sources are cut into steps nor on the ways by which they are scanned.
 */
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { compress } from 'zstd-napi';
import { SpillwayError } from '../../src/errors.js';
import { EXPORT_FORMATS, type ExportRequest, type Source } from '../../src/engine/types.js';
import { capture, LINK_TYPES, perhapsDamaged } from '../support/arbitrary.js';
import { NgBlocks, payload, pcapFile } from '../support/build.js';
import { slowCrc32c } from '../support/crc32c.js';
import { cutInto, cutting } from '../support/cutting.js';
import { fileSource, request, runExport, type Exported } from '../support/engine.js';
import { TestLane } from '../support/lane.js';
import { expectedOf, mergedOf, refusal, told, type Damaged, type Expected } from '../support/model.js';
import { NotACapture, readCapture, type Capture } from '../support/reader.js';
import { temporaryFolder } from '../support/temporary.js';
import { wishes } from '../support/wishes.js';

vi.mock('../../src/engine/limits.js', async (original) => (await import('../support/cutting.js')).changeable(await original()));

const folder = temporaryFolder();
const RUNS = { interruptAfterTimeLimit: 60_000 };

const PACKINGS = { plain: (bytes: Buffer) => bytes, gzip: (bytes: Buffer) => gzipSync(bytes), zstd: (bytes: Buffer) => Buffer.from(compress(bytes)) };
const packing = fc.constantFrom<keyof typeof PACKINGS>('plain', 'plain', 'gzip', 'zstd');
const several = (one: fc.Arbitrary<Buffer>): fc.Arbitrary<{ bytes: Buffer; packed: keyof typeof PACKINGS }[]> =>
  fc.array(fc.record({ bytes: one, packed: packing }), { minLength: 2, maxLength: 5 });

const write = (bytes: Buffer, i: number, packed: keyof typeof PACKINGS = 'plain'): Source =>
  fileSource(folder.write(`source-${i}`, PACKINGS[packed](bytes)));

/** The export, or the code of its error. */
async function outcome(asked: ExportRequest): Promise<Exported | string> {
  try {
    return await runExport(asked, { workers: 0 });
  } catch (error) {
    if (!(error instanceof SpillwayError)) throw error;
    return refusal(error.code);
  }
}

function readAll(files: readonly Buffer[]): Capture[] | null {
  try {
    return files.map((bytes) => readCapture(bytes));
  } catch (error) {
    if (!(error instanceof NotACapture)) throw error;
    return null;
  }
}

/** What is known of damage when the export ends: a limit on packets ends it before what follows the last one is looked at. */
const knownDamage = (damaged: readonly Damaged[], { stoppedBy, read }: Expected): Damaged[] =>
  damaged.filter(({ after }) => stoppedBy === null || (stoppedBy === 'packets' ? after < read : after <= read));

describe('an export of several sources', () => {
  it('is what the model says', async () => {
    let merged = 0;
    await fc.assert(
      fc.asyncProperty(several(perhapsDamaged), wishes, cutting, async (files, wish, cut) => {
        const sources = files.map(({ bytes, packed }, i) => write(bytes, i, packed));
        const asked = request(sources, wish);
        cutInto(cut);
        const got = await outcome(asked);
        const captures = readAll(files.map(({ bytes }) => bytes));
        if (captures === null) {
          expect(got).toBe('SOURCE_NOT_A_CAPTURE');
          return;
        }
        const source = mergedOf(captures);
        // A wrong byte may have made a link type that the filters do not compile for.
        fc.pre(wish.filters.length === 0 || source.interfaces.every(({ linkType }) => LINK_TYPES.includes(linkType)));
        const wanted = expectedOf(source, asked);
        if (typeof wanted === 'string' || typeof got === 'string') {
          expect(got).toBe(typeof wanted === 'string' ? refusal(wanted) : wanted);
          return;
        }
        const out = readCapture(got.bytes);
        expect(out.damageAt).toBe(null);
        expect(out.packets.map(told)).toEqual(wanted.packets);
        if (out.container === 'pcapng') {
          const ticks = wish.format === 'pcapng_us' ? 1_000_000n : 1_000_000_000n;
          const described = source.interfaces.slice(0, wanted.stoppedBy === null ? undefined : out.interfaces.length);
          expect(out.interfaces).toEqual(described.map((one) => ({ ...one, ticks })));
        }
        const { receipt } = got;
        expect(receipt.stopped_by).toBe(wanted.stoppedBy);
        const damage = knownDamage(source.damaged, wanted);
        expect(receipt.damage.map(({ file, offsetBytes }) => [file, offsetBytes])).toEqual(
          damage.map((one) => [sources[one.source]!.name, one.offsetBytes]),
        );
        expect(receipt.truncated).toBe(wanted.stoppedBy !== null || damage.length > 0);
        expect(receipt.packets_read).toBe(BigInt(wanted.read));
        expect(receipt.packets_processed).toBe(BigInt(wanted.inWindows));
        expect(receipt.packets_exported).toBe(BigInt(wanted.packets.length));
        expect(receipt.packets_cut).toBe(BigInt(wanted.cut));
        expect(receipt.bytes_exported).toBe(BigInt(got.bytes.length));
        expect(receipt.crc32c).toBe(slowCrc32c(got.bytes).toString(16).padStart(8, '0'));
        merged += 1;
      }),
      { numRuns: 50, ...RUNS },
    );
    // Enough of them got this far for it to mean something.
    expect(merged).toBeGreaterThan(15);
  }, 120_000);

  it('has the same bytes and the same receipt however it is cut and packed', async () => {
    await fc.assert(
      fc.asyncProperty(several(perhapsDamaged), wishes, cutting, async (files, wish, cut) => {
        cutInto({ SLOT_BYTES: 2 << 20 });
        const whole = await outcome(
          request(
            files.map(({ bytes }, i) => write(bytes, i)),
            wish,
          ),
        );
        cutInto(cut);
        expect(
          await outcome(
            request(
              files.map(({ bytes, packed }, i) => write(bytes, i, packed)),
              wish,
            ),
          ),
        ).toEqual(whole);
      }),
      { numRuns: 50, ...RUNS },
    );
  }, 120_000);

  it("keeps every source's own order", async () => {
    await fc.assert(
      fc.asyncProperty(several(capture), cutting, async (files, cut) => {
        cutInto(cut);
        const got = await outcome(
          request(
            files.map(({ bytes, packed }, i) => write(bytes, i, packed)),
            { format: 'pcapng_ns' },
          ),
        );
        fc.pre(typeof got !== 'string');
        const out = readCapture(got.bytes);
        const captures = files.map(({ bytes }) => readCapture(bytes));
        const { interfaces } = mergedOf(captures);
        for (const own of captures) {
          const ofOwn = out.packets.filter((packet) => own.interfaces.includes(interfaces[packet.interface]!));
          expect(ofOwn.map(({ data }) => data.toString('hex'))).toEqual(own.packets.map(({ data }) => data.toString('hex')));
        }
      }),
      { numRuns: 50, ...RUNS },
    );
  }, 120_000);
});

/** Segments of one interface, as a capture leaves them: the same description in each, the last perhaps still growing over old bytes. */
const lane = fc
  .record({
    name: fc.constantFrom('eth0', 'eth1', 'lo'),
    first: fc.integer({ min: 0, max: 20 }),
    segments: fc.array(fc.array(fc.record({ step: fc.integer({ min: -1, max: 3 }), data: fc.uint8Array({ maxLength: 60 }) }), { maxLength: 20 }), {
      minLength: 1,
      maxLength: 4,
    }),
    stale: fc.nat(60),
    /** Packets after which a stretch ends. */
    growth: fc.array(fc.nat(20), { maxLength: 3 }),
    idles: fc.boolean(),
  })
  // Nothing is listed before its first packet.
  .filter(({ segments }) => segments[0]!.length > 0)
  .map(({ name, first, segments, stale, growth, idles }) => {
    const blocks = new NgBlocks();
    const head = Buffer.concat([blocks.section(), blocks.interface({ name, resolution: 9 })]);
    let seconds = 1_700_000_000 + first;
    const bodies = segments.map((packets) =>
      packets.map(({ step, data }) => {
        seconds += step;
        return blocks.enhanced({ ticks: BigInt(seconds) * 1_000_000_000n, data });
      }),
    );
    const parts = bodies.map((records) => {
      const bytes = Buffer.concat([head, ...records]);
      const ends = growth
        .filter((packets) => packets > 0 && packets < records.length)
        .sort((a, b) => a - b)
        .map((packets) => head.length + Buffer.concat(records.slice(0, packets)).length);
      return { bytes, ends: [...new Set([...ends, bytes.length])] };
    });
    return { parts, whole: Buffer.concat([head, ...bodies.flat()]), stale, idles };
  });

describe('segments of one interface', () => {
  it('are one source, beside those of others and files', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(lane, { minLength: 1, maxLength: 3 }),
        fc.array(capture, { maxLength: 2 }),
        wishes,
        cutting,
        async (lanes, files, wish, cut) => {
          cutInto(cut);
          const sources = lanes.map(({ parts, stale, idles }, number): Source => {
            const segments = parts.map(({ bytes, ends }, i) => ({
              path: folder.write(`lane-${number}-${i}`, i === parts.length - 1 ? Buffer.concat([bytes, payload(stale)]) : bytes),
              ends,
            }));
            const name = `lane ${number}`;
            return { lane: new TestLane(name, segments, idles), name };
          });
          const asked = request([...sources, ...files.map((bytes, i) => write(bytes, i))], wish);
          const got = await outcome(asked);
          const source = mergedOf([...lanes.map(({ whole }) => whole), ...files].map((bytes) => readCapture(bytes)));
          const wanted = expectedOf(source, asked);
          if (typeof wanted === 'string' || typeof got === 'string') {
            expect(got).toBe(typeof wanted === 'string' ? refusal(wanted) : wanted);
            return;
          }
          const out = readCapture(got.bytes);
          expect(out.damageAt).toBe(null);
          expect(out.packets.map(told)).toEqual(wanted.packets);
          if (out.container === 'pcapng') {
            const ticks = wish.format === 'pcapng_us' ? 1_000_000n : 1_000_000_000n;
            const described = source.interfaces.slice(0, wanted.stoppedBy === null ? undefined : out.interfaces.length);
            expect(out.interfaces).toEqual(described.map((one) => ({ ...one, ticks })));
          }
          expect(got.receipt.packets_read).toBe(BigInt(wanted.read));
          expect(got.receipt.damage).toEqual([]);
        },
      ),
      { numRuns: 50, ...RUNS },
    );
  }, 120_000);
});

/** Packets of strictly growing times, each with bytes of its own. */
const ordered = fc
  .array(fc.record({ step: fc.integer({ min: 1, max: 3_000_000 }), size: fc.nat(90) }), { minLength: 1, maxLength: 80 })
  .map((steps) => {
    let ns = 1_700_000_000_000_000_000n;
    return steps.map(({ step, size }, n) => {
      ns += BigInt(step) * 1000n;
      return { ns, data: Buffer.concat([Buffer.from([n]), payload(size, n)]) };
    });
  });
type Timed = { ns: bigint; data: Buffer };

const asPcap = (packets: readonly Timed[]): Buffer =>
  pcapFile(
    packets.map(({ ns, data }) => ({ seconds: Number(ns / 1_000_000_000n), fraction: Number(ns % 1_000_000_000n), data })),
    { nanos: true },
  );
const asPcapng = (packets: readonly Timed[]): Buffer => {
  const blocks = new NgBlocks();
  return Buffer.concat([
    blocks.section(),
    blocks.interface({ resolution: 9, snapLength: 262144 }),
    ...packets.map(({ ns, data }) => blocks.enhanced({ ticks: ns, data })),
  ]);
};

/** Deals the packets to so many files, each in its order. */
const deal = (packets: readonly Timed[], to: readonly number[], files: number): Timed[][] =>
  Array.from({ length: files }, (_, file) => packets.filter((_packet, n) => to[n % to.length]! % files === file));

describe('a capture that was dealt to several files', () => {
  const dealt = fc.record({
    packets: ordered,
    to: fc.array(fc.nat(9), { minLength: 1, maxLength: 40 }),
    files: fc.integer({ min: 2, max: 7 }),
    packed: fc.array(packing, { minLength: 7, maxLength: 7 }),
    as: fc.constantFrom(asPcap, asPcapng),
    format: fc.constantFrom(...EXPORT_FORMATS),
    cut: cutting,
  });

  it('comes back as it was', async () => {
    await fc.assert(
      fc.asyncProperty(dealt, async ({ packets, to, files, packed, as, cut }) => {
        cutInto(cut);
        const sources = deal(packets, to, files).map((part, i) => write(as(part), i, packed[i]));
        const { bytes } = await runExport(request(sources, { format: 'pcap_ns' }), { workers: 0 });
        // The whole file, byte for byte.
        expect(bytes).toEqual((await runExport(request([write(as(packets), 99)], { format: 'pcap_ns' }), { workers: 0 })).bytes);
        expect(readCapture(bytes).packets.map(({ timeNs, data }) => `${timeNs} ${data.toString('hex')}`)).toEqual(
          packets.map(({ ns, data }) => `${ns} ${data.toString('hex')}`),
        );
      }),
      { numRuns: 40, ...RUNS },
    );
  }, 120_000);

  it('comes back as the same bytes, in whatever order the files are named', async () => {
    await fc.assert(
      fc.asyncProperty(dealt, fc.array(fc.nat(), { minLength: 7, maxLength: 7 }), async ({ packets, to, files, packed, as, format, cut }, order) => {
        cutInto(cut);
        // A file without packets has no time: where it stands is where it was named.
        const sources = deal(packets, to, files)
          .filter((part) => part.length > 0)
          .map((part, i) => write(as(part), i, packed[i]));
        const others = sources.map((source, i) => ({ source, key: order[i]! })).sort((a, b) => a.key - b.key);
        const [one, other] = [sources, others.map(({ source }) => source)].map((list) => runExport(request(list, { format }), { workers: 0 }));
        expect((await other)!.bytes).toEqual((await one)!.bytes);
      }),
      { numRuns: 50, ...RUNS },
    );
  }, 120_000);
});
