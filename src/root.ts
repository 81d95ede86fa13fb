/** Where the project lies: the same from the TypeScript sources, the compiled files and the bundles. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

function findRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'binding.gyp'))) {
    const parent = dirname(folder);
    if (parent === folder) throw new Error('spillway does not find its own folder');
    folder = parent;
  }
  return folder;
}

const root = findRoot();

/** The absolute path of a file of the project. */
export function fromRoot(...parts: string[]): string {
  return join(root, ...parts);
}

let version: string | undefined;

/** The version in package.json. */
export function packageVersion(): string {
  version ??= (JSON.parse(readFileSync(fromRoot('package.json'), 'utf8')) as { version: string }).version;
  return version;
}
