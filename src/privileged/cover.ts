/**
 * The program that makes a view (view.ts), as root in a mount namespace of its own. Reads one line, says `ready` when
 * everything is in place, and keeps the namespace until its standard input ends.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, openSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';

export interface Cover {
  /** An empty folder takes its place. */
  folder: string;
  /** What is needed below it: the thing itself, or a copy that anyone may read. */
  shown: { path: string; copy: boolean }[];
}

function mount(...args: string[]): void {
  const { status, stderr, error } = spawnSync('mount', ['--no-mtab', ...args], { encoding: 'utf8' });
  if (status !== 0) throw error ?? new Error(stderr.trim());
}

function cover({ folder, shown }: Cover): void {
  // Opened while they can be reached; a descriptor is a way to them afterwards.
  const kept = shown.map(({ path, copy }) => ({ path, bytes: copy ? readFileSync(path) : null, fd: copy ? -1 : openSync(path, 'r') }));
  kept.sort((a, b) => a.path.length - b.path.length);
  mount('-t', 'tmpfs', '-o', 'mode=0755,size=1m,nosuid,nodev', 'spillway', folder);
  for (const { path, bytes, fd } of kept) {
    // Shown already, with a folder that it lies in.
    if (existsSync(path)) continue;
    const source = `/proc/${process.pid}/fd/${fd}`;
    const isFolder = bytes === null && statSync(source).isDirectory();
    mkdirSync(isFolder ? path : dirname(path), { recursive: true });
    if (!isFolder) writeFileSync(path, bytes ?? '');
    if (bytes === null) mount('--no-canonicalize', '--rbind', source, path);
  }
}

// Everybody may go through what is made here.
process.umask(0o022);
createInterface({ input: process.stdin }).once('line', (line) => {
  try {
    for (const each of JSON.parse(line) as Cover[]) cover(each);
    process.stdout.write('ready\n');
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`);
    process.exitCode = 2;
    process.stdin.destroy();
  }
});
