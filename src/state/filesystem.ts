/**
 * The file system that clients see: `<data>/fs/<owner>/…`. Paths of clients are walked folder by folder, never through a
 * link (descriptors.ts). What is returned stays open and is named by its descriptor.
 */
import { closeSync, fstatSync, lstatSync, openSync } from 'node:fs';
import { lstat, mkdir, open, statfs, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { SpillwayError, type ErrorCode } from '../errors.js';
import { inside, openFolder, READ_WITHOUT_LINKS } from './descriptors.js';
import { FOLDER_MODE, makeFolder, move, remove } from './file-changes.js';
import { lookAt, openEntry, type Entry, type OpenEntry } from './file-entry.js';
import { fileError, fileExists } from './file-errors.js';
import { Listing, type Listed, type ListOptions } from './file-list.js';
import { NAME_BYTES_MAX, folderOf, idOf, nameOf, type FilePath } from './file-path.js';
import { isPartName } from './part-files.js';

/** A file that is open for reading, or a place in an open folder; `path` holds until `close`. */
export interface Opened {
  /** What to hand to the system. */
  readonly path: string;
  /** What to call it. */
  readonly name: string;
  close(): Promise<void>;
}

/** Its descriptor is closed with it. */
export interface OpenedFile extends Opened {
  readonly fd: number;
}

export class FileSystem {
  /** `root`: the `fs` folder. */
  constructor(private readonly root: string) {}

  /** Opens a regular file; `path` is `<owner>/<file>`, and `name` what sentences call it. */
  async openFile(path: string, name: string): Promise<OpenedFile> {
    const refuse: Refuse = (why, code = 'SOURCE_NOT_FOUND') => new SpillwayError(code, `source ${name} ${why}`);
    const parts = split(path, 2, refuse);
    const folder = await this.#folder(parts.slice(0, -1), refuse, 'SOURCE_UNREADABLE');
    try {
      const fd = openRegular(`${inside(folder)}/${parts.at(-1)}`, refuse);
      return { path: inside({ fd }), fd, name, close: async () => closeSync(fd) };
    } finally {
      await folder.close();
    }
  }

  /** A place for a new file, `/<owner>/<file>`, in a folder that exists and that `owner` may write to. */
  async place(path: string, owner: string): Promise<Opened> {
    const refuse: Refuse = (why, code = 'OUTPUT_INVALID') => new SpillwayError(code, `config.output_filename ${JSON.stringify(path)} ${why}`);
    if (!path.startsWith('/')) throw refuse('does not begin with /: it is /<owner>/<file>');
    const parts = split(path.slice(1), 2, refuse);
    if (/[\u0000-\u001f\u007f]/.test(path)) throw refuse('holds a control character');
    const file = parts.at(-1)!;
    if (isPartName(file)) throw refuse('is a name that is kept for unfinished files');
    if (parts[0] !== owner) throw refuse(`lies in the folder of another owner than ${owner}`, 'OUTPUT_FORBIDDEN');
    const folder = await this.#folder(parts.slice(0, -1), refuse, 'OUTPUT_FAILED');
    const target = `${inside(folder)}/${file}`;
    const there = await lstat(target).catch(() => null);
    if (there !== null && !there.isFile()) {
      await folder.close();
      throw refuse(`is there already and is ${kindOf(there)}`);
    }
    return { path: target, name: path, close: () => folder.close() };
  }

  /** What a path leads to; FILE_NOT_FOUND where that is nothing, or a link. */
  lookAt(path: FilePath): Promise<Entry> {
    return lookAt(this.root, path);
  }

  /** Opens a file for reading; whoever asks closes its `handle`. */
  openEntry(path: FilePath): Promise<OpenEntry> {
    return openEntry(this.root, path);
  }

  /** What a folder holds, with all that is below it. */
  list<T>(path: FilePath, options: ListOptions<T>): Promise<Listed<T>> {
    return new Listing(this.root, options).of(path);
  }

  /** What the folders of all owners hold. */
  listAll<T>(options: ListOptions<T>): Promise<Listed<T>[]> {
    return new Listing(this.root, options).all();
  }

  /** A place for a new file whose name is free, in a folder that exists; and how many bytes it may have there. */
  async vacancy(path: FilePath): Promise<Opened & { freeBytes: number }> {
    const folder = await openFolder(this.root, path.slice(0, -1), (error) => fileError(error, folderOf(path) ?? path));
    try {
      const place = `${inside(folder)}/${nameOf(path)}`;
      if (await lstat(place).catch(ifMissing)) throw fileExists(path);
      const { bavail, bsize } = await statfs(inside(folder));
      return { path: place, name: idOf(path), freeBytes: bavail * bsize, close: () => folder.close() };
    } catch (error) {
      await folder.close();
      throw fileError(error, path);
    }
  }

  /** Makes the folder of an owner where it is missing. */
  async makeOwnersFolder(owner: string): Promise<void> {
    const made = await mkdir(join(this.root, owner), { recursive: true, mode: FOLDER_MODE }).catch((error: unknown) => {
      throw fileError(error, [owner]);
    });
    if (made !== undefined) await this.#sync();
  }

  makeFolder(path: FilePath): Promise<void> {
    return makeFolder(this.root, path);
  }

  /** Deletes a file or an empty folder. */
  remove(path: FilePath): Promise<void> {
    return remove(this.root, path);
  }

  /** Gives a file, or a folder with all it holds, another path that is free. */
  move(from: FilePath, to: FilePath): Promise<void> {
    return move(this.root, from, to);
  }

  #folder(parts: string[], refuse: Refuse, failure: ErrorCode): Promise<FileHandle> {
    return openFolder(this.root, parts, (error, part) => whyNot(error, `the folder ${JSON.stringify(part)}`, refuse, failure));
  }

  async #sync(): Promise<void> {
    const folder = await open(this.root);
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  }
}

type Refuse = (why: string, code?: ErrorCode) => SpillwayError;

function ifMissing(error: NodeJS.ErrnoException): null {
  if (error.code === 'ENOENT') return null;
  throw error;
}

function split(path: string, least: number, refuse: Refuse): string[] {
  const parts = path.split('/');
  if (parts.length < least || parts.includes('')) throw refuse('is not <owner>/<file>');
  if (parts.some((part) => part === '.' || part === '..')) throw refuse('holds . or .. as a folder');
  if (parts.some((part) => part.includes('\0'))) throw refuse('holds a NUL character');
  if (parts.some((part) => Buffer.byteLength(part) > NAME_BYTES_MAX)) throw refuse(`holds a name longer than ${NAME_BYTES_MAX} bytes`);
  return parts;
}

/**
 * Looks before it opens, since opening a pipe or a device can have effects, and again after. All of it takes some microseconds,
 * by the threads of libuv's pool twenty times as many, and every export pays for it.
 */
function openRegular(path: string, refuse: Refuse): number {
  try {
    const before = lstatSync(path);
    if (before.isSymbolicLink()) throw refuse('is a link, and links are not followed');
    if (!before.isFile()) throw refuse(`is ${kindOf(before)}, no capture file`, 'SOURCE_NOT_A_CAPTURE');
    const fd = openSync(path, READ_WITHOUT_LINKS);
    if (fstatSync(fd).isFile()) return fd;
    closeSync(fd);
    throw refuse('is no capture file', 'SOURCE_NOT_A_CAPTURE');
  } catch (error) {
    throw error instanceof SpillwayError ? error : whyNot(error as Error, 'it', refuse, 'SOURCE_UNREADABLE');
  }
}

function whyNot(error: NodeJS.ErrnoException, what: string, refuse: Refuse, failure: ErrorCode): SpillwayError {
  if (error.code === 'ENOENT') return refuse(what === 'it' ? 'does not exist' : `does not exist: there is no ${what.slice(4)}`);
  if (error.code === 'ELOOP' || error.code === 'ENOTDIR') return refuse(`can not be reached: ${what} is a link or no folder`);
  return refuse(`can not be opened: ${error.code ?? error.message}`, failure);
}

function kindOf(stat: Awaited<ReturnType<typeof lstat>>): string {
  if (stat.isDirectory()) return 'a folder';
  if (stat.isSymbolicLink()) return 'a link';
  if (stat.isFIFO()) return 'a pipe';
  if (stat.isSocket()) return 'a socket';
  return 'a device';
}
