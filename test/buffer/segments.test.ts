/** Which files of an interface's folder an export reads, and how far. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { decodeMarks } from '../../src/buffer/marks.js';
import { listSegments, segmentSources } from '../../src/buffer/segments.js';
import { crc32c } from '../../src/native.js';
import { temporaryFolder } from '../support/temporary.js';

const folder = temporaryFolder();

/** A page as native/capture/marks.h describes it, with one slot filled. */
function marksPage(segmentId: bigint, visibleBytes: bigint, sequence = 7n): Buffer {
  const page = Buffer.alloc(4096);
  page.write('SPILMARK', 'latin1');
  page.writeUInt32LE(1, 8);
  page.writeUInt32LE(128, 12);
  const slot = page.subarray(192, 320);
  slot.writeBigUInt64LE(sequence, 0);
  slot.writeBigUInt64LE(segmentId, 8);
  slot.writeBigUInt64LE(visibleBytes, 16);
  slot.writeUInt32LE(1, 112);
  slot.writeUInt32LE(crc32c(slot.subarray(0, 124), 0), 124);
  return page;
}

function folderOf(name: string, files: string[], marks: Buffer | null): string {
  const path = join(folder.path, name);
  mkdirSync(path);
  for (const file of files) writeFileSync(join(path, file), 'x');
  if (marks) writeFileSync(join(path, 'marks'), marks);
  return path;
}

const name = (id: number, ending: string): string => `${String(id).padStart(16, '0')}.${ending}`;

it('the open segment is read up to its mark, those that wait for their name whole, and later ones not at all', async () => {
  const files = [
    name(1, 'pcapng'),
    name(1, 'index'),
    name(2, 'pcapng.part'),
    name(3, 'pcapng.part'),
    name(4, 'pcapng.part'),
    'losses',
    name(1, 'pin-a'),
  ];
  const path = folderOf('usual', files, marksPage(3n, 5000n));
  expect((await listSegments(path)).map(({ id, sealed }) => [id, sealed])).toEqual([
    [1n, true],
    [2n, false],
    [3n, false],
    [4n, false],
  ]);
  const sources = await segmentSources(path, 'jobs/x/eth0', []);
  expect(sources.map(({ segment: { id, visibleBytes } }) => [id, visibleBytes])).toEqual([
    [1n, null],
    [2n, null],
    [3n, 5000],
  ]);
  expect(sources[2]?.segment.paths).toEqual([join(path, name(3, 'pcapng.part')), join(path, name(3, 'pcapng'))]);
  expect(sources[0]?.name).toBe(`jobs/x/eth0/${name(1, 'pcapng')}`);
});

it('without marks, or with nothing visible yet, only sealed segments are read', async () => {
  const files = [name(1, 'pcapng'), name(2, 'pcapng.part')];
  for (const [folderName, marks] of [
    ['none', null],
    ['torn', Buffer.alloc(4096)],
    ['nothing', marksPage(2n, 0n)],
  ] as const) {
    const sources = await segmentSources(folderOf(folderName, files, marks), 'x', []);
    expect(sources.map(({ segment: { id } }) => id)).toEqual([1n]);
  }
});

it('a page of marks gives its latest whole slot, and none where no slot is whole', () => {
  const page = marksPage(3n, 5000n);
  expect(decodeMarks(page)).toMatchObject({ segmentId: 3n, visibleBytes: 5000, state: 'capturing' });
  marksPage(4n, 1n, 8n).copy(page, 64, 192, 320);
  expect(decodeMarks(page)).toMatchObject({ segmentId: 4n });
  page[70]! ^= 1;
  expect(decodeMarks(page)).toMatchObject({ segmentId: 3n });
  page[200]! ^= 1;
  expect(decodeMarks(page)).toBeNull();
  expect(decodeMarks(page.subarray(0, 100))).toBeNull();
  expect(decodeMarks(Buffer.alloc(4096))).toBeNull();
});
