/** Paths in requests, and whether the caller may do what is asked with them. */
import type { Caller } from '../../access/caller.js';
import { mayLookInto, mayReadFile, mayReadFolder, mayWriteFile } from '../../access/files.js';
import { SpillwayError } from '../../errors.js';
import type { Entry } from '../../state/file-entry.js';
import { fileNotFound } from '../../state/file-errors.js';
import { idOf, parsePath, type FilePath } from '../../state/file-path.js';
import type { FileSystem } from '../../state/filesystem.js';

/** A path that the caller may read as a file, or look into as a folder; what it may not is as if it were not there. */
export async function readable(files: FileSystem, caller: Caller, id: string): Promise<Entry> {
  const path = parsePath(id);
  if (!isReadable(caller, path, 'file') && !isReadable(caller, path, 'folder')) throw fileNotFound(path);
  const entry = await files.lookAt(path);
  if (!isReadable(caller, path, entry.kind)) throw fileNotFound(path);
  return entry;
}

/** A file that the caller may read. */
export async function readableFile(files: FileSystem, caller: Caller, id: string): Promise<FilePath> {
  const { path, kind } = await readable(files, caller, id);
  if (kind === 'folder') throw new SpillwayError('FILE_WRONG_KIND', `${JSON.stringify(idOf(path))} is a folder`);
  return path;
}

export function isReadable(caller: Caller, path: FilePath, kind: Entry['kind']): boolean {
  return kind === 'file' ? mayReadFile(caller, path) : mayLookInto(caller, path);
}

/** A folder is shown where the caller may read it, or something in it. */
export function isShown(caller: Caller, folder: { path: FilePath; files: unknown[]; folders: unknown[] }): boolean {
  return folder.files.length > 0 || folder.folders.length > 0 || mayReadFolder(caller, folder.path);
}

/** The same whether it is there or not: what others have is not told. */
export function needWritable(caller: Caller, path: FilePath): void {
  if (mayWriteFile(caller, path)) return;
  throw new SpillwayError('FILE_FORBIDDEN', `${JSON.stringify(idOf(path))} is not in the folder of ${caller.name}`);
}

/** Below an owner's folder, which itself stays what and where it is. */
export function needBelow(path: FilePath): void {
  if (path.length === 1) throw new SpillwayError('FILE_FORBIDDEN', `${JSON.stringify(idOf(path))} is an owner's folder, which stays`);
}
