/** `npm start`: sets up what is missing, then serves. Arguments after `--` go to `bin/spillway serve`. */
import { requireNode } from './lib/node-version.mjs';

requireNode();
// Loaded only now: an old Node could not even parse the rest.
import('./lib/start.mjs').then(({ start }) => start(process.argv.slice(2)));
