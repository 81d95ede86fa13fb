/** `npm run crash -- --minutes N [--seed N]`. */
import { crash } from './lib/crash.mjs';
import { sayFailure } from './lib/say.mjs';

const WHOLE = /^[1-9]\d*$/;
const [flag, minutes, seedFlag = '--seed', seed = '1'] = process.argv.slice(2);
if (flag !== '--minutes' || !WHOLE.test(minutes ?? '') || seedFlag !== '--seed' || !WHOLE.test(seed)) {
  console.error('usage: npm run crash -- --minutes N [--seed N]');
  process.exit(1);
}
try {
  process.exitCode = (await crash({ minutes, seed: process.argv.length > 4 ? seed : undefined })) ? 0 : 1;
} catch (error) {
  sayFailure(error);
  process.exitCode = 1;
}
