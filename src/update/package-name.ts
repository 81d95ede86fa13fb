/** What the file of a package is called where people see it. */
import type { StoredPackage } from '../state/updates.js';

/** Only what file systems and headers take; the id tells it from others of the same version. */
export function packageName({ id, version, platform, architecture }: Pick<StoredPackage, 'id' | 'version' | 'platform' | 'architecture'>): string {
  return `spillway-${version}-${platform}-${architecture}-${id}.tar.gz`;
}
