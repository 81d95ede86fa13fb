/** A file system with no room, where the machine lets us make one. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const mount = (path: string, options = 'size=1m'): void =>
  void execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', path], { stdio: 'ignore' });
const unmount = (path: string): void => void execFileSync('umount', [path]);

/** Whether this user may mount. */
export function canMount(): boolean {
  const path = mkdtempSync(join(tmpdir(), 'spillway-mount-'));
  try {
    mount(path);
    unmount(path);
    return true;
  } catch {
    return false;
  } finally {
    rmdirSync(path);
  }
}

/** Runs `work` with a file system of one megabyte, or other `options`, at `path`, which is made and removed. */
export async function withSmallDisk(path: string, work: () => Promise<void>, options?: string): Promise<void> {
  mkdirSync(path);
  mount(path, options);
  try {
    await work();
  } finally {
    unmount(path);
    rmdirSync(path);
  }
}
