/** Packages and keys as the server and the command line show them. */
import type { StoredKey, StoredPackage } from '../state/updates.js';
import { formatEpoch, NS_PER_MS } from '../units.js';
import { packageName } from './package-name.js';

export interface ShownPackage extends Pick<StoredPackage, 'id' | 'version' | 'platform' | 'architecture' | 'node' | 'bytes' | 'sha256' | 'signer'> {
  /** What its file is called. */
  name: string;
  /** In seconds since the epoch, with their fraction. */
  made: string;
  imported: string;
}

export interface ShownKey extends Pick<StoredKey, 'fingerprint' | 'name' | 'pem'> {
  added: string;
}

export function shownPackage(found: StoredPackage): ShownPackage {
  const { id, version, platform, architecture, node, bytes, sha256, signer, madeMs, importedMs } = found;
  const times = { made: seconds(madeMs), imported: seconds(importedMs) };
  return { id, name: packageName(found), version, platform, architecture, node, bytes, sha256, signer, ...times };
}

export function shownKey({ fingerprint, name, pem, addedMs }: StoredKey): ShownKey {
  return { fingerprint, name, pem, added: seconds(addedMs) };
}

const seconds = (ms: number): string => formatEpoch(BigInt(ms) * NS_PER_MS);
