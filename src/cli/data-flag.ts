/** `--data DIR`, for the commands that look into a probe's data folder. */
import { resolve } from 'node:path';
import { probeConfig } from '../config.js';
import { SpillwayError } from '../errors.js';
import type { FlagSpec, Parsed } from './flags.js';
import type { Io } from './io.js';

export const DATA_FLAG: FlagSpec = {
  name: 'data',
  value: 'DIR',
  about: "the data folder; default: $SPILLWAY_DATA, else data/ in the program's folder",
};

export function dataFolder({ values }: Parsed, io: Io): string {
  const given = values.get('data')?.[0];
  if (given === '' || given?.includes('\0')) throw new SpillwayError('REQUEST_INVALID', '--data: the value is empty or holds a NUL character');
  return probeConfig(given === undefined ? {} : { dataFolder: resolve(io.cwd, given) }).dataFolder;
}
