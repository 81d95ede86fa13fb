/** `npm run build`: everything `bin/spillway` needs, from a bare machine on; starts nothing. */
import { requireNode } from './lib/node-version.mjs';

requireNode();
import('./lib/start.mjs').then(({ build }) => build());
