/** node-gyp, the locked one, without the npm in between. */
import { existsSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { root } from './paths.mjs';
import { runLogged } from './run.mjs';
import { SetupError } from './say.mjs';

/** The folder that holds this Node's `include/node`, or null: then node-gyp fetches the headers from nodejs.org. */
function localHeaders() {
  const prefix = dirname(dirname(realpathSync(process.execPath)));
  return existsSync(join(prefix, 'include', 'node', 'node_api.h')) ? prefix : null;
}

/** Configures and builds the addon in `folder`, release build; make does only what is out of date. */
export async function gypBuild(name, folder, sentence) {
  const headers = localHeaders();
  const args = [join(root, 'node_modules', 'node-gyp', 'bin', 'node-gyp.js'), 'configure', 'build', '--release', '--jobs=max'];
  if (headers !== null) args.push(`--nodedir=${headers}`);
  try {
    // A quiet npm must not leave the log empty.
    const env = { ...process.env, npm_config_loglevel: 'info' };
    await runLogged(name, process.execPath, args, { sentence, cwd: folder, env });
  } catch (error) {
    if (!(error instanceof SetupError) || headers !== null || !/network connectivity|nodejs\.org/.test(error.logTail)) throw error;
    throw new SetupError(
      "this Node came without its C headers and node-gyp could not fetch them; install Node from nodejs.org's archive, which holds them (include/node)",
      error.logTail,
    );
  }
}
