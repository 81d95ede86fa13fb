/** Changes of names: folders made, files and folders deleted and moved. Nothing is ever written over. */
import { link, lstat, mkdir, rename, rmdir, unlink, type FileHandle } from 'node:fs/promises';
import { SpillwayError } from '../errors.js';
import { entryOf, inFolderOf } from './file-entry.js';
import { fileError, fileExists } from './file-errors.js';
import type { FilePath } from './file-path.js';

/** Private to the user who runs the probe: captures hold what people sent. */
export const FOLDER_MODE = 0o700;

export async function makeFolder(root: string, path: FilePath): Promise<void> {
  await inFolderOf(root, path, async (place, parent) => {
    await mkdir(place, FOLDER_MODE);
    await parent.sync();
  });
}

/** Deletes a file or an empty folder. */
export async function remove(root: string, path: FilePath): Promise<void> {
  await inFolderOf(root, path, async (place, parent) => {
    const { kind } = entryOf(path, await lstat(place, { bigint: true }));
    await (kind === 'file' ? unlink(place) : rmdir(place));
    await parent.sync();
  });
}

/** Gives a file, or a folder with all it holds, another path that is free. */
export async function move(root: string, from: FilePath, to: FilePath): Promise<void> {
  await inFolderOf(root, from, (source, sourceFolder) =>
    inFolderOf(root, to, async (target, targetFolder) => {
      const { kind } = entryOf(from, await lstat(source, { bigint: true }));
      await (kind === 'file' ? moveFile(source, target, to) : moveFolder(source, target, to));
      await syncBoth(sourceFolder, targetFolder);
    }),
  );
}

/** `rename` would take the place of another file; a link never does. */
async function moveFile(source: string, target: string, to: FilePath): Promise<void> {
  try {
    await link(source, target);
  } catch (error) {
    if (!cannotLink(error)) throw explained(error, to);
    if (await lstat(target).catch(() => null)) throw fileExists(to);
    await rename(source, target).catch((why: unknown) => {
      throw explained(why, to);
    });
    return;
  }
  await unlink(source);
}

/** The name is taken by an empty folder first, which alone `rename` may take the place of. */
async function moveFolder(source: string, target: string, to: FilePath): Promise<void> {
  await mkdir(target, FOLDER_MODE);
  try {
    await rename(source, target);
  } catch (error) {
    await rmdir(target).catch(() => undefined);
    throw explained(error, to);
  }
}

/** Files of another user, and file systems without hard links. */
const cannotLink = (error: unknown): boolean => ['EPERM', 'EOPNOTSUPP', 'EMLINK'].includes((error as NodeJS.ErrnoException).code ?? '');

function explained(error: unknown, to: FilePath): SpillwayError {
  if ((error as NodeJS.ErrnoException).code !== 'EXDEV') return fileError(error, to);
  return new SpillwayError('DESTINATION_INVALID', 'the destination lies on another file system: copy the file and delete it');
}

async function syncBoth(one: FileHandle, other: FileHandle): Promise<void> {
  await other.sync();
  await one.sync();
}
