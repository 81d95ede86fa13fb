/** Everything of updates that a running probe has. */
import { join } from 'node:path';
import type { Audit } from '../access/audit.js';
import type { DataFolder } from '../state/data-folder.js';
import type { AnyKind } from '../task/tasks.js';
import { exportKind, type ExportKind } from './export-kind.js';
import { UpdateJobs, type UpdateJobsOptions } from './jobs.js';
import { UpdateKeys } from './keys.js';
import { Repository } from './repository.js';

export interface UpdatesOptions extends Pick<UpdateJobsOptions, 'peers' | 'profiles' | 'own' | 'tasks'> {
  data: Pick<DataFolder, 'path' | 'updatePackages' | 'updateKeys' | 'updateJobs'>;
  audit: Audit;
  /** Hears of failures that nobody waits for. */
  report: (error: Error) => void;
}

export interface Updates {
  repository: Repository;
  keys: UpdateKeys;
  jobs: UpdateJobs;
  exportKind: ExportKind;
  /** Every kind of task that updates have. */
  kinds: readonly AnyKind[];
}

export async function openUpdates({ data, audit, report, ...rooms }: UpdatesOptions): Promise<Updates> {
  const keys = new UpdateKeys({ table: data.updateKeys, audit });
  const folder = join(data.path, 'updates', 'repository');
  const repository = await Repository.open({ folder, table: data.updatePackages, keys: () => keys.keys(), report });
  const exports = exportKind(repository);
  const jobs = new UpdateJobs({ table: data.updateJobs, packages: repository, report, ...rooms });
  return { repository, keys, jobs, exportKind: exports, kinds: [exports, jobs.kind] };
}
