/** Walks and changes below the file service, where somebody else changes folders meanwhile. */
import { execFileSync } from 'node:child_process';
import { linkSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SpillwayError } from '../../src/errors.js';
import { identityOf } from '../../src/state/file-entry.js';
import { childOf, encodedIdOf, idOf, isNameable, parsePath, type FilePath } from '../../src/state/file-path.js';
import type { Listed } from '../../src/state/file-list.js';
import { FileSystem } from '../../src/state/filesystem.js';

let root: string;
let files: FileSystem;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'spillway-fs-'));
  mkdirSync(join(root, 'fs/admin/deep'), { recursive: true });
  writeFileSync(join(root, 'secret'), 'secret');
  writeFileSync(join(root, 'fs/admin/deep/b'), 'bbb');
  files = new FileSystem(join(root, 'fs'));
});
afterEach(() => rmSync(root, { recursive: true }));

const all = { isWanted: () => true, look: async () => null };
const idsOf = ({ path, files: own, folders }: Listed<null>): string[] => [
  idOf(path),
  ...own.map((file) => idOf(file.path)),
  ...folders.flatMap(idsOf),
];

/** Exchanges `admin/deep` for a link to the outside and back, while `work` runs. */
async function whileSwapped(work: () => Promise<void>): Promise<void> {
  const folder = join(root, 'fs/admin/deep');
  let isSwapping = true;
  const swap = async (): Promise<void> => {
    while (isSwapping) {
      renameSync(folder, `${folder}-aside`);
      symlinkSync('../../..', folder);
      await new Promise(setImmediate);
      rmSync(folder);
      renameSync(`${folder}-aside`, folder);
      await new Promise(setImmediate);
    }
  };
  const swapper = swap();
  await work();
  isSwapping = false;
  await swapper;
}

describe('a path', () => {
  it('is read back as it was written, whatever its names', () => {
    const name = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }).filter((text) => !text.includes('/') && isNameable(text));
    fc.assert(
      fc.property(fc.array(name, { minLength: 1, maxLength: 16 }), (names) => {
        const path = names as unknown as FilePath;
        expect(parsePath(idOf(path))).toEqual(names);
        expect(parsePath(decodeURIComponent(encodedIdOf(path)))).toEqual(names);
      }),
    );
  });

  it('never leads anywhere else, whatever is asked', () => {
    const piece = fc.constantFrom('..', '.', '/', '//', 'admin', '\0', '%2e', '\\', '...', ' ', '.spillway-0.part', '\u007f', '\ud800');
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const text = pieces.join('');
        let path: FilePath;
        try {
          path = parsePath(text);
        } catch (error) {
          expect(error).toMatchObject({ code: 'FILE_NAME_INVALID' });
          return;
        }
        expect(join('/root', ...path).startsWith('/root/')).toBe(true);
        expect(path.some((name) => name === '' || name === '..' || name === '.' || name.includes('\0'))).toBe(false);
      }),
    );
  });

  it('takes a name of 255 bytes, and none of 256', () => {
    expect(childOf(['admin'], 'a'.repeat(255))).toHaveLength(2);
    for (const name of ['a'.repeat(256), 'ö'.repeat(128)]) expect(() => childOf(['admin'], name)).toThrow(SpillwayError);
  });
});

describe('while a folder is exchanged for a link', () => {
  it('nothing outside is listed or read', async () => {
    await whileSwapped(async () => {
      for (let i = 0; i < 150; i++) {
        const listed = idsOf(await files.list(['admin'], all)).join();
        expect(listed).not.toContain('secret');
        const file = await files.openEntry(['admin', 'deep', 'secret']).catch((error: unknown) => (error as SpillwayError).code);
        expect(file).toBe('FILE_NOT_FOUND');
      }
    });
  });

  it('nothing outside is deleted, moved or made', async () => {
    await whileSwapped(async () => {
      for (let i = 0; i < 150; i++) {
        await files.remove(['admin', 'deep', 'secret']).catch(() => undefined);
        await files.move(['admin', 'deep', 'secret'], ['admin', 'stolen']).catch(() => undefined);
        await files.makeFolder(['admin', 'deep', 'made']).catch(() => undefined);
      }
    });
    expect(readdirSync(root).sort()).toEqual(['fs', 'secret']);
    expect(readFileSync(join(root, 'secret'), 'utf8')).toBe('secret');
  });
});

describe('a list', () => {
  it('goes on where files and folders go meanwhile', async () => {
    for (let i = 0; i < 40; i++) {
      writeFileSync(join(root, `fs/admin/${i}`), '');
      mkdirSync(join(root, `fs/admin/folder${i}`));
    }
    const look = async (): Promise<null> => {
      for (let i = 0; i < 40; i += 2) {
        rmSync(join(root, `fs/admin/${i}`), { force: true });
        rmSync(join(root, `fs/admin/folder${i}`), { force: true, recursive: true });
      }
      return null;
    };
    const listed = await files.list(['admin'], { isWanted: () => true, look });
    expect(listed.folders.length).toBe(21);
    expect(idsOf(await files.list(['admin'], all)).length).toBe(1 + 20 + 21 + 1);
  });

  it('leaves out names that nobody could ask for', async () => {
    execFileSync('sh', ['-c', `touch "$(printf '${root}/fs/admin/\\377')"`]);
    writeFileSync(join(root, 'fs/admin/\u0001'), '');
    expect(idsOf(await files.list(['admin'], all))).toEqual(['/admin', '/admin/deep', '/admin/deep/b']);
  });

  it('fails where a file can not be looked at', async () => {
    const look = async (): Promise<null> => {
      throw Object.assign(new Error('x'), { code: 'EIO' });
    };
    await expect(files.list(['admin'], { isWanted: () => true, look })).rejects.toMatchObject({
      code: 'FILE_FAILED',
      message: expect.stringContaining('EIO'),
    });
  });
});

describe('the identity of a file', () => {
  it('changes with its bytes and with itself', async () => {
    const path: FilePath = ['admin', 'deep', 'b'];
    const now = async (): Promise<string> => identityOf((await files.lookAt(path)).stat);
    const first = await now();
    expect(await now()).toBe(first);
    writeFileSync(join(root, 'fs/admin/deep/b'), 'longer');
    const second = await now();
    writeFileSync(join(root, 'fs/new'), 'longer');
    renameSync(join(root, 'fs/new'), join(root, 'fs/admin/deep/b'));
    expect(new Set([first, second, await now()]).size).toBe(3);
  });
});

describe('a move', () => {
  const contentOf = (path: string): string => readFileSync(join(root, 'fs', path), 'utf8');

  it('never takes the place of another, also not of one that comes meanwhile', async () => {
    mkdirSync(join(root, 'fs/admin/one'));
    mkdirSync(join(root, 'fs/admin/two'));
    writeFileSync(join(root, 'fs/admin/there'), 'there');
    await expect(files.move(['admin', 'deep', 'b'], ['admin', 'there'])).rejects.toMatchObject({ code: 'FILE_EXISTS' });
    await expect(files.move(['admin', 'one'], ['admin', 'two'])).rejects.toMatchObject({ code: 'FILE_EXISTS' });
    await expect(files.move(['admin', 'one'], ['admin', 'there'])).rejects.toMatchObject({ code: 'FILE_EXISTS' });
    const moves = await Promise.allSettled([files.move(['admin', 'one'], ['admin', 'new']), files.move(['admin', 'two'], ['admin', 'new'])]);
    expect(moves.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect([contentOf('admin/deep/b'), contentOf('admin/there'), readdirSync(join(root, 'fs/admin')).length]).toEqual(['bbb', 'there', 4]);
  });

  it('of a file with two names takes one of them', async () => {
    linkSync(join(root, 'fs/admin/deep/b'), join(root, 'fs/admin/c'));
    await files.move(['admin', 'deep', 'b'], ['admin', 'd']);
    expect([contentOf('admin/c'), contentOf('admin/d'), readdirSync(join(root, 'fs/admin')).sort()]).toEqual(['bbb', 'bbb', ['c', 'd', 'deep']]);
  });

  it('of links and pipes is none', async () => {
    symlinkSync('../../secret', join(root, 'fs/admin/link'));
    execFileSync('mkfifo', [join(root, 'fs/admin/pipe')]);
    for (const name of ['link', 'pipe']) {
      await expect(files.move(['admin', name], ['admin', 'moved'])).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
      await expect(files.remove(['admin', name])).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
    }
  });
});
