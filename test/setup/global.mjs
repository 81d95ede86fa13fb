/** Before any test: dist/ and the addon are those of the sources. SPILLWAY_NO_BUILD=1 takes what is there. */
import { say, sayFailure } from '../../scripts/lib/say.mjs';
import { ensureBuilt } from '../../scripts/lib/setup.mjs';

export default async function setup() {
  if (process.env.SPILLWAY_NO_BUILD === '1') return;
  try {
    await ensureBuilt();
  } catch (error) {
    sayFailure(error);
    say('SPILLWAY_NO_BUILD=1 runs the tests with what is built already');
    throw error;
  }
}
