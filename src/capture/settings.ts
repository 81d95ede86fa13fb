/**
 * What users say of interfaces and their groups, and what new jobs begin with: `settings.json` in the data folder. A file
 * and no table, because the command line reads it while a probe holds the database.
 */
import { open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { FsyncPolicy } from '../buffer/jobs.js';
import { OneByOne } from '../buffer/one-by-one.js';
import { SpillwayError } from '../errors.js';

/** Of an interface or of the group that it has by itself. */
export interface Said {
  name?: string;
  description?: string;
  enabled?: boolean;
}

/** A group that a user made. */
export interface OwnGroup {
  id: number;
  name: string;
  description: string;
  enabled: boolean;
  /** Names of interfaces. */
  members: string[];
}

/** 0: no limit, or the capture's own choice. */
export interface JobDefaults {
  snapLengthBytes: number;
  retainBytes: number;
  retainAgeSeconds: number;
  segmentBytes: number;
  fsync: FsyncPolicy;
}

export interface Stored {
  /** By the interface's name. */
  interfaces: Record<string, Said>;
  /** What is said of groups that the probe makes, by the interface's name; `*`: of the group of all others. */
  automaticGroups: Record<string, Said>;
  ownGroups: OwnGroup[];
  jobDefaults: JobDefaults;
}

const VERSION = 1;
const NONE: Stored = {
  interfaces: {},
  automaticGroups: {},
  ownGroups: [],
  jobDefaults: { snapLengthBytes: 0, retainBytes: 0, retainAgeSeconds: 0, segmentBytes: 0, fsync: 'seal' },
};

export class CaptureSettings {
  readonly #path: string;
  readonly #changes = new OneByOne();

  /** `dataFolder` need not exist. */
  constructor(dataFolder: string) {
    this.#path = join(dataFolder, 'settings.json');
  }

  async read(): Promise<Stored> {
    try {
      const { version, ...stored } = JSON.parse(await readFile(this.#path, 'utf8')) as Stored & { version: number };
      if (version !== VERSION) throw new Error(`its version is ${version}`);
      return { ...NONE, ...stored };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return structuredClone(NONE);
      throw new SpillwayError('DATA_FOLDER_UNUSABLE', `${this.#path} can not be read: ${(error as Error).message}`);
    }
  }

  /** One change after another; what `change` throws changes nothing. */
  change<T>(change: (stored: Stored) => T): Promise<T> {
    return this.#changes.run(async () => {
      const stored = await this.read();
      const result = change(stored);
      await this.#write(stored);
      return result;
    });
  }

  async #write(stored: Stored): Promise<void> {
    const part = `${this.#path}.part`;
    try {
      const handle = await open(part, 'w', 0o600);
      try {
        await handle.writeFile(`${JSON.stringify({ version: VERSION, ...stored }, null, 2)}\n`);
        await handle.sync();
      } finally {
        await handle.close();
      }
      await rename(part, this.#path);
    } catch (error) {
      throw new SpillwayError('DATA_FOLDER_UNUSABLE', `${this.#path} can not be written: ${(error as Error).message}`);
    }
  }
}
