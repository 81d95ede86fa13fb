/** What a caller may do with files, each named by the parts of its path: `<owner>`, then what is below. */
import { hasRole, mayRead, type Caller } from './caller.js';

/** Its own files, and others where it may read them as sources. */
export function mayReadFile(caller: Caller, path: readonly string[]): boolean {
  return mayRead(caller, [`fs/${path.join('/')}`]);
}

/** Whether the caller may read something in a folder, if it is there. */
export function mayLookInto(caller: Caller, path: readonly string[]): boolean {
  const folder = `fs/${path.join('/')}/`;
  return mayRead(caller, [folder]) || caller.sources!.some((pattern) => pattern.startsWith(folder));
}

/** Whether the caller may see a folder that holds nothing for it. */
export function mayReadFolder(caller: Caller, path: readonly string[]): boolean {
  return mayRead(caller, [`fs/${path.join('/')}/`]);
}

/** An operator writes to its own folder, an admin everywhere. */
export function mayWriteFile(caller: Caller, path: readonly string[]): boolean {
  return caller.role === 'admin' || (caller.name === path[0] && hasRole(caller, 'operator'));
}
