import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { filesUnder, forget, hashOf, isCurrent, note } from '../../scripts/lib/stamp.mjs';

const NAME = `test-of-stamps-${process.pid}`;
let folder: string;
const at = (name: string): string => join(folder, name);
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'spillway-'));
  mkdirSync(at('in'));
  writeFileSync(at('in/b.cc'), 'b');
  writeFileSync(at('in/a.cc'), 'a');
});
afterEach(() => {
  forget(NAME);
  rmSync(folder, { recursive: true });
});

it('lists files in a fixed order and leaves out what is not there', () => {
  expect(filesUnder([at('in'), at('nowhere')])).toEqual([at('in/a.cc'), at('in/b.cc')]);
  expect(filesUnder([at('in')], (path) => path.endsWith('b.cc'))).toEqual([at('in/b.cc')]);
});

it('hashes names and contents, not times', () => {
  const hash = (): string => hashOf(filesUnder([at('in')]), ['flag']);
  const before = hash();
  utimesSync(at('in/a.cc'), 1, 1);
  expect(hash()).toBe(before);
  expect(hashOf(filesUnder([at('in')]), ['other'])).not.toBe(before);
  writeFileSync(at('in/a.cc'), 'A');
  expect(hash()).not.toBe(before);
  writeFileSync(at('in/a.cc'), 'a');
  writeFileSync(at('in/c.cc'), '');
  expect(hash()).not.toBe(before);
});

it('is current only with the same hash, after the step went through, and while its product is there', () => {
  expect(isCurrent(NAME, 'h', [])).toBe(false);
  note(NAME, 'h');
  expect(isCurrent(NAME, 'h', [at('in/a.cc')])).toBe(true);
  expect(isCurrent(NAME, 'other', [at('in/a.cc')])).toBe(false);
  expect(isCurrent(NAME, 'h', [at('gone')])).toBe(false);
  forget(NAME);
  expect(isCurrent(NAME, 'h', [at('in/a.cc')])).toBe(false);
});
