/** What the links of npm.filesystem do. */
import type { IncomingMessage } from 'node:http';
import type { Caller } from '../../access/caller.js';
import { mayWriteFile } from '../../access/files.js';
import { SpillwayError } from '../../errors.js';
import type { CaptureFacts } from '../../engine/capture-facts.js';
import type { Entry } from '../../state/file-entry.js';
import type { Listed, ListOptions } from '../../state/file-list.js';
import { childOf, idOf, parsePath, type FilePath } from '../../state/file-path.js';
import type { FileSystem } from '../../state/filesystem.js';
import { isReadable, isShown, needBelow, needWritable, readable } from './access.js';
import { nameIn } from './disposition.js';
import { KnownFiles } from './facts.js';
import { bodyOf, type Receiver } from './receive.js';
import { shownFile, shownFolder } from './shown.js';

export type Shown = Record<string, unknown>;

/** Which owners' folders to list. */
export interface ListFilter {
  owner?: string;
  access?: 'PRIVATE' | 'PUBLIC';
  access_rights?: 'r' | 'rw';
}

/** What clients send to make a folder. */
const FOLDER_TYPE = 'application/x-shark-directory';

type FoundFolder = Listed<CaptureFacts | null>;

export class Files {
  readonly #known = new KnownFiles();

  constructor(
    private readonly files: FileSystem,
    private readonly receiver: Receiver,
  ) {}

  /** The folders of owners, as far as the caller may read them. */
  async list(caller: Caller, { owner, access, access_rights: rights }: ListFilter): Promise<Shown[]> {
    const isAsked = ([name]: FilePath): boolean =>
      (owner === undefined || name === owner) &&
      (access === undefined || (name === caller.name) === (access === 'PRIVATE')) &&
      (rights !== 'rw' || mayWriteFile(caller, [name]));
    const folders = await this.files.listAll({ ...this.#options(caller), isWanted: (path, kind) => isAsked(path) && isReadable(caller, path, kind) });
    return folders.filter((folder) => isShown(caller, folder)).map((folder) => shownFolder(shownTo(caller, folder)));
  }

  /** A file, or a folder and all that is below it. */
  async get(caller: Caller, id: string): Promise<Shown> {
    return this.#show(caller, await readable(this.files, caller, id));
  }

  /** Without asking whether the caller may. */
  async show(caller: Caller, path: FilePath): Promise<Shown> {
    return this.#show(caller, await this.files.lookAt(path));
  }

  async remove(caller: Caller, id: string): Promise<void> {
    const path = parsePath(id);
    needWritable(caller, path);
    needBelow(path);
    await this.files.remove(path);
  }

  /** Puts what a client sends into a folder; resolves to its path. */
  async create(caller: Caller, id: string, request: IncomingMessage): Promise<FilePath> {
    const folder = parsePath(id);
    needWritable(caller, folder);
    const path = childOf(folder, nameIn(request.headers['content-disposition']));
    if (folder[0] === caller.name) await this.files.makeOwnersFolder(caller.name);
    const { kind } = await this.files.lookAt(folder);
    if (kind !== 'folder') throw new SpillwayError('FILE_WRONG_KIND', `${JSON.stringify(idOf(folder))} is a file: only a folder takes files`);
    if (isFolderWanted(request)) {
      if (await hasBody(request)) throw new SpillwayError('REQUEST_INVALID', `the body must be empty where its type is ${FOLDER_TYPE}`);
      await this.files.makeFolder(path);
    } else {
      await this.receiver.upload(path, request);
    }
    return path;
  }

  async #show(caller: Caller, entry: Entry): Promise<Shown> {
    if (entry.kind === 'folder') {
      const folder = await this.files.list(entry.path, this.#options(caller));
      if (!isShown(caller, folder)) throw new SpillwayError('FILE_NOT_FOUND', `there is no file or folder ${JSON.stringify(idOf(entry.path))}`);
      return shownFolder(shownTo(caller, folder));
    }
    const file = await this.files.openEntry(entry.path);
    try {
      return shownFile(file, await this.#known.of(file));
    } finally {
      await file.handle.close();
    }
  }

  #options(caller: Caller): ListOptions<CaptureFacts | null> {
    return {
      isWanted: (path, kind) => isReadable(caller, path, kind),
      look: (entry, place) => this.#known.at(entry, place),
    };
  }
}

/** Folders in which nothing is for the caller are left out. */
function shownTo(caller: Caller, folder: FoundFolder): FoundFolder {
  const folders = folder.folders.map((inner) => shownTo(caller, inner)).filter((inner) => isShown(caller, inner));
  return { ...folder, folders };
}

function isFolderWanted(request: IncomingMessage): boolean {
  return request.headers['content-type']?.split(';', 1)[0]!.trim().toLowerCase() === FOLDER_TYPE;
}

async function hasBody(request: IncomingMessage): Promise<boolean> {
  for await (const chunk of bodyOf(request)) if (chunk.length > 0) return true;
  return false;
}
