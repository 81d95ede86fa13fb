/**
 * The file system that clients see: `<data>/fs/<owner>/…`. Paths of clients are walked folder by folder, each opened
 * relative to the one before (through /proc/self/fd, as openat would) and never through a link, so nothing outside
 * is reached, also when somebody exchanges a folder for a link meanwhile. What is returned stays open and is named by
 * its descriptor.
 */
import { constants } from 'node:fs';
import { lstat, open, type FileHandle } from 'node:fs/promises';
import { SpillwayError, type ErrorCode } from '../errors.js';
import { isPartName } from './part-files.js';

const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK } = constants;
const NAME_BYTES_MAX = 255;

/** A file that is open for reading, or a place in an open folder; `path` holds until `close`. */
export interface Opened {
  /** What to hand to the system. */
  readonly path: string;
  /** What to call it. */
  readonly name: string;
  close(): Promise<void>;
}

export class FileSystem {
  /** `root`: the `fs` folder. */
  constructor(private readonly root: string) {}

  /** Opens a regular file; `path` is `<owner>/<file>`, and `name` what sentences call it. */
  async openFile(path: string, name: string): Promise<Opened> {
    const refuse: Refuse = (why, code = 'SOURCE_NOT_FOUND') => new SpillwayError(code, `source ${name} ${why}`);
    const parts = split(path, 2, refuse);
    const folder = await this.#folder(parts.slice(0, -1), refuse, 'SOURCE_UNREADABLE');
    try {
      const file = await openRegular(`${inside(folder)}/${parts.at(-1)}`, refuse);
      return { path: inside(file), name, close: () => file.close() };
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

  async #folder(parts: string[], refuse: Refuse, failure: ErrorCode): Promise<FileHandle> {
    let folder = await open(this.root, O_RDONLY | O_DIRECTORY);
    for (const part of parts) {
      const inner = await open(`${inside(folder)}/${part}`, O_RDONLY | O_DIRECTORY | O_NOFOLLOW).catch((error: unknown) => error as Error);
      await folder.close();
      if (inner instanceof Error) throw whyNot(inner, `the folder ${JSON.stringify(part)}`, refuse, failure);
      folder = inner;
    }
    return folder;
  }
}

type Refuse = (why: string, code?: ErrorCode) => SpillwayError;

/** An open file by its descriptor. Workers are threads of this process: the name is good there too. */
const inside = (handle: FileHandle): string => `/proc/self/fd/${handle.fd}`;

function split(path: string, least: number, refuse: Refuse): string[] {
  const parts = path.split('/');
  if (parts.length < least || parts.includes('')) throw refuse('is not <owner>/<file>');
  if (parts.some((part) => part === '.' || part === '..')) throw refuse('holds . or .. as a folder');
  if (parts.some((part) => part.includes('\0'))) throw refuse('holds a NUL character');
  if (parts.some((part) => Buffer.byteLength(part) > NAME_BYTES_MAX)) throw refuse(`holds a name longer than ${NAME_BYTES_MAX} bytes`);
  return parts;
}

/** Looks before it opens, since opening a pipe or a device can have effects, and again after. */
async function openRegular(path: string, refuse: Refuse): Promise<FileHandle> {
  try {
    const before = await lstat(path);
    if (before.isSymbolicLink()) throw refuse('is a link, and links are not followed');
    if (!before.isFile()) throw refuse(`is ${kindOf(before)}, no capture file`, 'SOURCE_NOT_A_CAPTURE');
    const file = await open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    if ((await file.stat()).isFile()) return file;
    await file.close();
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
