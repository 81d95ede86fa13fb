/** What SOURCE operands name. */
import { resolve } from 'node:path';
import type { CapturedName } from '../capture/captured-sources.js';
import type { FileSource } from '../engine/types.js';
import { SpillwayError } from '../errors.js';
import type { Io } from './io.js';
import { enlargePipe } from './output.js';

/** What SOURCE names where it begins with one of these words; a file is named so as `./jobs/…`. */
export function capturedName(name: string): CapturedName | null {
  const [, kind, rest] = /^(jobs|clips|interfaces|vifgs)\/(.+)$/s.exec(name) ?? [];
  return kind === undefined ? null : { kind: kind as CapturedName['kind'], name: rest! };
}

/** A path is taken relative to the working folder; `-` is standard input, read as a stream. */
export async function sourceNamed(name: string, io: Io): Promise<FileSource> {
  if (name.includes('\0')) throw new SpillwayError('REQUEST_INVALID', 'the name of a source holds a NUL character');
  if (name !== '-') return { path: resolve(io.cwd, name), name };
  if (io.stdinIsTerminal) throw new SpillwayError('REQUEST_INVALID', 'standard input is a terminal: give a file, or a pipe with a capture in it');
  await enlargePipe(0);
  return { fd: 0, name: 'standard input' };
}
