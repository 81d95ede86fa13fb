/** Reading the project's own files, for the tests of the house rules. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url));

export interface SourceFile {
  /** From the root, with slashes. */
  path: string;
  text: string;
}

/** Every file under the given places (files or folders, from the root) whose name ends in one of `endings`. */
export function read(places: string[], endings: string[]): SourceFile[] {
  const found: SourceFile[] = [];
  const visit = (path: string): void => {
    const stat = statSync(path, { throwIfNoEntry: false });
    if (stat?.isDirectory()) for (const name of readdirSync(path).sort()) visit(join(path, name));
    else if (stat?.isFile() && endings.some((ending) => path.endsWith(ending))) {
      found.push({ path: relative(root, path), text: readFileSync(path, 'utf8') });
    }
  };
  for (const place of places) visit(join(root, place));
  return found;
}
