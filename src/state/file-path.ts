/** Paths of files as clients give them: `/<owner>/…`, checked once and from then on a list of names. */
import { LIMITS } from '../config.js';
import { SpillwayError } from '../errors.js';

/** The owner's folder, and what is below it. Never empty; no name leads anywhere else. */
export type FilePath = readonly [owner: string, ...below: string[]];

export const NAME_BYTES_MAX = 255;

/** Reads a path with any number of slashes before, between and behind its names. */
export function parsePath(text: string): FilePath {
  const [owner, ...below] = text.split('/').filter((part) => part !== '');
  const refuse = (why: string): SpillwayError => new SpillwayError('FILE_NAME_INVALID', `the path ${shortened(text)} ${why}`);
  if (owner === undefined) throw refuse('names no file: it is /<owner>/<file>');
  if (below.length >= LIMITS.fileDepth) throw refuse(`has more than ${LIMITS.fileDepth} names`);
  const path: FilePath = [owner, ...below];
  for (const name of path) {
    const why = faultOf(name);
    if (why !== null) throw refuse(why);
  }
  return path;
}

/** A file in a folder, by its bare name. */
export function childOf(folder: FilePath, name: string): FilePath {
  const why = name.includes('/') ? 'holds a slash' : name === '' ? 'is empty' : faultOf(name);
  if (why !== null) throw new SpillwayError('FILE_NAME_INVALID', `the file name ${shortened(name)} ${why}`);
  if (folder.length >= LIMITS.fileDepth) {
    throw new SpillwayError('FILE_NAME_INVALID', `the path of ${shortened(name)} would have more than ${LIMITS.fileDepth} names`);
  }
  return [...folder, name];
}

/** Whether a client can ask for a file of this name. */
export function isNameable(name: string): boolean {
  return faultOf(name) === null;
}

export function idOf(path: FilePath): string {
  return `/${path.join('/')}`;
}

/** As in an address. */
export function encodedIdOf(path: FilePath): string {
  return `/${path.map(encodeURIComponent).join('/')}`;
}

/** The folder that holds it; null above an owner's folder. */
export function folderOf(path: FilePath): FilePath | null {
  return path.length === 1 ? null : (path.slice(0, -1) as unknown as FilePath);
}

export const nameOf = (path: FilePath): string => path[path.length - 1]!;

function faultOf(name: string): string | null {
  if (name === '.' || name === '..') return 'holds . or .. as a name';
  if (/\p{Cc}/u.test(name)) return 'holds a control character';
  // What is no Unicode text would come back as another name. (That of a file which is no UTF-8 is read so, too.)
  if (/\p{Cs}|\ufffd/u.test(name)) return 'holds what is no character';
  if (Buffer.byteLength(name) > NAME_BYTES_MAX) return `holds a name longer than ${NAME_BYTES_MAX} bytes`;
  if (/^\.spillway-.*\.part$/.test(name)) return 'holds a name that is kept for unfinished files';
  return null;
}

const shortened = (text: string): string => JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
