/** Which user serves below root. */
import { chownSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { chooseUser, ownerOf } from '../../src/privileged/user.js';
import { hasProgram, requireOrSkip } from '../setup/require.js';
import { temporaryFolder } from '../support/temporary.js';

const folder = temporaryFolder();

describe.runIf(requireOrSkip('getent', hasProgram('getent')))('--user', () => {
  it('takes a name, a number, and a number with a group', () => {
    const nobody = { uid: 65534, gid: 65534, name: 'nobody' };
    expect(chooseUser('nobody', [])).toEqual(nobody);
    expect(chooseUser('65534', [])).toEqual(nobody);
    expect(chooseUser('65534:123', [])).toEqual({ ...nobody, gid: 123 });
    expect(chooseUser('3999999999:123', [])).toEqual({ uid: 3_999_999_999, gid: 123, name: '3999999999' });
  });

  it.each([
    ['nosuchuser', 'there is no user "nosuchuser"'],
    ['', 'there is no user ""'],
    ['-s', 'there is no user "-s"'],
    ['no body', 'there is no user "no body"'],
    ['nobody:nogroup', 'there is no user "nobody:nogroup"'],
    ['12:', 'there is no user "12:"'],
    ['12:x', 'there is no user "12:x"'],
    [':12', 'there is no user ":12"'],
    ['3999999999', 'the user 3999999999 is not known here, so its group is needed too: 3999999999:GID'],
    ['4294967295:1', '4294967295:1 is beyond 4294967294'],
    ['1:4294967295', '1:4294967295 is beyond 4294967294'],
    ['root', 'root has the rights of root'],
    ['0', '0 has the rights of root'],
    ['0:12', '0:12 has the rights of root'],
    ['65534:0', '65534:0 has the rights of root'],
  ])('%j is refused', (given, sentence) => {
    const choose = (): unknown => chooseUser(given, []);
    expect(choose).toThrow(expect.objectContaining({ code: 'REQUEST_INVALID', message: expect.stringContaining(`--user: ${sentence}`) as string }));
  });
});

describe('without --user', () => {
  it('it is nobody where all is of root', () => {
    expect(chooseUser(undefined, [join(folder.path, 'none'), '/'])).toEqual({ uid: 65534, gid: 65534, name: 'nobody' });
  });

  it.runIf(requireOrSkip('root', process.getuid?.() === 0))('it is the first owner who is not root, never with the group of root', () => {
    const place = (name: string, uid: number, gid: number): string => {
      const path = join(folder.path, name);
      mkdirSync(path);
      chownSync(path, uid, gid);
      return path;
    };
    const [data, program, odd] = [place('data', 3_999_999_998, 5), place('program', 3_999_999_999, 6), place('odd', 3_999_999_997, 0)];
    expect(chooseUser(undefined, [data, program])).toMatchObject({ uid: 3_999_999_998, gid: 5 });
    expect(chooseUser(undefined, [folder.path, program])).toMatchObject({ uid: 3_999_999_999, gid: 6 });
    expect(chooseUser(undefined, [odd, program])).toMatchObject({ uid: 3_999_999_997, gid: 65534 });
    expect(ownerOf(folder.path)).toMatchObject({ uid: 0 });
    expect(ownerOf(join(folder.path, 'none'))).toBeNull();
  });
});
