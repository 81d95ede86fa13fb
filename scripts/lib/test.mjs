import { buildFuzzer, fuzz, fuzzTargets } from './fuzz.mjs';
import { buildNativeTests, runNativeTests } from './native-test.mjs';
import { say, sayFailure, SetupError } from './say.mjs';
import { ensureRunnable, ensureTestTools } from './setup.mjs';
import { CLANG_NEEDS, missingPackages } from './system.mjs';
import { runVitest } from './vitest.mjs';

/** Set where a skipped suite would go unnoticed, as in CI: what must run and cannot is then a failure. */
const mustRun = process.env.SPILLWAY_MUST_RUN === '1';
/** Long enough to run every seed and some mutations; real fuzzing is `npm run fuzz`. */
const FUZZ_SECONDS = 3;

const failure = (name, note) => ({ name, passed: 0, failed: 1, skipped: 0, notes: [note] });

/** A suite that broke, as opposed to one with failed tests, is one failure. */
async function guarded(name, run) {
  try {
    return { name, ...(await run()) };
  } catch (error) {
    sayFailure(error);
    return failure(name, error.message);
  }
}

/** Builds in the time that the other suite leaves: some of its tests look at clocks. */
async function fuzzAll() {
  const never = new AbortController().signal;
  for (const target of fuzzTargets()) await buildFuzzer(target, never);
  const counts = { passed: 0, failed: 0, skipped: 0, notes: [] };
  if (fuzzTargets().length === 0) throw new SetupError('there is no target under test/fuzz');
  for (const target of fuzzTargets()) {
    if (await fuzz(target, FUZZ_SECONDS)) counts.passed += 1;
    else {
      counts.failed += 1;
      counts.notes.push(`${target}: a finding, kept in .setup/fuzz/`);
    }
  }
  return counts;
}

/** The C++ suites, side by side, or the word that they are skipped for want of clang. */
async function nativeSuites() {
  const missing = missingPackages(CLANG_NEEDS);
  const suites = ['C++', 'fuzz'];
  const note = `not run: ${missing.join(' and ')} not installed`;
  if (missing.length > 0) return suites.map((name) => (mustRun ? failure(name, note) : { name, passed: 0, failed: 0, skipped: 1, notes: [note] }));
  await buildNativeTests().catch(() => {}); // told by the suite
  return Promise.all([guarded('C++', () => runNativeTests()), guarded('fuzz', fuzzAll)]);
}

/** Many of the other tests wait more than they work. What does not compile is told where it is to run, which goes on with what is left. */
async function buildAhead(until) {
  if (missingPackages(CLANG_NEEDS).length > 0) return;
  try {
    await buildNativeTests(until);
    for (const target of fuzzTargets()) await buildFuzzer(target, until);
  } catch {
    // Told by the suite.
  }
}

async function runAll() {
  await ensureRunnable();
  const lacking = await ensureTestTools();
  if (lacking !== null) say(`some tests will skip; ${lacking}`);
  const others = new AbortController();
  const built = buildAhead(others.signal);
  const typescript = await runVitest(mustRun);
  others.abort();
  await built;
  return [...typescript, ...(await nativeSuites())];
}

function report(suites) {
  console.log('');
  for (const { name, passed, failed, skipped, notes } of suites) {
    console.log(
      `  ${name.padEnd(12)} ${String(passed).padStart(6)} passed ${String(failed).padStart(4)} failed ${String(skipped).padStart(4)} skipped`,
    );
    for (const note of notes) console.log(`    ${note}`);
  }
  const sum = (key) => suites.reduce((total, suite) => total + suite[key], 0);
  console.log(`\n${sum('passed')} passed, ${sum('failed')} failed`);
  return sum('failed') === 0 && sum('passed') > 0;
}

/** Never leaves without the sum, whatever broke. */
export async function test() {
  let suites;
  try {
    suites = await runAll();
  } catch (error) {
    sayFailure(error);
    suites = [failure('set-up', error.message)];
  }
  process.exitCode = report(suites) ? 0 : 1;
}
