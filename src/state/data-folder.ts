/** The data folder: everything a probe keeps. Opening it locks it, makes what is missing and sweeps what is left over. */
import { mkdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { SpillwayError } from '../errors.js';
import { AuditTable } from './audit.js';
import { closeDatabase, openDatabase, touchDatabase } from './database.js';
import { ExportStore } from './exports.js';
import { FileSystem } from './filesystem.js';
import { sweepPartFiles } from './part-files.js';
import { PeerTable } from './peers.js';
import { ProfileTable } from './profiles.js';
import { writeSample } from './sample.js';
import { SecretTable } from './secrets.js';
import { serialOf } from './serial.js';
import { ArtifactTable, TaskTable } from './tasks.js';
import { UpdateKeyTable, UpdatePackageTable } from './updates.js';
import { UserTable } from './users.js';
import { Writes } from './writes.js';

/** Whose folder there is before there are users. */
const ADMIN = 'admin';

export interface DataFolder {
  readonly path: string;
  readonly exports: ExportStore;
  readonly files: FileSystem;
  readonly users: UserTable;
  readonly secrets: SecretTable;
  readonly audit: AuditTable;
  readonly tasks: TaskTable;
  readonly artifacts: ArtifactTable;
  readonly peers: PeerTable;
  readonly profiles: ProfileTable;
  readonly updatePackages: UpdatePackageTable;
  readonly updateKeys: UpdateKeyTable;
  /** Random, and the same as long as the data folder lives. */
  readonly serial: string;
  /** Unfinished files of a probe that died, removed now. */
  readonly sweptFiles: number;
  /** Throws where the database can't be written. */
  write(): void;
  /** Gives up the lock. */
  close(): void;
}

/** Private to the user who runs the probe: captures hold what people sent. */
const FOLDER_MODE = 0o700;

export async function openDataFolder(path: string): Promise<DataFolder> {
  await make(path);
  const { db, isNew } = openDatabase(join(path, 'spillway.db'));
  try {
    const fs = join(path, 'fs');
    await make(join(fs, ADMIN));
    const sweptFiles = await sweepPartFiles(fs);
    if (isNew) await writeSample(join(fs, ADMIN));
    const writes = new Writes(db);
    return {
      path,
      exports: new ExportStore(db, writes),
      files: new FileSystem(await realpath(fs)),
      users: new UserTable(db),
      secrets: new SecretTable(db),
      audit: new AuditTable(db, undefined, writes),
      tasks: new TaskTable(db),
      artifacts: new ArtifactTable(db),
      peers: new PeerTable(db),
      profiles: new ProfileTable(db),
      updatePackages: new UpdatePackageTable(db),
      updateKeys: new UpdateKeyTable(db),
      serial: serialOf(db),
      sweptFiles,
      write: () => touchDatabase(db),
      close: () => {
        writes.flush();
        closeDatabase(db);
      },
    };
  } catch (error) {
    closeDatabase(db);
    if (error instanceof SpillwayError) throw error;
    throw unusable(path, error);
  }
}

async function make(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: FOLDER_MODE }).catch((error: unknown) => {
    throw unusable(folder, error);
  });
}

function unusable(path: string, error: unknown): SpillwayError {
  return new SpillwayError('DATA_FOLDER_UNUSABLE', `the data folder ${path} can not be used: ${(error as Error).message}`);
}
