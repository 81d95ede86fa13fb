/** What modes let a user reach, and what a view has to show where they do not. */
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { closedAbove, mayRead } from '../../src/privileged/reach.js';
import { coversFor } from '../../src/privileged/view.js';
import { temporaryFolder } from '../support/temporary.js';

const { path: root } = temporaryFolder();
const other = { uid: 3_999_999_999, gid: 3_999_999_999, name: 'other' };
const owner = { uid: process.getuid!(), gid: process.getgid!(), name: 'owner' };
const mates = { ...other, gid: owner.gid };
const [outer, inner, file] = ['a', 'a/b', 'a/b/package.json'].map((name) => join(root, name)) as [string, string, string];

mkdirSync(inner, { recursive: true });
writeFileSync(file, '{}');

beforeEach(() => {
  for (const path of [root, outer, inner]) chmodSync(path, 0o755);
  chmodSync(file, 0o644);
});

describe('reach', () => {
  it('is open where every folder may be gone through', () => {
    for (const path of [root, outer, inner]) chmodSync(path, 0o711);
    expect(closedAbove(file, other)).toBeNull();
    expect(mayRead(file, other)).toBe(true);
    expect(mayRead(inner, other)).toBe(false);
    expect(closedAbove('/', other)).toBeNull();
  });

  it('ends at the topmost folder that is closed', () => {
    chmodSync(inner, 0o700);
    expect(closedAbove(file, other)).toBe(inner);
    chmodSync(outer, 0o744);
    expect(closedAbove(file, other)).toBe(outer);
    expect(closedAbove(outer, other)).toBeNull();
    expect(closedAbove(file, owner)).toBeNull();
  });

  it('asks of the owner, the group or others alone', () => {
    chmodSync(file, 0o604);
    expect([owner, mates, other].map((user) => mayRead(file, user))).toEqual([true, false, true]);
    chmodSync(file, 0o040);
    expect([owner, mates, other].map((user) => mayRead(file, user))).toEqual([false, true, false]);
  });
});

describe('a view', () => {
  it('is not needed where all is open', () => {
    expect(coversFor(other, [file, inner])).toEqual([]);
  });

  it('covers each closed folder once, and shows what is needed of it', () => {
    chmodSync(outer, 0o700);
    expect(coversFor(other, [file, inner, root])).toEqual([
      {
        folder: outer,
        shown: [
          { path: file, copy: false },
          { path: inner, copy: false },
        ],
      },
    ]);
  });

  it('has a copy of a small file of a checkout that is closed itself', () => {
    chmodSync(inner, 0o700);
    chmodSync(file, 0o600);
    expect(coversFor(other, [file])).toEqual([{ folder: inner, shown: [{ path: file, copy: true }] }]);
  });

  it('can not be had of what stays unreadable', () => {
    chmodSync(file, 0o600);
    const sentence = (path: string): unknown =>
      expect.objectContaining({ code: 'PROGRAM_UNREACHABLE', message: expect.stringContaining(`other can not reach ${path},`) as string });
    expect(() => coversFor(other, [file])).toThrow(sentence(file));
    chmodSync(inner, 0o700);
    chmodSync(outer, 0o700);
    expect(() => coversFor(other, [inner])).toThrow(sentence(inner));
  });
});
