import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FileSink } from '../../src/state/file-sink.js';
import { HashSink } from '../../src/export/hash-sink.js';
import { requireOrSkip } from '../setup/require.js';
import { canMount, withSmallDisk } from '../export/small-disk.js';

let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'spillway-sink-'))));
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

const bytes = (text: string): Uint8Array => Buffer.from(text);
const openDescriptors = (): number => readdirSync('/proc/self/fd').length;

describe('a file that is written', () => {
  it('appears whole, and only at the end', async () => {
    const path = join(folder, 'out.pcap');
    const before = openDescriptors();
    const sink = await FileSink.open(path, { mode: 0o600 });
    await sink.write(bytes('one '));
    await sink.write(bytes('two'));
    expect(readdirSync(folder)).toEqual([expect.stringMatching(/^\.spillway-[0-9a-f]{16}\.part$/)]);
    await sink.finish();
    expect(readdirSync(folder)).toEqual(['out.pcap']);
    expect(readFileSync(path, 'utf8')).toBe('one two');
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(openDescriptors()).toBe(before);
  });

  it('takes the place of what was there, be it a link', async () => {
    writeFileSync(join(folder, 'kept'), 'kept');
    symlinkSync('kept', join(folder, 'out'));
    const sink = await FileSink.open(join(folder, 'out'), { fsync: false });
    await sink.write(bytes('new'));
    expect(readFileSync(join(folder, 'out'), 'utf8')).toBe('kept');
    await sink.finish();
    expect(readFileSync(join(folder, 'out'), 'utf8')).toBe('new');
    expect(readFileSync(join(folder, 'kept'), 'utf8')).toBe('kept');
  });

  it('takes the place of nothing where it may not', async () => {
    const one = await FileSink.open(join(folder, 'out'), { replaces: false });
    const two = await FileSink.open(join(folder, 'out'), { replaces: false });
    await one.write(bytes('one'));
    await one.finish();
    await expect(two.finish()).rejects.toMatchObject({ code: 'OUTPUT_FAILED', metrics: { errno: 'EEXIST' } });
    expect([readdirSync(folder), readFileSync(join(folder, 'out'), 'utf8')]).toEqual([['out'], 'one']);
  });

  it('leaves nothing when it is aborted, also twice or after the end', async () => {
    const before = openDescriptors();
    const sink = await FileSink.open(join(folder, 'out'));
    await sink.write(bytes('half'));
    await sink.abort();
    await sink.abort();
    expect(readdirSync(folder)).toEqual([]);
    const whole = await FileSink.open(join(folder, 'whole'));
    await whole.finish();
    await whole.abort();
    expect(readdirSync(folder)).toEqual(['whole']);
    expect(openDescriptors()).toBe(before);
  });

  it('leaves nothing when it can not take its name', async () => {
    mkdirSync(join(folder, 'out/full'), { recursive: true });
    const sink = await FileSink.open(join(folder, 'out'));
    await sink.write(bytes('x'));
    await expect(sink.finish()).rejects.toMatchObject({ code: 'OUTPUT_FAILED', message: expect.stringContaining('out') });
    expect(readdirSync(folder)).toEqual(['out']);
  });

  it('is refused where it can not be made', async () => {
    await expect(FileSink.open(join(folder, 'none/out'))).rejects.toMatchObject({
      code: 'OUTPUT_FAILED',
      message: expect.stringContaining('ENOENT'),
    });
  });

  it('goes on after a write that took a part', async () => {
    const sink = await FileSink.open(join(folder, 'out'));
    const probe = await open(join(folder, 'probe'), 'w');
    const prototype = Object.getPrototypeOf(probe) as { write: (...args: unknown[]) => Promise<unknown> };
    const write = prototype.write;
    vi.spyOn(prototype, 'write').mockImplementation(function (this: unknown, data: unknown, offset: unknown, length: unknown) {
      return write.call(this, data, offset, Math.min(length as number, 3));
    });
    await sink.write(bytes('0123456789'));
    await sink.finish();
    expect(readFileSync(join(folder, 'out'), 'utf8')).toBe('0123456789');
    await probe.close();
  });
});

describe.runIf(requireOrSkip('the right to mount a file system', canMount()))('on a full disk', () => {
  it('one sentence tells, and nothing is left', async () => {
    const disk = join(folder, 'disk');
    await withSmallDisk(disk, async () => {
      const sink = await FileSink.open(join(disk, 'out.pcap'));
      await sink.write(Buffer.alloc(512 << 10));
      await expect(sink.write(Buffer.alloc(1 << 20))).rejects.toMatchObject({
        code: 'OUTPUT_FAILED',
        message: 'writing the output file out.pcap failed: there is no space left',
        metrics: { errno: 'ENOSPC' },
      });
      await sink.abort();
      expect(readdirSync(disk)).toEqual([]);
    });
  });
});

describe('the hash of what passes', () => {
  it('is that of the whole, once it is whole', async () => {
    const sink = new HashSink(await FileSink.open(join(folder, 'out')));
    await sink.write(bytes('ab'));
    await sink.write(bytes('c'));
    expect(() => sink.sha256).toThrow();
    await sink.finish();
    expect(sink.sha256).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  });
});
