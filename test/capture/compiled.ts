/** Small programs of the tests, compiled when they are first asked for. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fromRoot } from '../../src/root.js';

/** The program of one C++ file, kept in `.setup` until the file changes. */
export function compiled(...source: string[]): string {
  const file = fromRoot(...source);
  const folder = fromRoot('.setup');
  const path = join(folder, `${basename(file, '.cc')}-${createHash('sha256').update(readFileSync(file)).digest('hex').slice(0, 12)}`);
  if (!existsSync(path)) {
    mkdirSync(folder, { recursive: true });
    const part = `${path}.${process.pid}`;
    execFileSync('g++', ['-std=c++20', '-O2', '-o', part, file]);
    renameSync(part, path);
  }
  return path;
}
