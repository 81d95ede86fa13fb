/** What SOURCE operands name. */
import { resolve } from 'node:path';
import type { Source } from '../engine/types.js';
import { SpillwayError } from '../errors.js';
import type { Io } from './io.js';
import { enlargePipe } from './output.js';

/** A path is taken relative to the working folder; `-` is standard input, read as a stream. */
export async function sourceNamed(name: string, io: Io): Promise<Source> {
  if (name.includes('\0')) throw new SpillwayError('REQUEST_INVALID', 'the name of a source holds a NUL character');
  if (name !== '-') return { path: resolve(io.cwd, name), name };
  if (io.stdinIsTerminal) throw new SpillwayError('REQUEST_INVALID', 'standard input is a terminal: give a file, or a pipe with a capture in it');
  await enlargePipe(0);
  return { fd: 0, name: 'standard input' };
}
