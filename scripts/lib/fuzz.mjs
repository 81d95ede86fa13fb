/** libFuzzer targets: one file `test/fuzz/<target>.cc` each, run over a corpus that grows in `.setup/fuzz/<target>`. */
import { spawn } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { buildProgram, ccFiles, coreSources, SANITIZED } from './compile.mjs';
import { corporaDir, root, setupDir } from './paths.mjs';
import { exitOf } from './run.mjs';
import { SetupError } from './say.mjs';
import { filesUnder } from './stamp.mjs';

const TARGETS_DIR = join(root, 'test', 'fuzz');
const LINK_FLAGS = ['-fsanitize=fuzzer,address,undefined'];
/** Seeds that would only slow the mutations down are left out. */
const SEED_BYTES_MAX = 16 * 1024;
const MEMORY_LIMIT_MB = 2048;
/** One input that takes longer than this is a finding. */
const INPUT_SECONDS_MAX = 10;

export function fuzzTargets() {
  return ccFiles([TARGETS_DIR]).map((path) => basename(path, '.cc'));
}

function seed(target) {
  const corpus = join(setupDir, 'fuzz', target);
  mkdirSync(corpus, { recursive: true });
  if (readdirSync(corpus).length > 0) return corpus;
  const folders = [join(TARGETS_DIR, 'seeds', target), join(corporaDir, 'malformed'), join(corporaDir, 'reader', 'files')];
  const seeds = filesUnder(folders, (path) => !path.endsWith('.tsv') && statSync(path).size <= SEED_BYTES_MAX);
  seeds.forEach((path, i) => copyFileSync(path, join(corpus, `seed-${i}-${basename(path)}`)));
  return corpus;
}

/** The target's program. */
export async function buildFuzzer(target, ahead = null) {
  const source = join(TARGETS_DIR, `${target}.cc`);
  if (!existsSync(source)) throw new SetupError(`there is no fuzz target ${target}; there are: ${fuzzTargets().join(', ')}`);
  return buildProgram({ ...SANITIZED, name: target, sources: [...coreSources(), source], linkFlags: LINK_FLAGS, ahead });
}

/** Runs a target for so many seconds; resolves to true when nothing was found. A finding is left in `.setup/fuzz/`. */
export async function fuzz(target, seconds) {
  const program = await buildFuzzer(target);
  const args = [
    seed(target),
    `-max_total_time=${seconds}`,
    `-timeout=${INPUT_SECONDS_MAX}`,
    `-rss_limit_mb=${MEMORY_LIMIT_MB}`,
    `-artifact_prefix=${join(setupDir, 'fuzz', `${target}-`)}`,
    '-print_final_stats=1',
    '-verbosity=0',
  ];
  return (await exitOf(spawn(program, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] }))) === 0;
}
