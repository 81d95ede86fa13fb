/** Formats the C++ with clang-format 14, or with --check only tells what is not formatted. Other versions differ, so they are not used. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { root } from './lib/paths.mjs';
import { findProgram } from './lib/run.mjs';
import { say } from './lib/say.mjs';
import { filesUnder } from './lib/stamp.mjs';

const PROGRAM = 'clang-format-14';
const folders = ['native', 'test/native', 'test/fuzz'].map((folder) => join(root, folder));
const files = filesUnder(folders, (path) => /\.(h|cc)$/.test(path));

if (findProgram(PROGRAM) === null) {
  say(`${PROGRAM} is not installed, the C++ is left as it is (apt-get install ${PROGRAM})`);
} else {
  const mode = process.argv.includes('--check') ? ['--dry-run', '--Werror'] : ['-i'];
  process.exitCode = spawnSync(PROGRAM, ['--style=file', ...mode, ...files], { cwd: root, stdio: 'inherit' }).status ?? 1;
}
