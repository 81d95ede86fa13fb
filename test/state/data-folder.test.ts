import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openDataFolder } from '../../src/state/data-folder.js';
import { partName } from '../../src/state/part-files.js';

let parent: string;
let path: string;
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'spillway-data-'));
  path = join(parent, 'new/data');
});
afterEach(() => rmSync(parent, { recursive: true }));

it('makes everything at first, for its user alone, and the sample only then', async () => {
  const first = await openDataFolder(path);
  expect(statSync(path).mode & 0o777).toBe(0o700);
  expect(readdirSync(join(path, 'fs/admin'))).toEqual(['sample.pcap']);
  rmSync(join(path, 'fs/admin/sample.pcap'));
  first.close();
  const second = await openDataFolder(path);
  expect(readdirSync(join(path, 'fs/admin'))).toEqual([]);
  second.close();
});

it('is opened once at a time', async () => {
  const first = await openDataFolder(path);
  await expect(openDataFolder(path)).rejects.toMatchObject({ code: 'DATA_FOLDER_LOCKED' });
  first.close();
});

it('sweeps unfinished files and nothing else, and follows no link', async () => {
  (await openDataFolder(path)).close();
  mkdirSync(join(path, 'fs/admin/deep'));
  const outside = join(parent, partName());
  const keep = ['fs/admin/a.part', 'fs/admin/.spillway-xyz.part', 'fs/admin/.spillway-0123456789abcdef.part.pcap'];
  const sweep = [`fs/admin/${partName()}`, `fs/admin/deep/${partName()}`];
  for (const name of [...keep, ...sweep]) writeFileSync(join(path, name), '');
  writeFileSync(outside, '');
  symlinkSync(parent, join(path, 'fs/admin/elsewhere'));
  const data = await openDataFolder(path);
  expect(data.sweptFiles).toBe(2);
  expect(keep.filter((name) => !existsSync(join(path, name)))).toEqual([]);
  expect(sweep.filter((name) => existsSync(join(path, name)))).toEqual([]);
  expect(existsSync(outside)).toBe(true);
  data.close();
});

it('says what is in its way', async () => {
  writeFileSync(join(parent, 'new'), 'a file');
  await expect(openDataFolder(path)).rejects.toMatchObject({ code: 'DATA_FOLDER_UNUSABLE', message: expect.stringContaining(path) });
});

it('gives the lock back when something else is in its way', async () => {
  mkdirSync(path, { recursive: true });
  writeFileSync(join(path, 'fs'), 'a file');
  await expect(openDataFolder(path)).rejects.toMatchObject({ code: 'DATA_FOLDER_UNUSABLE' });
  rmSync(join(path, 'fs'));
  (await openDataFolder(path)).close();
});
