/** Child processes: always argument arrays, never a shell. */
import { spawn, spawnSync } from 'node:child_process';
import { accessSync, closeSync, constants, mkdirSync, openSync, readFileSync, statSync } from 'node:fs';
import { delimiter, join, relative } from 'node:path';
import { root, setupDir } from './paths.mjs';
import { SetupError } from './say.mjs';

const TAIL_LINES = 25;

/**
 * Runs a set-up step with its output in `.setup/<name>.log`; resolves when it exits with 0.
 * `sentence` is what the user reads when it does not.
 */
export async function runLogged(name, command, args, { sentence, cwd = root, env = process.env }) {
  mkdirSync(setupDir, { recursive: true });
  const logPath = join(setupDir, `${name}.log`);
  const log = openSync(logPath, 'w');
  let code;
  try {
    code = await exitOf(spawn(command, args, { cwd, env, stdio: ['ignore', log, log] }));
  } catch (error) {
    throw new SetupError(`${sentence} (${command} does not start: ${error.message})`);
  } finally {
    closeSync(log);
  }
  if (code === 0) return;
  const tail = readFileSync(logPath, 'utf8').trimEnd().split('\n').slice(-TAIL_LINES).join('\n');
  throw new SetupError(`${sentence} (the whole log: ${relative(root, logPath)})`, tail);
}

/** Exit code of a child; a signal counts as 128 + 1. */
export function exitOf(child) {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? 129));
  });
}

/** The full path of a program on PATH, or null. */
export function findProgram(name) {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const path = join(folder || '.', name);
    try {
      accessSync(path, constants.X_OK);
      if (statSync(path).isFile()) return path;
    } catch {
      // Not here: the next folder.
    }
  }
  return null;
}

/** Standard output of a short command, or null when it fails. */
export function outputOf(command, args) {
  const result = spawnSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  return result.status === 0 ? result.stdout.trim() : null;
}
