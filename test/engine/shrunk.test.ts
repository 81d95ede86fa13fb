/** A file that is cut while it is exported: what is missing is told, also where the cut is between two records. */
import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { prepareExport } from '../../src/engine/export.js';
import type { Receipt } from '../../src/engine/types.js';
import { NgBlocks, payload, pcapHeader, pcapRecord } from '../support/build.js';
import { fileSource, MemorySink, request } from '../support/engine.js';
import { readCapture } from '../support/reader.js';
import { temporaryFolder } from '../support/temporary.js';

const folder = temporaryFolder();
const FRAME_BYTES = 1000;

const ng = new NgBlocks();
const KINDS = {
  pcap: { head: [pcapHeader()], record: (i: number) => pcapRecord({ seconds: i, fraction: 0, data: payload(FRAME_BYTES, i) }) },
  pcapng: {
    head: [ng.section(), ng.interface()],
    record: (i: number) => ng.enhanced({ ticks: BigInt(i) * 1_000_000n, data: payload(FRAME_BYTES, i) }),
  },
};
type Kind = keyof typeof KINDS;

/** A file of so many packets, and where it ends behind the first of them. */
function capture(kind: Kind, name: string, packets: number): { path: string; endOf: (packets: number) => number } {
  const { head, record } = KINDS[kind];
  const bytes = Buffer.concat([...head, ...Array.from({ length: packets }, (_, i) => record(i))]);
  const path = join(folder.path, name);
  writeFileSync(path, bytes);
  const headBytes = Buffer.concat(head).length;
  return { path, endOf: (count) => headBytes + (count * (bytes.length - headBytes)) / packets };
}

async function exportedAfter(cut: () => void, ...paths: string[]): Promise<{ packets: number; receipt: Receipt }> {
  const prepared = await prepareExport(request(paths.map(fileSource)));
  const sink = new MemorySink();
  try {
    cut();
    const receipt = await prepared.run(sink);
    return { packets: readCapture(sink.bytes).packets.length, receipt };
  } finally {
    await prepared.close();
  }
}

// The large ones are scanned in several ranges, of which some are cut away as a whole.
it.each([
  ['pcap', 100, 60],
  ['pcapng', 100, 60],
  ['pcap', 20_000, 6_000],
  ['pcapng', 20_000, 6_000],
] as const)('%s of %d packets that is cut behind %d of them', async (kind, packets, left) => {
  const { path, endOf } = capture(kind, `${kind}-${packets}`, packets);
  const got = await exportedAfter(() => truncateSync(path, endOf(left)), path);
  expect(got.packets).toBe(left);
  expect(got.receipt.damage).toEqual([
    { file: `${kind}-${packets}`, offsetBytes: endOf(left), reason: expect.stringMatching(/^the file ends \d+ bytes before it should$/) as string },
  ]);
  expect(got.receipt).toMatchObject({ packets_exported: BigInt(left), truncated: true });
});

it('one that is merged with another', async () => {
  const cut = capture('pcap', 'cut', 1000);
  const whole = capture('pcap', 'whole', 1000);
  const { packets, receipt } = await exportedAfter(() => truncateSync(cut.path, cut.endOf(600)), cut.path, whole.path);
  expect(packets).toBe(1600);
  expect(receipt.damage).toEqual([
    { file: 'cut', offsetBytes: cut.endOf(600), reason: `the file ends ${cut.endOf(1000) - cut.endOf(600)} bytes before it should` },
  ]);
  expect(receipt.truncated).toBe(true);
});
