/**
 * The same request gives the same bytes and the same receipt for every number of workers. The files have several
 * extents, and a decoy lies across every boundary, so that guesses go wrong.
 */
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { prepareExport } from '../../src/engine/export.js';
import { inspect } from '../../src/engine/inspect.js';
import type { ExportRequest, Receipt } from '../../src/engine/types.js';
import { bigPcap, bigPcapng } from '../support/big.js';
import { fileSource, NO_LIMITS, request } from '../support/engine.js';
import { readCapture } from '../support/reader.js';
import { temporaryFolder } from '../support/temporary.js';

const folder = temporaryFolder();
const SIZE = 18 << 20;
const WORKERS = [0, 1, 2, 3];

const FILES: Record<string, Buffer> = {
  'tiny packets, pcap': bigPcap(SIZE, { isTiny: true }),
  'mixed packets, pcap, big-endian': bigPcap(SIZE, { big: true }),
  'several interfaces and sections, PCAPNG': bigPcapng(SIZE),
};

const START_NS = 1_700_000_000_000_000_000n;
const REQUESTS: Record<string, Omit<Partial<ExportRequest>, 'sources'>> = {
  everything: { format: 'pcapng_ns' },
  'microseconds, cut': { format: 'pcap_us', snapLengthBytes: 33 },
  'a filter and windows': {
    format: 'pcapng_us',
    filters: ['link[0] & 1 = 1', 'len > 30'],
    windows: [
      { startNs: START_NS + 2_000_000_000n, endNs: START_NS + 9_000_000_000n },
      { startNs: START_NS + 11_000_000_000n, endNs: null },
    ],
  },
  'a packet limit in a later extent': { limits: { ...NO_LIMITS, packets: 30_001n } },
  'a byte limit in a later extent': { limits: { ...NO_LIMITS, capturedBytes: 9_000_001n }, format: 'pcapng_us' },
  'a duration in a later extent': { limits: { ...NO_LIMITS, durationNs: 12_000_000_000n }, filters: ['len != 64'] },
};

interface Outcome {
  digest: string;
  receipt: Receipt;
}

async function run(asked: ExportRequest, workers: number): Promise<Outcome> {
  const hash = createHash('sha256');
  const prepared = await prepareExport(asked);
  const sink = { write: async (bytes: Uint8Array) => void hash.update(bytes), finish: async () => {}, abort: async () => {} };
  const receipt = await prepared.run(sink, { workers });
  return { digest: hash.digest('hex'), receipt };
}

describe.each(Object.entries(FILES))('%s', (name, bytes) => {
  const path = folder.write(name, bytes);

  it.each(Object.entries(REQUESTS))('%s: the same for every number of workers', async (_, wish) => {
    const asked = request(path, wish);
    const first = await run(asked, WORKERS[0]!);
    expect(first.receipt.packets_exported).toBeGreaterThan(0n);
    for (const workers of WORKERS.slice(1)) expect(await run(asked, workers), `${workers} workers`).toEqual(first);
  });

  it('is inspected alike by every number of workers, and as a plain reader does', async () => {
    const { packets, sections, interfaces } = readCapture(bytes);
    const reports = [];
    for (const workers of WORKERS) reports.push(await inspect(fileSource(path), { workers }));
    for (const report of reports) expect(report).toEqual(reports[0]);
    const [report] = reports;
    expect(report!.packets).toBe(BigInt(packets.length));
    expect(report!.sections).toBe(sections);
    expect(report!.interfaces.map(({ packets: count }) => count)).toEqual(
      interfaces.map((_one, id) => packets.filter((packet) => packet.interface === id).length),
    );
  });
});
