/** Collectors for a data folder that no server has: from the folder itself, and from captures, which go on without one. */
import { existsSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { Clips } from '../buffer/clips.js';
import { Jobs } from '../buffer/jobs.js';
import { CaptureSettings } from '../capture/settings.js';
import { Vifgs } from '../capture/vifgs.js';
import { SpillwayError } from '../errors.js';
import { parseJson } from '../export/json.js';
import { packageVersion } from '../root.js';
import { openDataFolder, type DataFolder } from '../state/data-folder.js';
import type { StoredExport } from '../state/exports.js';
import { formatEpoch } from '../units.js';
import type { Collector } from './collector.js';
import { collectorsOf } from './collectors.js';
import type { ProbeFacts } from './facts.js';

/** What a package says of itself. */
export interface AboutBundle {
  version: string;
  /** Empty where it can't be read. */
  serial: string;
  /** The machine's name. */
  device: string;
  createdMs: number;
}

export interface OfflineCollectors {
  collectors: Collector[];
  about: AboutBundle;
  /** Gives the data folder back. */
  close(): void;
}

/** A database that can't be opened is no hindrance: the collectors that need it reject with the reason. Nothing is made. */
export async function offlineCollectors(dataFolder: string): Promise<OfflineCollectors> {
  const data = await openExisting(dataFolder).catch((error: unknown) => error as Error);
  const use = <T>(read: (opened: DataFolder) => T): T => {
    if (data instanceof Error) throw data;
    return read(data);
  };
  const jobs = new Jobs(dataFolder);
  const version = packageVersion();
  const serial = data instanceof Error ? null : data.serial;
  const facts: ProbeFacts = {
    version,
    serial,
    dataFolder,
    jobs,
    clips: new Clips(jobs),
    vifgs: new Vifgs(new CaptureSettings(dataFolder)),
    users: () => use(({ users }) => users.all()),
    audit: (limit, before) => use(({ audit }) => audit.newest(limit, before)),
    exports: function* () {
      for (const stored of use(({ exports }) => exports.all().reverse())) yield exportFacts(stored);
    },
  };
  return {
    collectors: collectorsOf(facts),
    about: { version, serial: serial ?? '', device: hostname(), createdMs: Date.now() },
    close: () => (data instanceof Error ? undefined : data.close()),
  };
}

async function openExisting(dataFolder: string): Promise<DataFolder> {
  const database = join(dataFolder, 'spillway.db');
  if (!existsSync(database)) throw new SpillwayError('DATA_FOLDER_UNUSABLE', `there is no ${database}`);
  return openDataFolder(dataFolder);
}

/** As it was written down; the text of one that can't be read is not repeated. */
function exportFacts({ id, owner, creationNs, state, request, outcome }: StoredExport): unknown {
  const parsed = (text: string | null): unknown => {
    try {
      return text === null ? null : parseJson(text);
    } catch {
      return 'can not be read';
    }
  };
  return { id, owner, created: formatEpoch(creationNs), state, request: parsed(request), outcome: parsed(outcome) };
}
