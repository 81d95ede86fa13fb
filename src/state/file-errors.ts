/** What the system says of files, as errors with codes. */
import { SpillwayError, type ErrorCode } from '../errors.js';
import { idOf, type FilePath } from './file-path.js';

export function fileNotFound(path: FilePath): SpillwayError {
  return new SpillwayError('FILE_NOT_FOUND', `there is no file or folder ${JSON.stringify(idOf(path))}`);
}

export function fileExists(path: FilePath): SpillwayError {
  return new SpillwayError('FILE_EXISTS', `there is a file or folder ${JSON.stringify(idOf(path))} already`);
}

export function noSpace(path: FilePath): SpillwayError {
  return new SpillwayError('DISK_FULL', `there is no space for ${JSON.stringify(idOf(path))}`);
}

const CODES: Readonly<Record<string, (path: FilePath) => SpillwayError>> = {
  ENOENT: fileNotFound,
  ENOTDIR: fileNotFound,
  ELOOP: fileNotFound,
  EEXIST: fileExists,
  ENOSPC: noSpace,
  EDQUOT: noSpace,
  ENOTEMPTY: (path) => new SpillwayError('FOLDER_NOT_EMPTY', `the folder ${JSON.stringify(idOf(path))} is not empty`),
  EISDIR: (path) => new SpillwayError('FILE_WRONG_KIND', `${JSON.stringify(idOf(path))} is a folder`),
};

/** An error of the system about `path`; one that has a code of ours stays what it is. */
export function fileError(error: unknown, path: FilePath): SpillwayError {
  if (error instanceof SpillwayError) return error;
  const { code = '', message } = error as NodeJS.ErrnoException;
  const known = CODES[code];
  if (known !== undefined) return known(path);
  return new SpillwayError('FILE_FAILED' satisfies ErrorCode, `${JSON.stringify(idOf(path))} can not be read or changed: ${code || message}`);
}
