/** Who asks: what every request carries once it is admitted. */

export const ROLES = ['reader', 'operator', 'admin'] as const;
/** A reader reads, and exports what it may read; an operator also captures and keeps files of its own; an admin does everything. */
export type Role = (typeof ROLES)[number];

export interface Caller {
  /** Owner of what the caller makes. */
  readonly name: string;
  readonly role: Role;
  /** What the caller may read: paths of sources, which may end in `*`; null: all of them. */
  readonly sources: readonly string[] | null;
  /** Where the request comes from; missing: this machine's own socket. */
  readonly address?: string;
}

/** Who acts while there are no users, and through the probe's own socket. */
export const ADMIN: Caller = { name: 'admin', role: 'admin', sources: null };

/** Who asks where everybody may. */
export const ANYBODY: Caller = { name: '', role: 'reader', sources: [] };

export function hasRole({ role }: Caller, least: Role): boolean {
  return ROLES.indexOf(role) >= ROLES.indexOf(least);
}

/** Whether things of `owner` are shown to the caller: its own, and to an admin everybody's. */
export function maySee(caller: Caller, owner: string): boolean {
  return caller.role === 'admin' || caller.name === owner;
}

/**
 * Whether the caller may read a source, which may have several names (`jobs/uplinks` and `jobs/<id>`). A caller may always
 * read its own files.
 */
export function mayRead({ name, role, sources }: Caller, names: readonly string[]): boolean {
  if (role === 'admin' || sources === null) return true;
  return names.some((path) => path.startsWith(`fs/${name}/`) || sources.some((pattern) => isLike(path, pattern)));
}

function isLike(path: string, pattern: string): boolean {
  return pattern.endsWith('*') ? path.startsWith(pattern.slice(0, -1)) : path === pattern;
}
