import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FileSystem } from '../../src/state/filesystem.js';

let root: string;
let files: FileSystem;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'spillway-fs-'));
  mkdirSync(join(root, 'fs/admin/deep'), { recursive: true });
  mkdirSync(join(root, 'fs/ann'));
  writeFileSync(join(root, 'secret'), 'secret');
  writeFileSync(join(root, 'fs/admin/a.pcap'), 'aaa');
  writeFileSync(join(root, 'fs/admin/deep/b.pcap'), 'bbb');
  symlinkSync('a.pcap', join(root, 'fs/admin/link.pcap'));
  symlinkSync('../../secret', join(root, 'fs/admin/out.pcap'));
  symlinkSync('deep', join(root, 'fs/admin/shallow'));
  symlinkSync('/', join(root, 'fs/root'));
  execFileSync('mkfifo', [join(root, 'fs/admin/pipe')]);
  files = new FileSystem(join(root, 'fs'));
});
afterEach(() => rmSync(root, { recursive: true }));

const openDescriptors = (): number => readdirSync('/proc/self/fd').length;

describe('opening a source', () => {
  it.each(['admin/a.pcap', 'admin/deep/b.pcap'])('reads %s', async (path) => {
    const file = await files.openFile(path, `fs/${path}`);
    expect(readFileSync(file.path, 'utf8')).toBe(readFileSync(join(root, 'fs', path), 'utf8'));
    expect(file.name).toBe(`fs/${path}`);
    await file.close();
  });

  it('keeps what it opened when the name is given to another file', async () => {
    const file = await files.openFile('admin/a.pcap', 'x');
    rmSync(join(root, 'fs/admin/a.pcap'));
    symlinkSync('../../secret', join(root, 'fs/admin/a.pcap'));
    expect(readFileSync(file.path, 'utf8')).toBe('aaa');
    await file.close();
  });

  it.each([
    ['admin/none.pcap', 'SOURCE_NOT_FOUND', 'does not exist'],
    ['nobody/a.pcap', 'SOURCE_NOT_FOUND', 'there is no folder "nobody"'],
    ['admin', 'SOURCE_NOT_FOUND', 'is not <owner>/<file>'],
    ['admin/', 'SOURCE_NOT_FOUND', 'is not <owner>/<file>'],
    ['admin//a.pcap', 'SOURCE_NOT_FOUND', 'is not <owner>/<file>'],
    ['../secret', 'SOURCE_NOT_FOUND', 'holds . or ..'],
    ['admin/../../secret', 'SOURCE_NOT_FOUND', 'holds . or ..'],
    ['admin/./a.pcap', 'SOURCE_NOT_FOUND', 'holds . or ..'],
    ['admin/a.pcap/..', 'SOURCE_NOT_FOUND', 'holds . or ..'],
    ['admin/a.pcap/x', 'SOURCE_NOT_FOUND', 'is a link or no folder'],
    ['admin/a\0.pcap', 'SOURCE_NOT_FOUND', 'NUL'],
    [`admin/${'a'.repeat(256)}`, 'SOURCE_NOT_FOUND', 'longer than 255'],
    ['admin/link.pcap', 'SOURCE_NOT_FOUND', 'is a link'],
    ['admin/out.pcap', 'SOURCE_NOT_FOUND', 'is a link'],
    ['admin/shallow/b.pcap', 'SOURCE_NOT_FOUND', 'is a link or no folder'],
    ['root/etc/hostname', 'SOURCE_NOT_FOUND', 'is a link or no folder'],
    ['admin/deep', 'SOURCE_NOT_A_CAPTURE', 'is a folder'],
    ['admin/pipe', 'SOURCE_NOT_A_CAPTURE', 'is a pipe'],
  ])('refuses %j: %s', async (path, code, words) => {
    const before = openDescriptors();
    await expect(files.openFile(path, `fs/${path}`)).rejects.toMatchObject({ code, message: expect.stringContaining(words) });
    expect(openDescriptors()).toBe(before);
  });

  it('refuses a socket', async () => {
    const server = createServer().listen(join(root, 'fs/admin/sock'));
    await expect(files.openFile('admin/sock', 'fs/admin/sock')).rejects.toMatchObject({ code: 'SOURCE_NOT_A_CAPTURE' });
    server.close();
  });

  it('never follows a folder that is exchanged for a link while it looks', async () => {
    const folder = join(root, 'fs/admin/deep');
    writeFileSync(join(root, 'b.pcap'), 'outside');
    let swapping = true;
    const swap = async (): Promise<void> => {
      while (swapping) {
        renameSync(folder, `${folder}-aside`);
        symlinkSync('../..', folder);
        await new Promise(setImmediate);
        rmSync(folder);
        renameSync(`${folder}-aside`, folder);
        await new Promise(setImmediate);
      }
    };
    const swapper = swap();
    const seen = new Set<string>();
    for (let i = 0; i < 300; i++) {
      const file = await files.openFile('admin/deep/b.pcap', 'x').catch(() => null);
      seen.add(file === null ? 'refused' : readFileSync(file.path, 'utf8'));
      await file?.close();
    }
    swapping = false;
    await swapper;
    expect(seen.has('outside')).toBe(false);
    expect(seen.has('bbb')).toBe(true);
  });
});

describe('a place for an output file', () => {
  it.each(['/admin/new.pcap', '/admin/a.pcap', '/admin/deep/new.pcap'])('is found for %s', async (path) => {
    const place = await files.place(path, 'admin');
    writeFileSync(place.path, 'out');
    expect(readFileSync(join(root, 'fs', path), 'utf8')).toBe('out');
    await place.close();
  });

  it.each([
    ['admin/new.pcap', 'OUTPUT_INVALID', 'begin with /'],
    ['/new.pcap', 'OUTPUT_INVALID', 'is not <owner>/<file>'],
    ['//admin/new.pcap', 'OUTPUT_INVALID', 'is not <owner>/<file>'],
    ['/admin/', 'OUTPUT_INVALID', 'is not <owner>/<file>'],
    ['/admin/../ann/new.pcap', 'OUTPUT_INVALID', 'holds . or ..'],
    ['/../secret', 'OUTPUT_INVALID', 'holds . or ..'],
    ['/admin/new\n.pcap', 'OUTPUT_INVALID', 'control character'],
    ['/admin/.spillway-0123456789abcdef.part', 'OUTPUT_INVALID', 'unfinished'],
    ['/ann/new.pcap', 'OUTPUT_FORBIDDEN', 'another owner'],
    ['/root/tmp', 'OUTPUT_FORBIDDEN', 'another owner'],
    ['/admin/none/new.pcap', 'OUTPUT_INVALID', 'there is no folder "none"'],
    ['/admin/shallow/new.pcap', 'OUTPUT_INVALID', 'is a link or no folder'],
    ['/admin/link.pcap', 'OUTPUT_INVALID', 'is a link'],
    ['/admin/deep', 'OUTPUT_INVALID', 'is a folder'],
    ['/admin/pipe', 'OUTPUT_INVALID', 'is a pipe'],
  ])('is refused for %j: %s', async (path, code, words) => {
    const before = openDescriptors();
    await expect(files.place(path, 'admin')).rejects.toMatchObject({ code, message: expect.stringContaining(words) });
    expect(openDescriptors()).toBe(before);
  });
});
