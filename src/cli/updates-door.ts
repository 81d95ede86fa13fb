/** Update packages and keys of a data folder, for the command line: through the server that has it, or else from the folder itself. */
import { SpillwayError } from '../errors.js';
import { shownKey, shownPackage, type ShownKey, type ShownPackage } from '../update/shown.js';
import { ask, LOCAL_ADMIN, openDoor, upload } from './door.js';

export interface UpdatesDoor {
  packages(): Promise<ShownPackage[]>;
  importPackages(bytes: AsyncIterable<Uint8Array>): Promise<ShownPackage[]>;
  deletePackage(id: string): Promise<void>;
  keys(): Promise<ShownKey[]>;
  addKey(name: string, pem: string): Promise<void>;
  removeKey(fingerprint: string): Promise<void>;
  close(): void;
}

/** A folder that is not there is made for what is added, and for nothing else. */
export function openUpdatesDoor(dataFolder: string, mayMake: boolean): Promise<UpdatesDoor> {
  return openDoor(dataFolder, mayMake, { throughServer, fromFolder, nothing: NOTHING });
}

const NOTHING: UpdatesDoor = {
  packages: async () => [],
  importPackages: async () => [],
  deletePackage: async (id) => {
    throw new SpillwayError('PACKAGE_NOT_FOUND', `there is no update package ${JSON.stringify(id)}`);
  },
  keys: async () => [],
  addKey: async () => undefined,
  removeKey: async (fingerprint) => {
    throw new SpillwayError('KEY_NOT_FOUND', `there is no key ${JSON.stringify(fingerprint)}`);
  },
  close: () => undefined,
};

async function fromFolder(dataFolder: string): Promise<UpdatesDoor> {
  const { openDataFolder } = await import('../state/data-folder.js');
  const { Audit } = await import('../access/audit.js');
  const { openRepository } = await import('../update/updates.js');
  const { importAll } = await import('../update/repository-import.js');
  const data = await openDataFolder(dataFolder);
  const { repository, keys } = await openRepository({ data, audit: new Audit(data.audit), report: () => undefined });
  return {
    packages: async () => repository.list().map(shownPackage),
    importPackages: async (bytes) => (await importAll(repository, bytes)).map((each) => shownPackage(each.package)),
    deletePackage: (id) => repository.remove(id),
    keys: async () => keys.list().map(shownKey),
    addKey: async (name, pem) => void keys.add(pem, name, LOCAL_ADMIN),
    removeKey: async (fingerprint) => keys.remove(fingerprint, LOCAL_ADMIN),
    close: () => data.close(),
  };
}

const BASE = '/api/spillway.update/1.0';

function throughServer(dataFolder: string): UpdatesDoor {
  const to = <T>(method: string, path: string, body?: object): Promise<T> => ask<T>(dataFolder, method, `${BASE}${path}`, body);
  return {
    packages: async () => (await to<{ items: ShownPackage[] }>('GET', '/packages')).items,
    importPackages: async (bytes) => (await upload<{ items: ShownPackage[] }>(dataFolder, `${BASE}/packages`, bytes)).items,
    deletePackage: (id) => to('DELETE', `/packages/items/${encodeURIComponent(id)}`),
    keys: async () => (await to<{ items: ShownKey[] }>('GET', '/keys')).items,
    addKey: (name, pem) => to('POST', '/keys', { name, pem }),
    removeKey: (fingerprint) => to('DELETE', `/keys/items/${encodeURIComponent(fingerprint)}`),
    close: () => undefined,
  };
}
