/** The bytes of a package that is named on the command line. */
import { createReadStream } from 'node:fs';
import { resolve } from 'node:path';
import { SpillwayError } from '../errors.js';
import type { Io } from './io.js';

/** Rejects with FILE_NOT_FOUND or FILE_FAILED. */
export async function* bytesOf(file: string, io: Io): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    yield* createReadStream(resolve(io.cwd, file)) as AsyncIterable<Buffer>;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') throw new SpillwayError('FILE_NOT_FOUND', `there is no file ${file}`);
    throw new SpillwayError('FILE_FAILED', `${file} can not be read: ${code ?? message}`);
  }
}
