/** The users of a data folder, for the command line: through the server that has it, or else from the folder itself. */
import type { Caller } from '../access/caller.js';
import type { UserSettings } from '../access/users.js';
import { SpillwayError } from '../errors.js';
import { ask, LOCAL_ADMIN, openDoor } from './door.js';

export interface UsersDoor {
  list(): Promise<Caller[]>;
  get(name: string): Promise<Caller>;
  add(name: string, password: string, settings: UserSettings): Promise<void>;
  change(name: string, settings: UserSettings, password?: string): Promise<void>;
  remove(name: string): Promise<void>;
  close(): void;
}

/** A folder that is not there is made for a user who is added, and for nothing else. */
export function openUsers(dataFolder: string, mayMake: boolean): Promise<UsersDoor> {
  return openDoor(dataFolder, mayMake, { throughServer, fromFolder, nothing: NO_USERS });
}

const unknown = (name: string): never => {
  throw new SpillwayError('USER_NOT_FOUND', `there is no user ${JSON.stringify(name)}`);
};

const NO_USERS: UsersDoor = {
  list: async () => [],
  get: async (name) => unknown(name),
  add: async (name) => unknown(name),
  change: async (name) => unknown(name),
  remove: async (name) => unknown(name),
  close: () => undefined,
};

async function fromFolder(dataFolder: string): Promise<UsersDoor> {
  const { openDataFolder } = await import('../state/data-folder.js');
  const { Access } = await import('../access/access.js');
  const data = await openDataFolder(dataFolder);
  const { users } = new Access({ data, isLoopback: true });
  return {
    list: async () => users.list(),
    get: async (name) => users.get(name),
    add: async (name, password, settings) => void (await users.add(name, password, settings, LOCAL_ADMIN)),
    change: async (name, settings, password) => void (await users.change(name, settings, password, LOCAL_ADMIN)),
    remove: async (name) => users.remove(name, LOCAL_ADMIN),
    close: () => data.close(),
  };
}

const BASE = '/api/spillway.admin/1.0/users';

function throughServer(dataFolder: string): UsersDoor {
  const item = (name: string): string => `${BASE}/items/${encodeURIComponent(name)}`;
  const to = <T>(method: string, path: string, body?: object): Promise<T> => ask<T>(dataFolder, method, path, body);
  return {
    list: async () => (await to<{ items: Caller[] }>('GET', BASE)).items,
    get: (name) => to('GET', item(name)),
    add: (name, password, settings) => to('POST', BASE, { name, password, ...settings }),
    change: (name, settings, password) => to('PUT', item(name), { ...settings, password }),
    remove: (name) => to('DELETE', item(name)),
    close: () => undefined,
  };
}
