/** spillway.update 1.0: the repository of update packages, and the keys that they are signed with. */
import type { FileSystem } from '../../state/filesystem.js';
import type { Updates } from '../../update/updates.js';
import type { Service } from '../link.js';
import { keyResources } from './keys.js';
import { UPDATE_SERVICE } from './name.js';
import { packageResources } from './packages.js';

export function update({ repository, keys }: Pick<Updates, 'repository' | 'keys'>, files: FileSystem): Service {
  return {
    ...UPDATE_SERVICE,
    title: 'Updates',
    resources: { ...packageResources(repository, files), ...keyResources(keys) },
  };
}
