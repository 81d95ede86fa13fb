/** Where the compiling executable is, and what it is started with. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The package's folder, two up from here both in src/ and in dist/. */
const ROOT = new URL('../../', import.meta.url);
const NAME = 'spillway-compile';

/**
 * The executable beside the native addon: built here, else prebuilt for this machine. `SPILLWAY_COMPILE` names
 * another one. Where there is none, the place where a build puts it.
 */
export function compilerPath(): string {
  const chosen = process.env['SPILLWAY_COMPILE'];
  if (chosen) return chosen;
  const built = fileURLToPath(new URL(`build/Release/${NAME}`, ROOT));
  if (existsSync(built)) return built;
  const prebuilt = fileURLToPath(new URL(`prebuilds/${process.platform}-${process.arch}/${NAME}`, ROOT));
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

let version: string | undefined;

/** The version in package.json, which the executable must share. */
export function packageVersion(): string {
  if (version === undefined) {
    const manifest = JSON.parse(readFileSync(new URL('package.json', ROOT), 'utf8')) as { version: string };
    version = manifest.version;
  }
  return version;
}
