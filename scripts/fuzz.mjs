/** `npm run fuzz -- TARGET SECONDS`. */
import { fuzz, fuzzTargets } from './lib/fuzz.mjs';
import { sayFailure } from './lib/say.mjs';

const [target, seconds] = process.argv.slice(2);
if (target === undefined || !/^[1-9]\d*$/.test(seconds ?? '')) {
  console.error(`usage: npm run fuzz -- TARGET SECONDS (targets: ${fuzzTargets().join(', ')})`);
  process.exit(1);
}
try {
  process.exitCode = (await fuzz(target, Number(seconds))) ? 0 : 1;
} catch (error) {
  sayFailure(error);
  process.exitCode = 1;
}
