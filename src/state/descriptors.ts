/**
 * Walking folders by their descriptors: each is opened relative to the one before (through /proc/self/fd, as openat
 * would) and never through a link, so nothing outside is reached, also when somebody exchanges a folder for a link meanwhile.
 */
import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';

const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK } = constants;

/** An open file by its descriptor. Workers are threads of this process: the name is good there too. */
export const inside = (handle: { fd: number }): string => `/proc/self/fd/${handle.fd}`;

/** Opens the folder that `parts` lead to from `root`; `failure` says what to throw where one of them can't be opened. */
export async function openFolder(
  root: string,
  parts: readonly string[],
  failure: (error: NodeJS.ErrnoException, part: string) => Error,
): Promise<FileHandle> {
  let folder: FileHandle | null = null;
  for (const part of parts) {
    // The root is nothing that a client could exchange: the first step may go through its name.
    const from: string = folder === null ? root : inside(folder);
    const inner: FileHandle | Error = await open(`${from}/${part}`, O_RDONLY | O_DIRECTORY | O_NOFOLLOW).catch((error: unknown) => error as Error);
    await folder?.close();
    if (inner instanceof Error) throw failure(inner, part);
    folder = inner;
  }
  return folder ?? open(root, O_RDONLY | O_DIRECTORY);
}

/** For what is believed to be a regular file; of a pipe that has taken its place nothing is waited for. */
export const READ_WITHOUT_LINKS = O_RDONLY | O_NOFOLLOW | O_NONBLOCK;

export function openWithoutLinks(path: string): Promise<FileHandle> {
  return open(path, READ_WITHOUT_LINKS);
}
