import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { root } from './paths.mjs';
import { exitOf } from './run.mjs';
import { say } from './say.mjs';
import { ensureTestTools } from './setup.mjs';
import { build } from './start.mjs';

/** The peers are among the test tools; a case whose peer is missing says so itself. */
export async function bench(args) {
  await build();
  const lacking = await ensureTestTools();
  if (lacking !== null) say(lacking);
  const command = ['--import', 'tsx', join(root, 'bench', 'main.ts'), ...args];
  process.exitCode = await exitOf(spawn(process.execPath, command, { cwd: root, stdio: 'inherit' }));
}
