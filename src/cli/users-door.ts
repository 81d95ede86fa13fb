/** The users of a data folder, for the command line: through the server that has it, or else from the folder itself. */
import { existsSync } from 'node:fs';
import { request, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import type { Caller } from '../access/caller.js';
import type { UserSettings } from '../access/users.js';
import { ERRORS, SpillwayError, type ErrorCode } from '../errors.js';
import { shortNamed } from '../state/folder.js';

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

interface Answer {
  status: number;
  text: string;
}

function answerOf({ status, text }: Answer): unknown {
  const body: unknown = text === '' ? undefined : JSON.parse(text);
  if (status < 400) return body;
  const { error_id: code, error_text: sentence } = body as { error_id: string; error_text: string };
  throw new SpillwayError(Object.hasOwn(ERRORS, code) ? (code as ErrorCode) : 'INTERNAL', sentence);
}

async function isServed(dataFolder: string): Promise<boolean> {
  return call(dataFolder, 'GET', '/api/common/1.0/ping').then(
    () => true,
    (error: unknown) => {
      const { code = '', message } = error as NodeJS.ErrnoException;
      if (['ENOENT', 'ENOTDIR', 'ECONNREFUSED'].includes(code)) return false;
      throw new SpillwayError('DATA_FOLDER_UNUSABLE', `the probe of the data folder ${dataFolder} can not be reached: ${message}`);
    },
  );
}

async function call(dataFolder: string, method: string, path: string, body?: object): Promise<Answer> {
  const folder = await shortNamed(dataFolder);
  try {
    return await new Promise((resolve, reject) => {
      const headers = { host: 'localhost', ...(body && { 'content-type': 'application/json' }) };
      const asked = request({ socketPath: `${folder.path}/spillway.sock`, method, path, headers, agent: false });
      asked.once('error', reject);
      asked.once('response', (response) => void textOf(response).then((text) => resolve({ status: response.statusCode!, text }), reject));
      asked.end(body && JSON.stringify(body));
    });
  } finally {
    await folder.close();
  }
}

async function textOf(response: IncomingMessage): Promise<string> {
  let text = '';
  for await (const part of response.setEncoding('utf8')) text += String(part);
  return text;
}
