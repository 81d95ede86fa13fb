/**
 * Capture jobs and their buffers: one folder each under `buffer/` in the data folder, named by the job's id. What a job
 * is stands in its `job.json`; what is captured lies beside it. No database: a capture goes on without a probe, and is
 * found again by whoever looks.
 */
import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SpillwayError } from '../errors.js';

export type FsyncPolicy = 'never' | 'seal' | 'commit';

/** What a job captures and keeps. 0: no limit, or the capture's own choice. */
export interface JobSettings {
  interfaces: string[];
  /** One pcap-filter expression; null: every packet. */
  filter: string | null;
  snapLengthBytes: number;
  segmentBytes: number;
  retainBytes: number;
  retainAgeSeconds: number;
  fsync: FsyncPolicy;
  /** The adapter's times, where it has them. */
  hardwareTimestamps?: boolean;
  /** By libpcap, also where AF_PACKET would do. */
  libpcap?: boolean;
  /** It is to be captured, also after the machine has started anew; absent: whoever captures it decides. */
  enabled?: boolean;
  /** What stands behind the interfaces, looked up whenever a capture begins; absent: nothing but their names. */
  chosenBy?: InterfaceChoice;
  /** Of a capture that lasts as long as an export of this process: no list shows it. */
  ownerPid?: number;
}

/** Of a job that captures everything and keeps it for ever. */
export const KEEP_ALL: Omit<JobSettings, 'interfaces'> = {
  filter: null,
  snapLengthBytes: 0,
  segmentBytes: 0,
  retainBytes: 0,
  retainAgeSeconds: 0,
  fsync: 'seal',
};

export interface InterfaceChoice {
  /** Every interface that can be captured. */
  all: boolean;
  /** Names of interfaces, and numbers of groups. */
  groups: (string | number)[];
}

export interface Job {
  id: string;
  name: string;
  folder: string;
  settings: JobSettings;
}

/** Short and harmless as a part of a path: `jobs/NAME`. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const FOLDER_MODE = 0o700;
/** What `jobs/…` would take for an id. */
const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
/** Folders of interfaces: position and name. */
const INTERFACE_FOLDER = /^\d+-(.+)$/;

export class Jobs {
  readonly #folder: string;

  /** `dataFolder` need not exist. */
  constructor(dataFolder: string) {
    this.#folder = join(dataFolder, 'buffer');
  }

  /** By name. A folder without a readable description is no job. */
  async list(): Promise<Job[]> {
    return (await this.#all()).filter(({ settings }) => settings.ownerPid === undefined);
  }

  /** Those that no list shows. */
  async ownedByProcesses(): Promise<Job[]> {
    return (await this.#all()).filter(({ settings }) => settings.ownerPid !== undefined);
  }

  async #all(): Promise<Job[]> {
    const ids = await readdir(this.#folder).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw unusable(this.#folder, error as Error);
    });
    const jobs = await Promise.all(ids.map((id) => this.#read(id)));
    return jobs.filter((job) => job !== null).sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** By name or id. */
  async find(nameOrId: string): Promise<Job | null> {
    const jobs = await this.list();
    return jobs.find(({ id }) => id === nameOrId) ?? jobs.find(({ name }) => name === nameOrId) ?? null;
  }

  async get(nameOrId: string): Promise<Job> {
    const job = await this.find(nameOrId);
    if (!job) throw new SpillwayError('SOURCE_NOT_FOUND', `there is no job ${JSON.stringify(nameOrId.slice(0, 100))}`);
    return job;
  }

  /** A new job, or the one of this name with other settings; its packets stay. */
  async put(name: string, settings: JobSettings): Promise<Job> {
    checkName(name);
    const known = await this.find(name);
    return this.#write(known?.id ?? randomUUID(), name, settings);
  }

  /** Whether another job has the name is for the caller to know. */
  async replace({ id }: Job, name: string, settings: JobSettings): Promise<Job> {
    checkName(name);
    return this.#write(id, name, settings);
  }

  async #write(id: string, name: string, settings: JobSettings): Promise<Job> {
    const folder = join(this.#folder, id);
    try {
      await mkdir(folder, { recursive: true, mode: FOLDER_MODE });
      await writeFile(join(folder, 'job.json.part'), `${JSON.stringify({ version: 1, name, ...settings }, null, 2)}\n`);
      await rename(join(folder, 'job.json.part'), join(folder, 'job.json'));
    } catch (error) {
      throw unusable(folder, error as Error);
    }
    return { id, name, folder, settings };
  }

  /** With all its packets. The caller has ended its capture. */
  async remove({ folder }: Job): Promise<void> {
    await rm(folder, { recursive: true });
  }

  async #read(id: string): Promise<Job | null> {
    const folder = join(this.#folder, id);
    try {
      const { version, name, ...settings } = JSON.parse(await readFile(join(folder, 'job.json'), 'utf8')) as {
        version: number;
        name: string;
      } & JobSettings;
      return version === 1 && NAME.test(name) ? { id, name, folder, settings } : null;
    } catch {
      return null;
    }
  }
}

export function checkName(name: string): void {
  if (!NAME.test(name))
    throw new SpillwayError(
      'REQUEST_INVALID',
      `${JSON.stringify(name)} is no name of a job: letters, digits, dots, dashes and underscores, 64 at most`,
    );
  if (ID.test(name)) throw new SpillwayError('REQUEST_INVALID', `${JSON.stringify(name)} is no name of a job: it has the form of an id`);
}

/** The folders of a job's interfaces, in order of their position. */
export async function interfaceFolders({ folder }: Job): Promise<{ name: string; path: string }[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory() && INTERFACE_FOLDER.test(entry.name))
    .sort((a, b) => Number.parseInt(a.name, 10) - Number.parseInt(b.name, 10))
    .map((entry) => ({ name: INTERFACE_FOLDER.exec(entry.name)![1]!, path: join(folder, entry.name) }));
}

export function unusable(folder: string, error: Error): SpillwayError {
  return new SpillwayError('DATA_FOLDER_UNUSABLE', `${folder} can not be used: ${error.message}`);
}
