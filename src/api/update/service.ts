/** spillway.update 1.0: the repository of update packages, the keys that they are signed with, and what this probe is updated to. */
import type { FileSystem } from '../../state/filesystem.js';
import type { Peers } from '../../peer/peers.js';
import type { Tasks } from '../../task/tasks.js';
import type { Updates } from '../../update/updates.js';
import type { Service } from '../link.js';
import { keyResources } from './keys.js';
import { UPDATE_SERVICE } from './name.js';
import { installResources } from './install.js';
import { packageResources } from './packages.js';

export interface UpdateRooms {
  updates: Updates;
  files: FileSystem;
  tasks: Tasks;
  peers: Peers;
}

export function update({ updates, files, tasks, peers }: UpdateRooms): Service {
  const { repository, keys, install: kind, slots, isEnabled } = updates;
  return {
    ...UPDATE_SERVICE,
    title: 'Updates',
    resources: { ...packageResources(repository, files), ...keyResources(keys), ...installResources({ tasks, kind, slots, peers, isEnabled }) },
  };
}
