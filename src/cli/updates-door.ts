/** Update packages and keys of a data folder, for the command line: through the server that has it, or else from the folder itself. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { SpillwayError } from '../errors.js';
import type { StoredKey, StoredPackage } from '../state/updates.js';
import { formatEpoch, NS_PER_MS } from '../units.js';
import { packageName } from '../update/package-name.js';
import { ask, isServed, upload } from './door.js';

/** As the server shows both. */
export interface ShownPackage extends Pick<StoredPackage, 'id' | 'version' | 'platform' | 'architecture' | 'node' | 'bytes' | 'sha256' | 'signer'> {
  name: string;
  made: string;
  imported: string;
}
export interface ShownKey extends Pick<StoredKey, 'fingerprint' | 'name' | 'pem'> {
  added: string;
}

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
export async function openUpdatesDoor(dataFolder: string, mayMake: boolean): Promise<UpdatesDoor> {
  if (await isServed(dataFolder)) return throughServer(dataFolder);
  if (!mayMake && !existsSync(join(dataFolder, 'spillway.db'))) return NOTHING;
  return fromFolder(dataFolder);
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
  const by = { who: 'admin', address: 'local' };
  return {
    packages: async () => repository.list().map(shown),
    importPackages: async (bytes) => (await importAll(repository, bytes)).map((each) => shown(each.package)),
    deletePackage: (id) => repository.remove(id),
    keys: async () => keys.list().map(({ addedMs, ...key }) => ({ ...key, added: seconds(addedMs) })),
    addKey: async (name, pem) => void keys.add(pem, name, by),
    removeKey: async (fingerprint) => keys.remove(fingerprint, by),
    close: () => data.close(),
  };
}

function shown(found: StoredPackage): ShownPackage {
  const { id, version, platform, architecture, node, bytes, sha256, signer, madeMs, importedMs } = found;
  const times = { made: seconds(madeMs), imported: seconds(importedMs) };
  return { id, name: packageName(found), version, platform, architecture, node, bytes, sha256, signer, ...times };
}

const seconds = (ms: number): string => formatEpoch(BigInt(ms) * NS_PER_MS);

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
