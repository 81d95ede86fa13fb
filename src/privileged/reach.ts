/** What a user may read, and which folder keeps it away: by modes alone; what else a system may ask shows when it is tried. */
import { statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { User } from './user.js';

const READ = 4;
const SEARCH = 1;

/** The topmost folder above `path` that the user may not go through; null: none. `path` is absolute, without links. */
export function closedAbove(path: string, user: User): string | null {
  const folder = dirname(path);
  if (folder === path) return null;
  return closedAbove(folder, user) ?? (allows(folder, user, SEARCH) ? null : folder);
}

/** Whether the user may read the file, or list and use the folder, once it is reached. */
export function mayRead(path: string, user: User): boolean {
  return allows(path, user, statSync(path).isDirectory() ? READ | SEARCH : READ);
}

function allows(path: string, { uid, gid }: User, bits: number): boolean {
  const found = statSync(path);
  const shift = found.uid === uid ? 6 : found.gid === gid ? 3 : 0;
  return ((found.mode >> shift) & bits) === bits;
}
