/** Everything of updates that a running probe has. */
import { join } from 'node:path';
import type { Audit } from '../access/audit.js';
import type { DataFolder } from '../state/data-folder.js';
import type { AnyKind } from '../task/tasks.js';
import { exportKind, type ExportKind } from './export-kind.js';
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
  exportKind: ExportKind;
  /** Every kind of task that updates have. */
  kinds: readonly AnyKind[];
}

export async function openUpdates({ data, audit, report }: UpdatesOptions): Promise<Updates> {
  const keys = new UpdateKeys({ table: data.updateKeys, audit });
  const folder = join(data.path, 'updates', 'repository');
  const repository = await Repository.open({ folder, table: data.updatePackages, keys: () => keys.keys(), report });
  const exports = exportKind(repository);
  return { repository, keys, exportKind: exports, kinds: [exports] };
}
