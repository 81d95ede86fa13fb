/** A file cut at any byte gives every packet that is whole, in a properly ended output, and names the damage. */
import { describe, expect, it } from 'vitest';
import { SpillwayError } from '../../src/errors.js';
import { NgBlocks, payload, pcapFile } from '../support/build.js';
import { request, runExport } from '../support/engine.js';
import { readCapture } from '../support/reader.js';
import { temporaryFolder } from '../support/temporary.js';

const folder = temporaryFolder();

const packets = [60, 0, 1, 59, 118, 33].map((size, i) => ({ seconds: 1_700_000_000 + i, fraction: i, data: payload(size, i) }));

function pcapng(big: boolean): Buffer {
  const blocks = new NgBlocks(big);
  return Buffer.concat([
    blocks.section('of a test'),
    blocks.interface({ name: 'eth0', resolution: 9 }),
    ...packets.map(({ seconds, data }, i) =>
      blocks.enhanced({ ticks: BigInt(seconds) * 1_000_000_000n, data, ...(i === 1 && { comment: 'first' }) }),
    ),
    blocks.block(5, payload(12)),
    blocks.enhanced({ ticks: 1n, data: payload(40) }),
  ]);
}

const FILES: Record<string, Buffer> = {
  'pcap, little-endian': pcapFile(packets),
  'pcap, big-endian, nanoseconds': pcapFile(packets, { big: true, nanos: true }),
  'PCAPNG, little-endian': pcapng(false),
  'PCAPNG, big-endian': pcapng(true),
};

describe.each(Object.entries(FILES))('%s', (_, whole) => {
  const { packets: all } = readCapture(whole);
  const lastStart = all.at(-2)!.end;
  const places = [...new Set([...Array(200).keys(), ...Array.from({ length: whole.length - lastStart + 1 }, (_, i) => lastStart + i)])];

  it.each([0, 1])('gives what is whole wherever it is cut (workers: %i)', async (workers) => {
    // Threads only for some: each export starts its own.
    for (const place of places.filter((_, i) => workers === 0 || i % 40 === 0)) {
      const path = folder.write('cut', whole.subarray(0, place));
      const wanted = all.filter(({ end }) => end <= place);
      let got;
      try {
        got = await runExport(request(path, { format: 'pcapng_ns' }), { workers });
      } catch (error) {
        expect(error, `cut at ${place}`).toBeInstanceOf(SpillwayError);
        expect((error as SpillwayError).code).toBe('SOURCE_NOT_A_CAPTURE');
        expect((error as SpillwayError).message).toContain('cut: ');
        expect(() => readCapture(whole.subarray(0, place)), `cut at ${place}`).toThrow();
        continue;
      }
      const out = readCapture(got.bytes);
      const expected = readCapture(whole.subarray(0, place));
      expect(out.damageAt).toBe(null);
      expect(out.packets.map(({ data, wirelen }) => ({ data, wirelen }))).toEqual(wanted.map(({ data, wirelen }) => ({ data, wirelen })));
      expect(got.receipt.damage.map(({ offsetBytes }) => offsetBytes)).toEqual(expected.damageAt === null ? [] : [expected.damageAt]);
      expect(got.receipt.truncated).toBe(expected.damageAt !== null);
    }
  });
});
