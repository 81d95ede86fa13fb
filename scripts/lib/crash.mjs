/** The long form of the crash tests, one file after another: for so many minutes those that kill. Needs root. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { root } from './paths.mjs';
import { exitOf } from './run.mjs';

const FILES = ['capture/kills', 'capture/server-kills', 'capture/packages', 'api/package-kills', 'update/kills'].map((name) =>
  join('test', `${name}.test.ts`),
);

/** Resolves to true when all went well. Without a seed there is another one each time; what fails tells its own. */
export async function crash({ minutes, seed }) {
  const env = { ...process.env, SPILLWAY_MUST_RUN: '1', SPILLWAY_CRASH_MINUTES: minutes };
  if (seed !== undefined) env.SPILLWAY_CRASH_SEED = seed;
  const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
  const args = [vitest, 'run', '--no-file-parallelism', ...FILES];
  return (await exitOf(spawn(process.execPath, args, { cwd: root, env, stdio: 'inherit' }))) === 0;
}
