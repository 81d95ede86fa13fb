/** One file or folder: what it is, and its bytes. Links, pipes and devices are as if they were not there. */
import type { BigIntStats } from 'node:fs';
import { lstat, type FileHandle } from 'node:fs/promises';
import { SpillwayError } from '../errors.js';
import { inside, openFolder, openWithoutLinks } from './descriptors.js';
import { fileError, fileNotFound } from './file-errors.js';
import { idOf, nameOf, type FilePath } from './file-path.js';

export interface Entry {
  readonly path: FilePath;
  readonly kind: 'file' | 'folder';
  readonly stat: BigIntStats;
}

/** A regular file that is open for reading. */
export interface OpenEntry extends Entry {
  readonly handle: FileHandle;
}

export async function lookAt(root: string, path: FilePath): Promise<Entry> {
  return inFolderOf(root, path, async (place) => entryOf(path, await lstat(place, { bigint: true })));
}

/** Opens a file; whoever asks closes its `handle`. */
export async function openEntry(root: string, path: FilePath): Promise<OpenEntry> {
  return inFolderOf(root, path, async (place) => {
    // It looks before it opens, since opening a pipe or a device can have effects, and again after.
    needFile(entryOf(path, await lstat(place, { bigint: true })));
    const handle = await openWithoutLinks(place);
    try {
      const entry = entryOf(path, await handle.stat({ bigint: true }));
      needFile(entry);
      return { ...entry, handle };
    } catch (error) {
      await handle.close();
      throw error;
    }
  });
}

/** What changes when a file does: its device, inode, size, and the times of its last changes. */
export function identityOf({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return [dev, ino, size, mtimeNs, ctimeNs].map((number) => number.toString(36)).join('-');
}

/** Runs `work` with the place of a file in its folder, which is open meanwhile. */
export async function inFolderOf<T>(root: string, path: FilePath, work: (place: string, folder: FileHandle) => Promise<T>): Promise<T> {
  const folder = await openFolder(root, path.slice(0, -1), (error) => fileError(error, path));
  try {
    return await work(`${inside(folder)}/${nameOf(path)}`, folder);
  } catch (error) {
    throw fileError(error, path);
  } finally {
    await folder.close();
  }
}

/** A file or a folder; whatever else stands there is not found. */
export function entryOf(path: FilePath, stat: BigIntStats): Entry {
  if (stat.isFile() && path.length > 1) return { path, kind: 'file', stat };
  if (stat.isDirectory()) return { path, kind: 'folder', stat };
  throw fileNotFound(path);
}

function needFile({ path, kind }: Entry): void {
  if (kind === 'folder') throw new SpillwayError('FILE_WRONG_KIND', `${JSON.stringify(idOf(path))} is a folder`);
}
