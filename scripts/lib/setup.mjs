/** The set-up, in order: system packages, npm packages, the two addons, the TypeScript. */
import { runSteps, staleSteps } from './build.mjs';
import { dependenciesAreCurrent, ensureDependencies } from './dependencies.mjs';
import { locked } from './lock.mjs';
import { BUILD_NEEDS, ensurePackages, missingPackages, RUN_NEEDS, TEST_NEEDS } from './system.mjs';
import { SetupError } from './say.mjs';

/** Everything `bin/spillway` needs, from a bare machine on; a second call finds it all in place and takes no lock. */
export async function ensureRunnable() {
  if (dependenciesAreCurrent() && staleSteps().length === 0 && missingPackages(RUN_NEEDS).length === 0) return;
  await setUp(async () => {
    // First, because it is the one thing that may have to be asked of the user.
    const compiles = !dependenciesAreCurrent() || staleSteps().some((step) => step.compiles);
    await ensurePackages(compiles ? [...BUILD_NEEDS, ...RUN_NEEDS] : RUN_NEEDS);
    await ensureDependencies();
    await runSteps(staleSteps());
  });
}

/** The build alone, with what is installed: for a test run that was started by hand. */
export async function ensureBuilt() {
  if (staleSteps().length > 0) await setUp(() => runSteps(staleSteps()));
}

/** Alone, and so that everybody may read what comes of it: what root sets up runs as another user, however strict root's umask. */
async function setUp(work) {
  const before = process.umask(0o022);
  try {
    await locked(work);
  } finally {
    process.umask(before);
  }
}

/** What only tests need. Returns null, or the sentence about what is not there: the suites that need it then skip. */
export async function ensureTestTools() {
  if (missingPackages(TEST_NEEDS).length === 0) return null;
  try {
    await locked(() => ensurePackages(TEST_NEEDS));
    return null;
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    return error.message;
  }
}
