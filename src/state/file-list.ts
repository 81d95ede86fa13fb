/** What a folder holds, with all that is below it. */
import type { Dirent } from 'node:fs';
import { lstat, opendir, type FileHandle } from 'node:fs/promises';
import { LIMITS } from '../config.js';
import { SpillwayError } from '../errors.js';
import { inside, openFolder } from './descriptors.js';
import { entryOf, type Entry } from './file-entry.js';
import { fileError } from './file-errors.js';
import { idOf, isNameable, nameOf, type FilePath } from './file-path.js';

/** `T`: what is found out about each file. */
export interface Listed<T> extends Entry {
  files: (Entry & { about: T })[];
  /** As they are named, as are the files. */
  folders: Listed<T>[];
}

export interface ListOptions<T> {
  /** Whether to look at a file, or into a folder. */
  isWanted(path: FilePath, kind: Entry['kind']): boolean;
  /** Looks into a file; `place` holds meanwhile. Rejects where it is gone. */
  look(entry: Entry, place: string): Promise<T>;
}

/** How many files are looked at together. */
const AT_ONCE = 32;

/** One request's walk; it meets a bounded number of files and folders, wanted or not, and refuses more. */
export class Listing<T> {
  #met = 0;

  constructor(
    private readonly root: string,
    private readonly options: ListOptions<T>,
  ) {}

  /** A folder. */
  async of(path: FilePath): Promise<Listed<T>> {
    const folder = await openFolder(this.root, path, (error) => fileError(error, path));
    return this.#list(path, folder);
  }

  /** The folders of all owners. */
  async all(): Promise<Listed<T>[]> {
    const names = await this.#names(this.root);
    return this.#folders(
      this.root,
      names.filter((entry) => entry.isDirectory()).map(({ name }): FilePath => [name]),
    );
  }

  /** Closes `folder`. */
  async #list(path: FilePath, folder: FileHandle): Promise<Listed<T>> {
    try {
      const listed: Listed<T> = { path, kind: 'folder', stat: await folder.stat({ bigint: true }), files: [], folders: [] };
      const place = inside(folder);
      const names = await this.#names(place);
      if (path.length >= LIMITS.fileDepth && names.length > 0)
        throw tooMany(`${JSON.stringify(idOf(path))} is ${path.length} names long and holds more`);
      const below = (isIt: (entry: Dirent) => boolean): FilePath[] => names.filter(isIt).map(({ name }): FilePath => [...path, name]);
      listed.files = await this.#files(
        place,
        below((entry) => entry.isFile()),
      );
      listed.folders = await this.#folders(
        place,
        below((entry) => entry.isDirectory()),
      );
      return listed;
    } catch (error) {
      throw fileError(error, path);
    } finally {
      await folder.close();
    }
  }

  async #folders(place: string, paths: FilePath[]): Promise<Listed<T>[]> {
    const listed: Listed<T>[] = [];
    for (const path of paths.filter((each) => this.options.isWanted(each, 'folder'))) {
      const opened = openFolder(place, [nameOf(path)], (error) => fileError(error, path));
      const folder = await ifThere(opened.then((handle) => this.#list(path, handle)));
      if (folder !== null) listed.push(folder);
    }
    return listed;
  }

  async #files(place: string, paths: FilePath[]): Promise<Listed<T>['files']> {
    const listed: Listed<T>['files'] = [];
    const wanted = paths.filter((each) => this.options.isWanted(each, 'file'));
    for (let i = 0; i < wanted.length; i += AT_ONCE) {
      const some = await Promise.all(wanted.slice(i, i + AT_ONCE).map((path) => ifThere(this.#look(path, `${place}/${nameOf(path)}`))));
      listed.push(...some.filter((file) => file !== null));
    }
    return listed;
  }

  async #look(path: FilePath, place: string): Promise<Entry & { about: T }> {
    try {
      const entry = entryOf(path, await lstat(place, { bigint: true }));
      return { ...entry, about: await this.options.look(entry, place) };
    } catch (error) {
      throw fileError(error, path);
    }
  }

  /** In order. Names that a client could not ask for are left out. */
  async #names(place: string): Promise<Dirent[]> {
    const names: Dirent[] = [];
    for await (const entry of await opendir(place, { bufferSize: 256 })) {
      if (++this.#met > LIMITS.listedFiles) throw tooMany(`there are more than ${LIMITS.listedFiles} files and folders: ask for a single folder`);
      if (isNameable(entry.name)) names.push(entry);
    }
    return names.sort((a, b) => (a.name < b.name ? -1 : 1));
  }
}

const tooMany = (why: string): SpillwayError => new SpillwayError('TOO_MANY_FILES', `this can not be listed: ${why}`);

/** Files come and go while they are listed. */
async function ifThere<T>(found: Promise<T>): Promise<T | null> {
  try {
    return await found;
  } catch (error) {
    if (error instanceof SpillwayError && error.code === 'FILE_NOT_FOUND') return null;
    throw error;
  }
}
