/** `npm run conformance`: the conformance tests, with all rows of tables of which `npm test` takes a sample. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { root } from './lib/paths.mjs';
import { exitOf } from './lib/run.mjs';

const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
const env = { ...process.env, SPILLWAY_CONFORMANCE: 'all', SPILLWAY_MUST_RUN: '1' };
process.exitCode = await exitOf(spawn(process.execPath, [vitest, 'run', 'test/conformance'], { cwd: root, env, stdio: 'inherit' }));
