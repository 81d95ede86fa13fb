/** Names of files that are being written: hidden, unlike any name a user gives, and recognised when they are left over. */
import { randomBytes } from 'node:crypto';
import { readdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';

const FORM = /^\.spillway-[0-9a-f]{16}\.part$/;

export function partName(): string {
  return `.spillway-${randomBytes(8).toString('hex')}.part`;
}

export function isPartName(name: string): boolean {
  return FORM.test(name);
}

/** Removes what a probe that died was writing below `folder`; links are not followed. Returns how many there were. */
export async function sweepPartFiles(folder: string): Promise<number> {
  let swept = 0;
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) swept += await sweepPartFiles(path);
    else if (entry.isFile() && isPartName(entry.name)) {
      await unlink(path);
      swept++;
    }
  }
  return swept;
}
