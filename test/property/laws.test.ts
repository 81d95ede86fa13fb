/** Laws between exports of the same capture: adjacent windows add up, filters intersect, limits give a prefix, formats round-trip. */
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { SpillwayError } from '../../src/errors.js';
import type { ExportFormat, ExportRequest } from '../../src/engine/types.js';
import { capture, pcap } from '../support/arbitrary.js';
import { cutInto } from '../support/cutting.js';
import { NO_LIMITS, request, runExport } from '../support/engine.js';
import { FILTERS } from '../support/model.js';
import { readCapture } from '../support/reader.js';
import { records } from '../support/records.js';
import { temporaryFolder } from '../support/temporary.js';

vi.mock('../../src/engine/limits.js', async (original) => (await import('../support/cutting.js')).changeable(await original()));

// Small files go through many extents, so that the laws hold for what was put together again.
cutInto({ EXTENT_BYTES: 1000, STEP_BYTES: 700, SLOT_BYTES: 3000, COALESCE_BYTES: 500 });

const folder = temporaryFolder();
const RUNS = { numRuns: 50, interruptAfterTimeLimit: 20_000 };
const moment = fc.bigInt({ min: 1_699_999_999_000_000_000n, max: 1_700_000_031_000_000_000n });

type Wish = Omit<Partial<ExportRequest>, 'format'>;

/** The packets that the export holds, in order, each as one text. */
async function packets(path: string, wish: Wish): Promise<string[]> {
  const { bytes } = await runExport(request(path, { ...wish, format: 'records' }), { workers: 0 });
  return [...records(bytes)].map(
    ({ seconds, nanos, wirelen, linkType, data }) => `${seconds}.${nanos} ${wirelen} ${linkType} ${data.toString('hex')}`,
  );
}

/** The output, or null where the format can not hold the packets. */
async function as(format: ExportFormat, path: string, wish: Wish = {}): Promise<Buffer | null> {
  try {
    return (await runExport(request(path, { ...wish, format }), { workers: 0 })).bytes;
  } catch (error) {
    if (error instanceof SpillwayError && error.code.startsWith('OUTPUT_')) return null;
    throw error;
  }
}

/** Seconds of 2^32-1 and a fraction of more than one are kept in their own format alone. */
const fitsPcap = (bytes: Buffer): boolean => readCapture(bytes).packets.every(({ timeNs }) => (timeNs ?? 0n) < 1_000_000_000n << 32n);

describe('two exports', () => {
  it('[a,b) and [b,c) hold the packets of [a,c), each in its order', async () => {
    await fc.assert(
      fc.asyncProperty(capture, fc.array(moment, { minLength: 3, maxLength: 3 }), async (bytes, moments) => {
        const [a = 0n, b = 0n, c = 0n] = moments.sort((x, y) => (x < y ? -1 : 1));
        const path = folder.write('windows', bytes);
        const [left, right, both] = await Promise.all(
          [
            { startNs: a, endNs: b },
            { startNs: b, endNs: c },
            { startNs: a, endNs: c },
          ].map((window) => packets(path, { windows: [window] })),
        );
        expect(left).toEqual(both!.filter((packet) => left!.includes(packet)));
        expect(right).toEqual(both!.filter((packet) => right!.includes(packet)));
        expect(left!.length + right!.length).toBe(both!.length);
        expect(
          await packets(path, {
            windows: [
              { startNs: b, endNs: c },
              { startNs: a, endNs: b },
            ],
          }),
        ).toEqual(both);
        const outside = await packets(path, {
          windows: [
            { startNs: null, endNs: a },
            { startNs: c, endNs: null },
          ],
        });
        expect(outside.filter((packet) => both!.includes(packet))).toEqual([]);
      }),
      RUNS,
    );
  });

  it('of A and of B have in common what A and B together let through', async () => {
    const texts = [...Object.keys(FILTERS), 'ip', 'udp or tcp', 'link[4:4] > 0x10000000'];
    await fc.assert(
      fc.asyncProperty(capture, fc.constantFrom(...texts), fc.constantFrom(...texts), async (bytes, a, b) => {
        const path = folder.write('filters', bytes);
        const [ofA, ofB, ofBoth, ofText] = await Promise.all([[a], [b], [a, b], [`(${a}) and (${b})`]].map((filters) => packets(path, { filters })));
        expect(ofBoth).toEqual(ofA!.filter((packet) => ofB!.includes(packet)));
        expect(ofText).toEqual(ofBoth);
      }),
      RUNS,
    );
  });

  it('one with a packet limit is the beginning of the other', async () => {
    await fc.assert(
      fc.asyncProperty(capture, fc.integer({ min: 1, max: 60 }), fc.subarray(Object.keys(FILTERS), { maxLength: 1 }), async (bytes, n, filters) => {
        const path = folder.write('limit', bytes);
        const all = await packets(path, { filters });
        expect(await packets(path, { filters, limits: { ...NO_LIMITS, packets: BigInt(n) } })).toEqual(all.slice(0, n));
      }),
      RUNS,
    );
  });
});

describe('an export of an export', () => {
  it('is the same bytes in the same format', async () => {
    await fc.assert(
      fc.asyncProperty(capture, fc.constantFrom<ExportFormat>('pcap_us', 'pcap_ns', 'pcapng_us', 'pcapng_ns'), async (bytes, format) => {
        const once = await as(format, folder.write('once', bytes));
        fc.pre(once !== null);
        expect(await as(format, folder.write('twice', once))).toEqual(once);
      }),
      RUNS,
    );
  });

  it('comes back exactly from pcap to PCAPNG and to pcap', async () => {
    await fc.assert(
      fc.asyncProperty(pcap, async (bytes) => {
        fc.pre(fitsPcap(bytes));
        const there = await as('pcapng_ns', folder.write('there', bytes));
        const ns = await as('pcap_ns', folder.write('there', bytes));
        fc.pre(there !== null && ns !== null);
        const back = await as('pcap_ns', folder.write('back', there));
        const plain = ({ packets }: ReturnType<typeof readCapture>) =>
          packets.map(({ timeNs, caplen, wirelen, data }) => ({ timeNs, caplen, wirelen, data }));
        expect(plain(readCapture(back!))).toEqual(plain(readCapture(bytes)));
        // PCAPNG may hold larger packets than a pcap header without a snap length admits: the way back names the largest.
        const header = Buffer.from(ns.subarray(0, 24));
        if (header.readUInt32LE(16) === 0) header.writeUInt32LE(16 << 20, 16);
        expect(Buffer.from(back!.subarray(0, 24))).toEqual(header);
      }),
      RUNS,
    );
  });

  it('in microseconds is cut, whichever way it went', async () => {
    await fc.assert(
      fc.asyncProperty(capture, async (bytes) => {
        // Without a time a packet is put at the start of a clock, and clocks differ.
        fc.pre(readCapture(bytes).packets.every(({ timeNs }) => timeNs !== null) && fitsPcap(bytes));
        const path = folder.write('direct', bytes);
        const [direct, byNanos] = [await as('pcap_us', path), await as('pcapng_ns', path)];
        fc.pre(direct !== null && byNanos !== null);
        const indirect = await as('pcap_us', folder.write('indirect', byNanos));
        const times = (one: Buffer): (bigint | null)[] => readCapture(one).packets.map(({ timeNs }) => timeNs);
        expect(times(indirect!)).toEqual(times(direct));
        for (const time of times(direct)) expect(time! % 1000n).toBe(0n);
      }),
      RUNS,
    );
  });

  it('cut to a, then to b, is cut to the smaller', async () => {
    await fc.assert(
      fc.asyncProperty(capture, fc.integer({ min: 1, max: 100 }), fc.integer({ min: 1, max: 100 }), async (bytes, a, b) => {
        const path = folder.write('snap', bytes);
        const first = await as('pcapng_ns', path, { snapLengthBytes: a });
        fc.pre(first !== null);
        const both = await as('pcapng_ns', folder.write('snapped', first), { snapLengthBytes: b });
        const data = (one: Buffer): string[] => readCapture(one).packets.map((packet) => packet.data.toString('hex'));
        expect(data(both!)).toEqual(data((await as('pcapng_ns', path, { snapLengthBytes: Math.min(a, b) }))!));
      }),
      RUNS,
    );
  });
});
