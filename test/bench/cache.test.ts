/** Traffic on disk: made once, taken again only when whole, and refused with a sentence where it does not fit. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BenchRefusal } from '../../bench/refusal.js';
import { trafficFile, warm } from '../../bench/traffic/cache.js';

describe('trafficFile', () => {
  let dir = '';
  let told: string[] = [];
  const make = (bytes = 1 << 20) => trafficFile(dir, { profile: 'imix', seed: 1, bytes }, (line) => void told.push(line));
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'spillway-traffic-'));
    told = [];
  });
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  it('makes a file once', () => {
    const first = make();
    expect(statSync(first.path).size).toBe(first.bytes);
    expect(told).toHaveLength(1);
    expect(make()).toEqual(first);
    expect(told).toHaveLength(1);
    expect(() => warm(first.path)).not.toThrow();
  });

  it('makes it again when it is cut or its facts are gone', () => {
    const { path, bytes } = make();
    const whole = readFileSync(path);
    truncateSync(path, bytes - 1);
    expect(make().bytes).toBe(bytes);
    expect(readFileSync(path).equals(whole)).toBe(true);
    rmSync(`${path}.json`);
    make();
    expect(told).toHaveLength(3);
  });

  it('keeps seeds, sizes and profiles apart', () => {
    make();
    make(2 << 20);
    trafficFile(dir, { profile: 'imix', seed: 2, bytes: 1 << 20 }, () => undefined);
    trafficFile(dir, { profile: 'small', seed: 1, bytes: 1 << 20 }, () => undefined);
    expect(readdirSync(dir).filter((name) => name.endsWith('.pcap'))).toHaveLength(4);
  });

  it('refuses what the disk has no room for, and leaves nothing', () => {
    expect(() => make(2 ** 60)).toThrow(BenchRefusal);
    expect(() => make(2 ** 60)).toThrow(/MiB free .* needs .* another folder with --dir/);
    expect(readdirSync(dir)).toEqual([]);
  });

  it('leaves no file that looks whole when writing fails', () => {
    const blocked = join(dir, 'file');
    writeFileSync(blocked, '');
    expect(() => trafficFile(blocked, { profile: 'imix', seed: 1, bytes: 1 << 20 }, () => undefined)).toThrow();
    expect(readdirSync(dir)).toEqual(['file']);
  });
});
