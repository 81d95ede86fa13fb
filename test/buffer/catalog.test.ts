/** Which files of an interface's folder there are, what they hold, and what marks and losses tell. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { Catalog, listSegments } from '../../src/buffer/catalog.js';
import { decodeLosses, lossesWithin, readLosses } from '../../src/buffer/losses.js';
import { decodeMarks } from '../../src/buffer/marks.js';
import { FakeBuffer, lossFile, lossRecord, marksPage, segmentName } from '../support/buffer.js';
import { payload } from '../support/build.js';
import { temporaryFolder } from '../support/temporary.js';

const folder = temporaryFolder();

it('a segment is listed once, in order of capture, and nothing else is', async () => {
  const path = join(folder.path, 'list');
  mkdirSync(path);
  const files = [segmentName(2n), segmentName(2n, 'pcapng.part'), segmentName(10n, 'pcapng.part'), segmentName(1n), segmentName(1n, 'index')];
  for (const file of [...files, 'losses', 'marks', segmentName(1n, 'pin-a'), '1.pcapng']) writeFileSync(join(path, file), 'x');
  expect((await listSegments(path)).map(({ id, sealed }) => [id, sealed])).toEqual([
    [1n, true],
    [2n, true],
    [10n, false],
  ]);
});

it('finished segments are chosen by the times of their packets, and others always', async () => {
  const buffer = new FakeBuffer(join(folder.path, 'times'));
  for (const ticks of [100n, 200n, 300n]) {
    buffer.store([{ ticks, data: payload(60) }]);
    buffer.seal({ index: ticks !== 200n });
  }
  buffer.store([{ ticks: 400n, data: payload(60) }]);
  const catalog = new Catalog(buffer.folder);
  const all = await listSegments(buffer.folder);
  const chosen = async (startNs: bigint | null, endNs: bigint | null): Promise<bigint[]> =>
    (await catalog.select(all, [{ startNs, endNs }])).map(({ id }) => id);
  expect(await chosen(null, 100n)).toEqual([2n, 4n]);
  expect(await chosen(100n, 101n)).toEqual([1n, 2n, 4n]);
  expect(await chosen(301n, null)).toEqual([2n, 4n]);
  expect(await chosen(null, null)).toEqual([1n, 2n, 3n, 4n]);
  expect(all.map((segment) => catalog.factsOf(segment)?.packets)).toEqual([1, undefined, 1, undefined]);
});

it('a page of marks gives its latest whole slot, and none where no slot is whole', () => {
  const page = marksPage({ segmentId: 3n, visibleBytes: 5000n });
  expect(decodeMarks(page)).toMatchObject({ segmentId: 3n, visibleBytes: 5000, state: 'capturing' });
  marksPage({ segmentId: 4n, visibleBytes: 1n, sequence: 8n }, page);
  expect(decodeMarks(page)).toMatchObject({ segmentId: 4n });
  page[70]! ^= 1;
  expect(decodeMarks(page)).toMatchObject({ segmentId: 3n });
  page[200]! ^= 1;
  expect(decodeMarks(page)).toBeNull();
  expect(decodeMarks(page.subarray(0, 100))).toBeNull();
  expect(decodeMarks(Buffer.alloc(4096))).toBeNull();
});

it('losses are read up to the first record that is not whole', async () => {
  const records = [lossRecord(1, 10n, 20n, 5n), lossRecord(4, 30n, 40n, 2n ** 64n - 1n), lossRecord(3, 50n, 60n, 7n)];
  const file: Buffer = lossFile(records);
  const decoded = decodeLosses(file, 'jobs/x/eth0');
  expect(decoded).toEqual([
    { kind: 'ring', source: 'jobs/x/eth0', startNs: 10n, endNs: 20n, packets: 5n },
    { kind: 'link_down', source: 'jobs/x/eth0', startNs: 30n, endNs: 40n, packets: null },
    { kind: 'disk', source: 'jobs/x/eth0', startNs: 50n, endNs: 60n, packets: 7n },
  ]);
  expect(decodeLosses(file.subarray(0, -1), 'x')).toHaveLength(2);
  file[16 + 48 + 20]! ^= 1;
  expect(decodeLosses(file, 'x')).toHaveLength(1);
  file[8] = 2;
  expect(decodeLosses(file, 'x')).toHaveLength(0);
  expect(await readLosses(join(folder.path, 'nowhere'), 'x')).toEqual([]);
});

it('losses are told where they touch a window, and summed up where they are too many', () => {
  const at = (ns: bigint, packets: bigint | null = 1n) => ({ kind: 'ring' as const, source: 'x', startNs: ns, endNs: ns + 10n, packets });
  const within = (startNs: bigint | null, endNs: bigint | null) =>
    lossesWithin([at(100n), at(200n)], [{ startNs, endNs }]).map((loss) => loss.startNs);
  expect(within(null, 100n)).toEqual([]);
  expect(within(null, 101n)).toEqual([100n]);
  expect(within(109n, 200n)).toEqual([100n]);
  expect(within(110n, 200n)).toEqual([]);
  expect(within(null, null)).toEqual([100n, 200n]);
  const many = lossesWithin(
    Array.from({ length: 1500 }, (_, i) => at(BigInt(i) * 100n)),
    [{ startNs: null, endNs: null }],
  );
  expect(many).toHaveLength(1001);
  expect(many.reduce((sum, { packets }) => sum + packets!, 0n)).toBe(1500n);
  expect(many.at(-1)).toMatchObject({ startNs: 100_000n, endNs: 149_910n });
});
