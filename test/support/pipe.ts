/** Named pipes, for sources that can be read only once. */
import { spawnSync } from 'node:child_process';
import { constants, createWriteStream, openSync, type WriteStream } from 'node:fs';
import { join } from 'node:path';

let count = 0;

export interface Pipe {
  path: string;
  /** To be read by what is tested; it does not block. */
  readEnd: number;
  writeEnd: WriteStream;
}

export function makePipe(folder: string): Pipe {
  const path = join(folder, `pipe-${(count += 1)}`);
  const made = spawnSync('mkfifo', [path]);
  if (made.status !== 0) throw new Error(`mkfifo failed: ${made.stderr.toString()}`);
  const readEnd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  return { path, readEnd, writeEnd: createWriteStream('', { fd: openSync(path, constants.O_WRONLY) }) };
}

export function send(pipe: Pipe, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => pipe.writeEnd.write(bytes, (error) => (error ? reject(error) : resolve())));
}
