/** `npm run test:native`: builds and runs the C++ core's tests. */
import { runNativeTests } from './lib/native-test.mjs';
import { sayFailure } from './lib/say.mjs';

try {
  const { passed, failed, notes } = await runNativeTests(process.argv.slice(2));
  for (const line of notes) console.log(line);
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed === 0 ? 0 : 1;
} catch (error) {
  sayFailure(error);
  process.exitCode = 1;
}
