/** `npm run bench`: sets up what is missing, then runs bench/main.ts with the arguments after `--`. */
import { requireNode } from './lib/node-version.mjs';

requireNode();
import('./lib/bench.mjs').then(({ bench }) => bench(process.argv.slice(2)));
