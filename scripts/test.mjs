/** `npm test`: sets up what is missing, then runs every suite; the last line is the sum `N passed, N failed`. */
import { requireNode } from './lib/node-version.mjs';

requireNode();
import('./lib/test.mjs').then(({ test }) => test());
