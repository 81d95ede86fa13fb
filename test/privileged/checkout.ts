/** Checkouts, as far as they are needed to serve. */
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, cpSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fromRoot } from '../../src/root.js';
import { folderOf } from './household.js';

export const AS_NOBODY = ['setpriv', '--reuid', '65534', '--regid', '65534', '--clear-groups'] as const;

/** A copy of this one, with all that is built. */
export function copyOfCheckout(place: string): string {
  const to = join(place, 'clone');
  mkdirSync(join(to, 'build', 'Release'), { recursive: true });
  for (const name of ['package.json', 'binding.gyp']) copyFileSync(fromRoot(name), join(to, name));
  for (const name of ['bin', 'dist', join('test', 'privileged')]) cpSync(fromRoot(name), join(to, name), { recursive: true });
  for (const name of ['spillway.node', 'spillway-compile', 'spillway-capture'])
    copyFileSync(fromRoot('build', 'Release', name), join(to, 'build', 'Release', name));
  execFileSync('cp', ['-a', fromRoot('node_modules'), to]);
  return to;
}

let open: string | undefined;

/** One that everybody may read: this one, or a copy of it where it lies in a closed folder, as root's own is. */
export function openCheckout(): string {
  const [program, ...args] = AS_NOBODY;
  const isOpen = (): boolean => spawnSync(program, [...args, 'test', '-r', fromRoot('bin', 'spillway')]).status === 0;
  return (open ??= isOpen() ? fromRoot() : copyOfCheckout(folderOf(0o755)));
}
