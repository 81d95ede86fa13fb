/** Disks of a test's own. Needs root. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { hasProgram, requireOrSkip } from '../setup/require.js';
import { compiled } from './compiled.js';
import { freshFolder } from './live.js';

/** In memory, of a fixed size. */
export function memoryDisk(mebibytes: number): string {
  const path = freshFolder();
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${mebibytes}m`, 'tmpfs', path]);
  onTestFinished(() => void spawnSync('umount', ['-l', path]));
  return path;
}

/** A file as a disk, or null where that can not be had. */
export function loopDisk(kind: 'ext2' | 'ext4', mebibytes: number): LoopDisk | null {
  const programs = hasProgram('losetup') && hasProgram(`mkfs.${kind}`);
  return requireOrSkip(`loop devices and mkfs.${kind}`, programs && spawnSync('losetup', ['-f']).status === 0) ? new LoopDisk(kind, mebibytes) : null;
}

export class LoopDisk {
  readonly path: string;
  readonly #image: string;

  constructor(kind: string, mebibytes: number) {
    const folder = freshFolder();
    this.#image = join(folder, 'image');
    this.path = join(folder, 'disk');
    writeFileSync(this.#image, '');
    truncateSync(this.#image, mebibytes << 20);
    execFileSync(`mkfs.${kind}`, ['-q', '-F', this.#image]);
    mkdirSync(this.path);
    // Namespaces that other tests make meanwhile copy the mount: only below a shared one does it leave them with ours,
    // and what has been cut off is not found again, still in use, when it is mounted anew.
    execFileSync('mount', ['--bind', folder, folder]);
    execFileSync('mount', ['--make-shared', folder]);
    this.mount();
    onTestFinished(() => {
      spawnSync('fsfreeze', ['-u', this.path], { stdio: 'ignore' });
      spawnSync('umount', ['-l', this.path], { stdio: 'ignore' });
      spawnSync('umount', ['-l', folder]);
    });
  }
  mount(): void {
    execFileSync('mount', ['-o', 'loop', this.#image, this.path]);
  }
  unmount(): void {
    execFileSync('umount', [this.path]);
  }
  /** Nothing reaches it from now on; what was there by now is found when it is mounted again. */
  cutPower(): void {
    execFileSync(compiled('test', 'capture', 'cut_power.cc'), [this.path]);
  }
  /** Nothing is written to it from now on: whoever tries waits. */
  freeze(): void {
    execFileSync('fsfreeze', ['-f', this.path]);
  }
  thaw(): void {
    execFileSync('fsfreeze', ['-u', this.path]);
  }
}

/** A file that takes all the room there is; the function makes it free again. */
export function fill(disk: string): () => void {
  const path = join(disk, 'filler');
  // Large pieces first, then the last page.
  for (const size of ['64k', '4k', '512'])
    spawnSync('dd', ['if=/dev/zero', `of=${path}`, `bs=${size}`, 'oflag=append', 'conv=notrunc'], { stdio: 'ignore' });
  return () => rmSync(path);
}
