/** What a server asks of its root parent, checked as if an enemy had written it: a server can be taken over. */
import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { join } from 'node:path';
import type { CaptureRequest } from '../capture/parent.js';
import { SpillwayError } from '../errors.js';
import type { User } from './user.js';

const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW } = constants;

type Check = (value: unknown) => boolean;

const isNumber =
  (low: number, high: number): Check =>
  (value) =>
    Number.isInteger(value) && Number(value) >= low && Number(value) <= high;

/** May be missing. */
const isSwitch: Check = (value) => value === undefined || typeof value === 'boolean';

/** As native/capture/options.cc takes it: printable, no slash, as long as the kernel's names. */
const isInterface: Check = (value) => typeof value === 'string' && /^[!-.0-~]{1,15}$/.test(value) && value !== '.' && value !== '..';

/** Every property, with the limits of native/capture/limits.h; 0 where that means "no limit" or "the usual". */
const PROPERTIES: Readonly<Record<keyof CaptureRequest, Check>> = {
  id: (value) => typeof value === 'string' && /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(value),
  program: (value) => typeof value === 'boolean',
  interfaces: (value) =>
    Array.isArray(value) && value.length >= 1 && value.length <= 64 && value.every(isInterface) && new Set(value).size === value.length,
  snapLengthBytes: isNumber(0, 262_144),
  segmentBytes: (value) => value === 0 || isNumber(2 ** 20, 2 ** 32)(value),
  retainBytes: isNumber(0, Number.MAX_SAFE_INTEGER),
  retainAgeSeconds: isNumber(0, 100 * 366 * 86_400),
  fsync: (value) => value === 'never' || value === 'seal' || value === 'commit',
  hardwareTimestamps: isSwitch,
  libpcap: isSwitch,
};

/** The request in a line; throws REQUEST_INVALID. */
export function readRequest(line: string): CaptureRequest {
  let given: unknown;
  try {
    given = JSON.parse(line);
  } catch {
    throw new SpillwayError('REQUEST_INVALID', 'a request to start a capture is no JSON');
  }
  const read: Record<string, unknown> = {};
  for (const [name, isRight] of Object.entries(PROPERTIES)) {
    const value = typeof given === 'object' && given !== null && Object.hasOwn(given, name) ? (given as Record<string, unknown>)[name] : undefined;
    if (!isRight(value)) throw new SpillwayError('REQUEST_INVALID', `a request to start a capture has no usable ${name}`);
    if (value !== undefined) read[name] = value;
  }
  return read as unknown as CaptureRequest;
}

/** The job's folder, `buffer/ID` in the data folder: there, the user's own, and reached through no link. */
export function jobFolder(dataFolder: string, id: string, { uid }: User): string {
  const opened: number[] = [];
  try {
    opened.push(openSync(dataFolder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
    for (const name of ['buffer', id]) opened.push(openSync(`/proc/self/fd/${opened.at(-1)}/${name}`, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
    if (fstatSync(opened.at(-1)!).uid !== uid) throw new Error('it belongs to another user');
    return join(dataFolder, 'buffer', id);
  } catch (error) {
    throw new SpillwayError(
      'CAPTURE_FOLDER_UNUSABLE',
      `the job's folder ${id} can not be used: ${(error as NodeJS.ErrnoException).code ?? (error as Error).message}`,
    );
  } finally {
    for (const fd of opened) closeSync(fd);
  }
}
