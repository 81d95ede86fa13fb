/**
 * Stamps: a step is current when the hash of everything that goes into it is the one noted after its last success
 * and what it makes is still there. Contents are hashed, not times, so a fresh checkout or a touched file rebuilds nothing.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { root, setupDir } from './paths.mjs';

/** Every file under the given files and folders that `wanted` takes, sorted; what does not exist is left out. */
export function filesUnder(paths, wanted = (_path) => true) {
  const found = [];
  const visit = (path) => {
    const stat = statSync(path, { throwIfNoEntry: false });
    if (stat?.isDirectory()) for (const name of readdirSync(path)) visit(join(path, name));
    else if (stat?.isFile() && wanted(path)) found.push(path);
  };
  for (const path of paths) visit(path);
  return found.sort();
}

/** One hash over the names and contents of files, and over words such as flags and versions. */
export function hashOf(files, words = []) {
  const hash = createHash('sha256');
  for (const word of words) hash.update(`${word}\0`);
  for (const file of files) {
    const bytes = readFileSync(file);
    hash.update(`${relative(root, file)}\0${bytes.length}\0`).update(bytes);
  }
  return hash.digest('hex');
}

const stampPath = (name) => join(setupDir, `${name}.stamp`);

export function isCurrent(name, hash, products) {
  const path = stampPath(name);
  return existsSync(path) && readFileSync(path, 'utf8') === hash && products.every((product) => existsSync(product));
}

/** To be called before the step starts, so that a half-done one is never taken for a whole one. */
export function forget(name) {
  rmSync(stampPath(name), { force: true });
}

/** A name may hold slashes, as the path of what was made. */
export function note(name, hash) {
  mkdirSync(dirname(stampPath(name)), { recursive: true });
  writeFileSync(stampPath(name), hash);
}
