/** Everything of updates that a running probe has. */
import { join } from 'node:path';
import type { Audit } from '../access/audit.js';
import type { DataFolder } from '../state/data-folder.js';
import { UpdateKeys } from './keys.js';
import { Repository } from './repository.js';

export interface UpdatesOptions {
  data: Pick<DataFolder, 'path' | 'updatePackages' | 'updateKeys'>;
  audit: Audit;
  /** Hears of failures that nobody waits for. */
  report: (error: Error) => void;
}

export interface Updates {
  repository: Repository;
  keys: UpdateKeys;
}

export async function openUpdates({ data, audit, report }: UpdatesOptions): Promise<Updates> {
  const keys = new UpdateKeys({ table: data.updateKeys, audit });
  const folder = join(data.path, 'updates', 'repository');
  const repository = await Repository.open({ folder, table: data.updatePackages, keys: () => keys.keys(), report });
  return { repository, keys };
}
