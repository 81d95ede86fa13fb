/** The C++ core's own tests: one program under the address and undefined-behaviour sanitizers. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { buildProgram, captureSources, ccFiles, coreSources, SANITIZED } from './compile.mjs';
import { root } from './paths.mjs';
import { exitOf } from './run.mjs';
import { SetupError } from './say.mjs';

const LINK_FLAGS = ['-fsanitize=address,undefined'];

/** The program's path. */
export async function buildNativeTests(ahead = null) {
  const folder = join(root, 'test', 'native');
  const capture = captureSources();
  const tests = ccFiles([folder]).filter((path) => capture.length > 0 || !path.startsWith(join(folder, 'capture')));
  if (tests.length === 0) throw new SetupError('there is no test under test/native');
  const sources = [...coreSources(), ...capture, ...tests];
  return buildProgram({ ...SANITIZED, name: 'native-test', sources, linkFlags: LINK_FLAGS, ahead });
}

/**
 * Builds it and runs it as two processes, which share the tests: each uses one core. A process ends with a line `N passed, N failed`; one
 * without (a crash, a sanitizer's report) is a failure, whatever it printed before.
 */
export async function runNativeTests(args = []) {
  const program = await buildNativeTests();
  // A name may belong to one test alone.
  const shards = args.length > 0 ? [[]] : [1, 2].map((i) => ['--shard', `${i}/2`]);
  const runs = await Promise.all(shards.map((shard) => runShard(program, [...args, ...shard])));
  const sum = (key) => runs.reduce((total, run) => total + run[key], 0);
  return { passed: sum('passed'), failed: sum('failed'), skipped: 0, notes: runs.flatMap(({ notes }) => notes) };
}

async function runShard(program, args) {
  const child = spawn(program, args, { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    output += text;
    process.stdout.write(text.replace(SUMMARY, ''));
  });
  const code = await exitOf(child);
  const [, passed, failed] = SUMMARY.exec(output) ?? [];
  if (passed === undefined) return { passed: 0, failed: 1, notes: [`it ended without a summary (exit code ${code})`] };
  const counts = { passed: Number(passed), failed: Number(failed), notes: [] };
  if (code === 0 || counts.failed > 0) return counts;
  return { ...counts, failed: 1, notes: [`exit code ${code} with no failed test`] };
}

const SUMMARY = /^(\d+) passed, (\d+) failed\n?$/m;
