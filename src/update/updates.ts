/** Everything of updates that a running probe has. */
import { join } from 'node:path';
import type { Audit } from '../access/audit.js';
import type { DataFolder } from '../state/data-folder.js';
import type { AnyKind } from '../task/tasks.js';
import { keptDatabase } from './before.js';
import { exportKind, type ExportKind } from './export-kind.js';
import { installKind, type InstallKind } from './install-kind.js';
import { UpdateJobs, type UpdateJobsOptions } from './jobs.js';
import { UpdateKeys } from './keys.js';
import type { Launched } from './launched.js';
import { Repository } from './repository.js';
import type { Slots } from './slots.js';

export interface RepositoryRooms {
  data: Pick<DataFolder, 'path' | 'updatePackages' | 'updateKeys'>;
  audit: Audit;
  /** Hears of failures that nobody waits for. */
  report: (error: Error) => void;
}

export interface UpdatesOptions extends RepositoryRooms, Pick<UpdateJobsOptions, 'peers' | 'profiles' | 'own' | 'tasks'> {
  data: Pick<DataFolder, 'path' | 'updatePackages' | 'updateKeys' | 'updateJobs' | 'copyDatabase'>;
  slots: Slots;
  /** Starts another release; null: this one can't be updated. */
  launcher: Pick<Launched, 'restart'> | null;
}

export interface Updates {
  repository: Repository;
  keys: UpdateKeys;
  install: InstallKind;
  slots: Slots;
  isEnabled: boolean;
  jobs: UpdateJobs;
  exportKind: ExportKind;
  /** Every kind of task that updates have. */
  kinds: readonly AnyKind[];
}

/** What of it needs no server. */
export async function openRepository({ data, audit, report }: RepositoryRooms): Promise<Pick<Updates, 'repository' | 'keys'>> {
  const keys = new UpdateKeys({ table: data.updateKeys, audit });
  const folder = join(data.path, 'updates', 'repository');
  const repository = await Repository.open({ folder, table: data.updatePackages, keys: () => keys.keys(), report });
  return { repository, keys };
}

export async function openUpdates({ data, audit, report, slots, launcher, ...rooms }: UpdatesOptions): Promise<Updates> {
  const { repository, keys } = await openRepository({ data, audit, report });
  const exports = exportKind(repository);
  const install = installKind({
    ...{ slots, peers: rooms.peers, profiles: rooms.profiles },
    keys: () => keys.keys(),
    keepDatabase: () => data.copyDatabase(keptDatabase(slots.folder)),
    restart: launcher && (() => launcher.restart()),
  });
  const jobs = new UpdateJobs({ table: data.updateJobs, packages: repository, report, ...rooms });
  return { repository, keys, install, slots, isEnabled: launcher !== null, jobs, exportKind: exports, kinds: [exports, install, jobs.kind] };
}
