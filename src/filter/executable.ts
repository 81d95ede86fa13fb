/** Where the compiling executable is, and what it is started with. */
import { existsSync } from 'node:fs';
import { fromRoot } from '../root.js';

const NAME = 'spillway-compile';

/**
 * The executable beside the native addon: built here, else prebuilt for this machine. `SPILLWAY_COMPILE` names
 * another one. Where there is none, the place where a build puts it.
 */
export function compilerPath(): string {
  const chosen = process.env['SPILLWAY_COMPILE'];
  if (chosen) return chosen;
  const built = fromRoot('build', 'Release', NAME);
  if (existsSync(built)) return built;
  const prebuilt = fromRoot('prebuilds', `${process.platform}-${process.arch}`, NAME);
  return existsSync(prebuilt) ? prebuilt : built;
}

/** Only what the dynamic loader may need; a filter compiler has no business with the rest of our environment. */
export function compilerEnvironment(): NodeJS.ProcessEnv {
  const kept: NodeJS.ProcessEnv = {};
  for (const name of ['LD_LIBRARY_PATH', 'SPILLWAY_LIBPCAP']) {
    const value = process.env[name];
    if (value !== undefined) kept[name] = value;
  }
  return kept;
}
