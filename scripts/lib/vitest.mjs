/** Runs the TypeScript tests and counts them by suite, from vitest's own JSON report. */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { root, setupDir } from './paths.mjs';
import { exitOf } from './run.mjs';

/** Suites by folder; the first that fits counts. What fits none is TypeScript. */
const SUITES = [
  { name: 'conformance', folder: 'test/conformance/', mustRun: true },
  { name: 'oracle', folder: 'test/oracle/', mustRun: true },
  { name: 'TypeScript', folder: '', mustRun: false },
];

const suiteOf = (file) => SUITES.find((suite) => file.startsWith(suite.folder));

/**
 * Counts of every suite in a vitest report. A file that broke before its first test counts as one failed test.
 * `mustRun`: a suite that must run and has no test, or a skipped one, gets a failed test with a note.
 */
export function countSuites(report, mustRun) {
  const suites = SUITES.map((suite) => ({ ...suite, passed: 0, failed: 0, skipped: 0, notes: [] }));
  for (const result of report.testResults) {
    const file = relative(root, result.name);
    const suite = suites[SUITES.indexOf(suiteOf(file))];
    const of = (...wanted) => result.assertionResults.filter(({ status }) => wanted.includes(status));
    const failed = of('failed');
    const broken = result.status === 'failed' && failed.length === 0;
    suite.passed += of('passed').length;
    suite.failed += failed.length + (broken ? 1 : 0);
    if (broken) suite.notes.push(`${file} broke: ${firstLine(result.message)}`);
    for (const test of failed) suite.notes.push(`failed: ${file}: ${test.fullName}: ${shortly(test.failureMessages)}`);
    const skipped = of('pending', 'skipped', 'todo', 'disabled');
    suite.skipped += skipped.length;
    if (skipped.length > 0)
      suite.notes.push(`skipped: ${file}: ${skipped[0].fullName}${skipped.length > 1 ? ` and ${skipped.length - 1} more` : ''}`);
  }
  if (mustRun) for (const suite of suites) refuseSkips(suite);
  return suites;
}

function refuseSkips(suite) {
  if (!suite.mustRun) return;
  if (suite.skipped > 0) suite.notes.push(`${suite.name} must run here, and ${suite.skipped} of its tests did not`);
  else if (suite.passed + suite.failed === 0) suite.notes.push(`${suite.name} must run here, and none of its tests did`);
  else return;
  suite.failed += 1;
}

/** Why a test failed, on one line: the log above it may be gone where only its end is kept. */
function shortly(messages) {
  const lines = (messages ?? []).join('\n').split('\n');
  const told = lines.filter((line) => line.trim() !== '' && !/node_modules|^\s*at /.test(line)).map((line) => line.trim());
  return told.slice(0, 8).join(' | ').slice(0, 1000);
}

const firstLine = (text) => (text ?? '').split('\n', 1)[0];

/** Runs all tests; a run that ends badly without a failed test (an unhandled error, a crash) is one failure more. */
export async function runVitest(mustRun) {
  mkdirSync(setupDir, { recursive: true });
  const reportPath = join(setupDir, 'vitest.json');
  rmSync(reportPath, { force: true });
  const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
  const args = [vitest, 'run', '--reporter=default', '--reporter=json', `--outputFile.json=${reportPath}`];
  const code = await exitOf(spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] }));
  const whole = { name: 'TypeScript', passed: 0, failed: 1, skipped: 0, notes: ['vitest left no report'] };
  if (!existsSync(reportPath)) return [whole];
  const suites = countSuites(JSON.parse(readFileSync(reportPath, 'utf8')), mustRun);
  if (code !== 0 && suites.every((suite) => suite.failed === 0)) {
    const last = suites.at(-1);
    last.failed += 1;
    last.notes.push(`vitest ended with exit code ${code} and no failed test: see the errors above`);
  }
  return suites;
}
