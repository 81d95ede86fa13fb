/** The file that an export of a repository begins with: what its packages say of themselves, and their checksums. */
import { packageName } from './package-name.js';
import type { StoredPackage } from './repository.js';

export const INDEX_NAME = 'index.json';
export const INDEX_FORMAT = 'spillway-repository/1';

export function indexOf(packages: readonly StoredPackage[], createdMs: number): Uint8Array {
  const items = packages.map((each) => {
    const { id, version, platform, architecture, node, bytes, sha256, signer, madeMs } = each;
    return { id, file: packageName(each), version, platform, architecture, node, bytes, sha256, signer, createdMs: madeMs };
  });
  return Buffer.from(`${JSON.stringify({ format: INDEX_FORMAT, createdMs, packages: items }, null, 1)}\n`);
}
