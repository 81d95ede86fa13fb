/** The npm packages of the lock file. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './paths.mjs';
import { runLogged } from './run.mjs';
import { say } from './say.mjs';

const packagesOf = (path) => JSON.parse(readFileSync(path, 'utf8')).packages;

/** npm's own record of what it installed; none, or a torn one, when an installation broke. */
function installedPackages(folder) {
  try {
    return packagesOf(join(folder, 'node_modules', '.package-lock.json'));
  } catch {
    return null;
  }
}

const same = (a, b) => a.version === b.version && a.integrity === b.integrity;

/**
 * Whether node_modules holds what the lock file asks for. Optional packages of other platforms may be absent.
 */
export function dependenciesAreCurrent(folder = root) {
  const installed = installedPackages(folder);
  if (installed === null) return false;
  const { '': _project, ...wanted } = packagesOf(join(folder, 'package-lock.json'));
  const complete = Object.entries(wanted).every(([path, entry]) =>
    installed[path] ? same(entry, installed[path]) : entry.optional || entry.devOptional,
  );
  return complete && Object.keys(installed).every((path) => path in wanted);
}

/** `npm ci` without any package's install script: the one that matters, zstd-napi's, is a step of its own. */
export async function ensureDependencies() {
  if (dependenciesAreCurrent()) return;
  say('installing the npm packages of package-lock.json …');
  // npm tells its scripts where it is itself; outside of npm it is looked for on PATH.
  const npm = process.env.npm_execpath;
  const [command, before] = npm?.endsWith('.js') ? [process.execPath, [npm]] : ['npm', []];
  const args = ['ci', '--ignore-scripts', '--include=dev', '--no-audit', '--no-fund', '--loglevel=notice'];
  await runLogged('npm-ci', command, [...before, ...args], {
    sentence: 'npm ci failed, the npm packages could not be installed',
  });
}
