import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { root } from './paths.mjs';
import { sayFailure } from './say.mjs';
import { ensureRunnable } from './setup.mjs';

/** Hands signals on to the probe. Ctrl-C at a terminal reaches it anyway, and twice would mean "now". */
function forwardSignals(child) {
  process.on('SIGINT', () => {
    if (!process.stdin.isTTY) child.kill('SIGINT');
  });
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
}

/** Sets up and nothing else; a set-up that fails ends the process. */
export async function build() {
  try {
    await ensureRunnable();
  } catch (error) {
    sayFailure(error);
    process.exit(1);
  }
}

/** Sets up, then runs the probe in the foreground until it ends. */
export async function start(args) {
  await build();
  const { endOf } = await import(join(root, 'dist', 'privileged', 'child.js'));
  const child = spawn(process.execPath, [join(root, 'bin', 'spillway'), 'serve', ...args], { stdio: 'inherit' });
  forwardSignals(child);
  process.exit(await endOf(child));
}
