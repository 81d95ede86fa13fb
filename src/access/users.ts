/** The users of a probe: who they are, what they may read, and what comes with adding or removing one. */
import { lstat, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { SpillwayError } from '../errors.js';
import type { SecretTable } from '../state/secrets.js';
import type { StoredUser, UserTable } from '../state/users.js';
import type { Audit } from './audit.js';
import { ROLES, type Caller, type Role } from './caller.js';
import { ACCESS_LIMITS } from './limits.js';
import { checkPassword, hashPassword } from './password.js';

/** A name is also that of the user's folder in `fs/`, and in URLs. */
export const USER_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$/;

/** Who changes users, for the audit. */
export interface Actor {
  who: string;
  address: string;
}

export interface UserSettings {
  role: Role;
  sources: readonly string[] | null;
}

export interface UsersOptions {
  table: UserTable;
  secrets: SecretTable;
  audit: Audit;
  /** `fs` in the data folder. */
  filesFolder: string;
}

export class Users {
  readonly #table: UserTable;
  readonly #secrets: SecretTable;
  readonly #audit: Audit;
  readonly #filesFolder: string;
  /** Everything of the table: nobody else writes to it. */
  readonly #users: Map<string, StoredUser>;

  constructor({ table, secrets, audit, filesFolder }: UsersOptions) {
    this.#table = table;
    this.#secrets = secrets;
    this.#audit = audit;
    this.#filesFolder = filesFolder;
    this.#users = new Map(table.all().map((user) => [user.name, user]));
  }

  /** Nobody has to log in as long as this holds. */
  get isEmpty(): boolean {
    return this.#users.size === 0;
  }

  find(name: string): StoredUser | null {
    return this.#users.get(name) ?? null;
  }

  /** The user as a caller; null where there is none of this name. */
  caller(name: string): Caller | null {
    const user = this.find(name);
    return user === null ? null : callerOf(user);
  }

  get(name: string): Caller {
    return callerOf(this.#existing(name));
  }

  /** By name. */
  list(): Caller[] {
    return [...this.#users.values()].map(callerOf).sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** With the first one, all that was given out while nobody had to log in ends. */
  async add(name: string, password: string, settings: UserSettings, by: Actor): Promise<Caller> {
    if (!USER_NAME.test(name)) {
      throw new SpillwayError(
        'REQUEST_INVALID',
        `the user name ${JSON.stringify(name.slice(0, 100))} is not one of 1 to 32 letters, digits, dots, underscores and hyphens that begins with a letter or digit`,
      );
    }
    checkPassword(password);
    checkSources(settings.sources);
    this.#refuseSecond(name);
    const hash = await hashPassword(password);
    await this.#makeFolder(name);
    this.#refuseSecond(name);
    if (this.isEmpty) this.#secrets.removeAll();
    this.#secrets.removeOf(name);
    this.#save({ name, password: hash, ...settings });
    this.#audit.note({ ...by, action: 'user_added', what: describe(name, settings) });
    return this.get(name);
  }

  /** Without a password the one of before stays; with one, the user's sessions and tokens end. */
  async change(name: string, settings: UserSettings, password: string | undefined, by: Actor): Promise<Caller> {
    this.#existing(name);
    checkSources(settings.sources);
    if (password !== undefined) checkPassword(password);
    const hash = password === undefined ? undefined : await hashPassword(password);
    const user = this.#existing(name);
    this.#save({ ...user, ...settings, ...(hash !== undefined && { password: hash }) });
    if (hash !== undefined) this.#secrets.removeOf(name);
    this.#audit.note({ ...by, action: hash === undefined ? 'user_changed' : 'password_changed', what: describe(name, settings) });
    return this.get(name);
  }

  /** What it made stays. */
  remove(name: string, by: Actor): void {
    this.#existing(name);
    if (this.#users.size === 1) {
      throw new SpillwayError('USER_LAST', `${name} is the only user: without one, everybody on this machine could do everything`);
    }
    this.#table.remove(name);
    this.#users.delete(name);
    this.#secrets.removeOf(name);
    this.#audit.note({ ...by, action: 'user_deleted', what: name });
  }

  #save(user: StoredUser): void {
    this.#table.save(user);
    this.#users.set(user.name, user);
  }

  #existing(name: string): StoredUser {
    const user = this.find(name);
    if (user === null) throw new SpillwayError('USER_NOT_FOUND', `there is no user ${JSON.stringify(name.slice(0, 100))}`);
    return user;
  }

  #refuseSecond(name: string): void {
    if (this.#users.has(name)) throw new SpillwayError('USER_EXISTS', `there is a user ${name} already`);
  }

  async #makeFolder(name: string): Promise<void> {
    const path = join(this.#filesFolder, name);
    try {
      await mkdir(path, { mode: 0o700 });
    } catch (error) {
      const stat = await lstat(path).catch(() => null);
      if (stat?.isDirectory() === true) return;
      throw new SpillwayError('DATA_FOLDER_UNUSABLE', `the folder fs/${name} can not be made: ${(error as Error).message}`);
    }
  }
}

const callerOf = ({ name, role, sources }: StoredUser): Caller => ({ name, role: roleNamed(role), sources });

/** The least of rights for a word that is none of ours. */
const roleNamed = (word: string): Role => ROLES.find((role) => role === word) ?? 'reader';

const describe = (name: string, { role, sources }: UserSettings): string =>
  `${name}: ${role}, ${sources === null ? 'all sources' : sources.join(' ')}`;

/** As in `config.path` of an export, or the beginning of such a path with a `*` behind it. */
const SOURCE = /^(?:\*|(?:fs|jobs|clips|interfaces|vifgs)\/[^*\u0000-\u001f\u007f]*\*?)$/;

function checkSources(sources: readonly string[] | null): void {
  if (sources === null) return;
  if (sources.length > ACCESS_LIMITS.sources) throw new SpillwayError('REQUEST_INVALID', `a user can have ${ACCESS_LIMITS.sources} sources at most`);
  const bad = sources.find((source) => !SOURCE.test(source) || Buffer.byteLength(source) > ACCESS_LIMITS.sourceBytes);
  if (bad === undefined) return;
  throw new SpillwayError(
    'REQUEST_INVALID',
    `the source ${JSON.stringify(bad.slice(0, 100))} is none: write * for all, or a path as jobs/NAME, with a * at its end for what begins so`,
  );
}
