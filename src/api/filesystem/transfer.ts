/** Copies and moves: where a file is to go, and its way there. */
import type { Caller } from '../../access/caller.js';
import { SpillwayError } from '../../errors.js';
import { childOf, folderOf, idOf, nameOf, parsePath, type FilePath } from '../../state/file-path.js';
import type { FileSystem } from '../../state/filesystem.js';
import { needBelow, needWritable, readable, readableFile } from './access.js';
import type { Receiver } from './receive.js';

/** Resolves to the path of the copy. `signal` gives up. */
export async function copyFile(
  files: FileSystem,
  receiver: Receiver,
  caller: Caller,
  id: string,
  to: string,
  signal: AbortSignal,
): Promise<FilePath> {
  const from = await readableFile(files, caller, id);
  const target = await targetOf(files, caller, from, to);
  const file = await files.openEntry(from);
  try {
    await receiver.copy(file, target, signal);
  } finally {
    await file.handle.close();
  }
  return target;
}

/** Of a file, or a folder with all it holds. Resolves to its new path. */
export async function moveFile(files: FileSystem, caller: Caller, id: string, to: string): Promise<FilePath> {
  const { path: from } = await readable(files, caller, id);
  needWritable(caller, from);
  needBelow(from);
  const target = await targetOf(files, caller, from, to);
  if (from.every((name, i) => target[i] === name) && target.length > from.length) {
    throw new SpillwayError('DESTINATION_INVALID', `the destination ${JSON.stringify(to)} lies in the folder that is to be moved`);
  }
  await files.move(from, target);
  return target;
}

/** A folder that is there keeps the name of the file; else its own folder must be there. */
async function targetOf(files: FileSystem, caller: Caller, from: FilePath, to: string): Promise<FilePath> {
  const path = parsePath(to);
  needWritable(caller, path);
  if (path[0] === caller.name) await files.makeOwnersFolder(caller.name);
  const there = await files.lookAt(path).catch(ifNotFound);
  if (there?.kind === 'folder') return childOf(path, nameOf(from));
  const folder = folderOf(path);
  const around = folder === null ? null : await files.lookAt(folder).catch(ifNotFound);
  if (around?.kind !== 'folder') {
    throw new SpillwayError('DESTINATION_INVALID', `the destination ${JSON.stringify(idOf(path))} is not in a folder that is there`);
  }
  return path;
}

function ifNotFound(error: unknown): null {
  if (error instanceof SpillwayError && error.code === 'FILE_NOT_FOUND') return null;
  throw error;
}
