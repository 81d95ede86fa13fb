/** `spillway serve`, started by root: the server runs as another user, below a parent that starts its captures. */
import { spawnSync } from 'node:child_process';
import type { Duplex } from 'node:stream';
import { PARENT_FD } from '../capture/parent.js';
import { SpillwayError } from '../errors.js';
import { fromRoot } from '../root.js';
import { asUser, environmentFor } from './as-user.js';
import { endOf, startChild } from './child.js';
import { dataFolderFor } from './data-folder.js';
import { answerRequests, type Household } from './parent.js';
import { chooseUser } from './user.js';
import { unreachable, viewFor } from './view.js';

/** The way to the parent has the number before it. */
export const FIRST_FILE = 4;

export interface RootServe {
  /** What `--user` says. */
  user: string | undefined;
  dataFolder: string;
  /** Descriptors that the server gets, numbered from `FIRST_FILE` on. */
  files?: readonly number[];
  /** The server's command line, for the data folder that it is told. */
  command(dataFolder: string): string[];
}

/** Resolves to the server's exit code. */
export async function serveAsUser({ user: given, dataFolder: asked, files = [], command }: RootServe): Promise<number> {
  const user = chooseUser(given, [asked, fromRoot()]);
  const dataFolder = await dataFolderFor(user, asked);
  const household = { user, dataFolder, view: await viewFor(user, dataFolder) };
  const environment = environmentFor(process.env);
  prove(household, environment);
  const child = startChild(asUser(user, household.view, command(dataFolder)), ['ignore', 'inherit', 'inherit', 'pipe', ...files], {
    ...environment,
    [PARENT_FD]: '3',
  });
  void answerRequests(child.stdio[3] as Duplex, household);
  return endOf(child);
}

/** Tries what modes alone do not tell, so that what fails has a sentence. */
function prove({ user, view }: Household, env: NodeJS.ProcessEnv): void {
  const [program, ...args] = asUser(user, view, [process.execPath, fromRoot('bin', 'spillway'), '--version']);
  const { status, stderr, error } = spawnSync(program!, args, { cwd: '/', encoding: 'utf8', env });
  if ((error as NodeJS.ErrnoException | undefined)?.code === 'ENOENT')
    throw new SpillwayError('SETUP_INCOMPLETE', `${program} (of util-linux) is not installed`);
  if (status !== 0) throw unreachable(user, fromRoot(), `or not run it (${error?.message ?? stderr.trim().split('\n').at(-1)})`);
}
