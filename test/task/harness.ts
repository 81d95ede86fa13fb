/** Tasks in a folder of their own, and the same folder once more as another run of the server finds it. */
import { afterEach } from 'vitest';
import { join } from 'node:path';
import { closeDatabase, openDatabase, type Connection } from '../../src/state/database.js';
import { ArtifactTable, TaskTable } from '../../src/state/tasks.js';
import { Artifacts, type ArtifactsOptions } from '../../src/task/artifacts.js';
import { Tasks, type TasksOptions } from '../../src/task/tasks.js';
import { temporaryFolder } from '../support/temporary.js';

export interface Room {
  folder: string;
  tasks: Tasks;
  artifacts: Artifacts;
  reports: Error[];
  /** Ends it as a server does. */
  close(): Promise<void>;
  /** Ends it as kill -9 does: nothing is told, nothing is tidied. */
  drop(): void;
}

const open: Room[] = [];
afterEach(async () => {
  for (const room of open.splice(0)) await room.close();
});

export async function openRoom(
  kinds: TasksOptions['kinds'],
  folder: string = temporaryFolder().path,
  { limits, clocks }: Pick<ArtifactsOptions, 'limits' | 'clocks'> = {},
): Promise<Room> {
  const { db } = openDatabase(join(folder, 'tasks.db'));
  const reports: Error[] = [];
  const report = (error: Error): void => void reports.push(error);
  const timed = clocks && { clocks };
  const artifacts = await Artifacts.open({
    folder: join(folder, 'packages'),
    table: new ArtifactTable(db),
    report,
    ...timed,
    ...(limits && { limits }),
  });
  const tasks = new Tasks({ table: new TaskTable(db), artifacts, kinds, report, ...timed });
  const room: Room = { folder, tasks, artifacts, reports, ...ends(db, tasks) };
  open.push(room);
  return room;
}

function ends(db: Connection, tasks: Tasks): Pick<Room, 'close' | 'drop'> {
  let isOver = false;
  return {
    close: async () => {
      if (isOver) return;
      isOver = true;
      await tasks.close();
      closeDatabase(db);
    },
    drop: () => {
      isOver = true;
      closeDatabase(db);
    },
  };
}
