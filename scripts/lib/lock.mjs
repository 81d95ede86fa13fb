/** One set-up at a time in one checkout: two at once would build into the same folders. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { setupDir } from './paths.mjs';
import { say } from './say.mjs';

const POLL_MS = 200;

function holder(path) {
  try {
    const pid = Number(readFileSync(path, 'utf8'));
    if (!Number.isInteger(pid) || pid <= 0) return null;
    process.kill(pid, 0);
    return pid;
  } catch (error) {
    return error.code === 'EPERM' ? 'another user' : null;
  }
}

function tryLock(path) {
  try {
    writeFileSync(path, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
    return false;
  }
}

/** Runs `work` while holding the checkout's lock; waits for a living holder, takes over from a dead one. */
export async function locked(work) {
  mkdirSync(setupDir, { recursive: true });
  const path = join(setupDir, 'lock');
  let told = false;
  while (!tryLock(path)) {
    const pid = holder(path);
    if (pid === null) {
      // Its writer died, or is between creating the file and writing its number: look again before taking it.
      await sleep(POLL_MS);
      if (holder(path) === null) rmSync(path, { force: true });
      continue;
    }
    if (!told) say(`waiting for another set-up of this checkout (process ${pid}) …`);
    told = true;
    await sleep(POLL_MS);
  }
  try {
    return await work();
  } finally {
    rmSync(path, { force: true });
  }
}
