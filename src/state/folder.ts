/** A folder under a short name: that of a socket may have 107 bytes. */
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';

const { O_RDONLY, O_DIRECTORY } = constants;

export interface OpenFolder {
  /** Good until `close`. */
  readonly path: string;
  close(): Promise<void>;
}

export async function shortNamed(path: string): Promise<OpenFolder> {
  const handle = await open(path, O_RDONLY | O_DIRECTORY);
  return { path: `/proc/self/fd/${handle.fd}`, close: () => handle.close() };
}
