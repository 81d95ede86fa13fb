/** What a user can be called, may read, and finds in `fs/`. */
import { chmodSync, mkdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { BY, TestAccess } from './harness.js';

vi.mock('../../src/access/password.js', () => import('./quick-password.js'));
const plain = { role: 'reader', sources: null } as const;

describe('a name', () => {
  let access: TestAccess['access'] | undefined;
  it.each(['a', '0', 'A.b-c_d', 'admin', 'x'.repeat(32)])('%s is taken, and has a folder', async (name) => {
    const { access, folder } = await TestAccess.open();
    await access.users.add(name, 'x', plain, BY);
    const { mode } = statSync(join(folder.path, 'fs', name));
    expect(name === 'admin' || (mode & 0o777) === 0o700).toBe(true);
  });

  it.each(['', '.', '..', '.a', '-a', '_a', 'a/b', '../a', 'a\0', 'a b', 'a:b', 'ä', 'a%2fb', 'x'.repeat(33), 'a\n'])(
    '%j is refused, and nothing is made',
    async (name) => {
      access ??= (await TestAccess.keep()).access;
      await expect(access.users.add(name, 'x', plain, BY)).rejects.toMatchObject({ code: 'REQUEST_INVALID' });
      expect(access.users.isEmpty).toBe(true);
    },
  );

  it('is had by one user, also when two are added at once', async () => {
    const { access } = await TestAccess.open();
    const both = await Promise.allSettled([access.users.add('ann', 'x', plain, BY), access.users.add('ann', 'y', plain, BY)]);
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    await expect(access.users.add('ann', 'x', plain, BY)).rejects.toMatchObject({ code: 'USER_EXISTS' });
  });

  it.each(['a link', 'a file'])('whose folder is %s is refused', async (what) => {
    const { access, folder } = await TestAccess.open();
    const path = join(folder.path, 'fs/ann');
    if (what === 'a link') symlinkSync('/tmp', path);
    else writeFileSync(path, '');
    await expect(access.users.add('ann', 'x', plain, BY)).rejects.toMatchObject({ code: 'DATA_FOLDER_UNUSABLE' });
    rmSync(path);
    mkdirSync(path);
    chmodSync(path, 0o700);
    await access.users.add('ann', 'x', plain, BY);
  });
});

describe('a source', () => {
  let kept: TestAccess | undefined;
  it.each(['*', 'jobs/uplinks', 'jobs/*', 'fs/ann/day*', 'interfaces/eth0', 'vifgs/1000', 'clips/x'])('%s is taken', async (source) => {
    const { users } = (kept ??= await TestAccess.keep()).access;
    if (users.isEmpty) await users.add('ann', 'x', plain, BY);
    expect(await users.change('ann', { role: 'reader', sources: [source] }, undefined, BY)).toEqual({
      name: 'ann',
      role: 'reader',
      sources: [source],
    });
  });

  it.each(['', 'jobs', '/fs/ann/x', 'jobs/*/x', 'jobs/a**', 'other/x', 'fs/\0', `fs/${'x'.repeat(300)}`])('%j is refused', async (source) => {
    const { users } = (kept ??= await TestAccess.keep()).access;
    await expect(users.add('bob', 'x', { role: 'reader', sources: [source] }, BY)).rejects.toMatchObject({ code: 'REQUEST_INVALID' });
    if (users.isEmpty) await users.add('ann', 'x', plain, BY);
    await expect(users.change('ann', { role: 'reader', sources: [source] }, undefined, BY)).rejects.toMatchObject({ code: 'REQUEST_INVALID' });
  });

  it('is one of some, not of thousands', async () => {
    const { access } = await TestAccess.open();
    const sources = Array.from({ length: 65 }, (_, i) => `jobs/${i}`);
    await expect(access.users.add('ann', 'x', { role: 'reader', sources }, BY)).rejects.toMatchObject({ code: 'REQUEST_INVALID' });
  });
});

it('what is not there is not changed or removed', async () => {
  const { access } = await TestAccess.open();
  await expect(access.users.change('ann', plain, undefined, BY)).rejects.toMatchObject({ code: 'USER_NOT_FOUND' });
  expect(() => access.users.remove('ann', BY)).toThrow(expect.objectContaining({ code: 'USER_NOT_FOUND' }));
  expect(() => access.users.get('ann')).toThrow(expect.objectContaining({ code: 'USER_NOT_FOUND' }));
});
