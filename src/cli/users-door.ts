/** The users of a data folder, for the command line: through the server that has it, or else from the folder itself. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Caller } from '../access/caller.js';
import type { UserSettings } from '../access/users.js';
import { SpillwayError } from '../errors.js';
import { answerOf, call, isServed } from './local-server.js';

export interface UsersDoor {
  list(): Promise<Caller[]>;
  get(name: string): Promise<Caller>;
  add(name: string, password: string, settings: UserSettings): Promise<void>;
  change(name: string, settings: UserSettings, password?: string): Promise<void>;
  remove(name: string): Promise<void>;
  close(): void;
}

/** A folder that is not there is made for a user who is added, and for nothing else. */
export async function openUsers(dataFolder: string, mayMake: boolean): Promise<UsersDoor> {
  if (await isServed(dataFolder)) return throughServer(dataFolder);
  if (!mayMake && !existsSync(join(dataFolder, 'spillway.db'))) return NO_USERS;
  return fromFolder(dataFolder);
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
  const by = { who: 'admin', address: 'local' };
  return {
    list: async () => users.list(),
    get: async (name) => users.get(name),
    add: async (name, password, settings) => void (await users.add(name, password, settings, by)),
    change: async (name, settings, password) => void (await users.change(name, settings, password, by)),
    remove: async (name) => users.remove(name, by),
    close: () => data.close(),
  };
}

const BASE = '/api/spillway.admin/1.0/users';

function throughServer(dataFolder: string): UsersDoor {
  const item = (name: string): string => `${BASE}/items/${encodeURIComponent(name)}`;
  const ask = async <T>(method: string, path: string, body?: object): Promise<T> => answerOf(await call(dataFolder, method, path, body)) as T;
  return {
    list: async () => (await ask<{ items: Caller[] }>('GET', BASE)).items,
    get: (name) => ask('GET', item(name)),
    add: (name, password, settings) => ask('POST', BASE, { name, password, ...settings }),
    change: (name, settings, password) => ask('PUT', item(name), { ...settings, password }),
    remove: (name) => ask('DELETE', item(name)),
    close: () => undefined,
  };
}
