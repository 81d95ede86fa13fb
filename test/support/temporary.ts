/** A folder for a suite's files, removed when the suite is over. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';

const folders: string[] = [];

// Registered where the suite begins: what a test makes goes as well, and after what the suite itself ends.
afterAll(() => {
  for (const path of folders) rmSync(path, { recursive: true, force: true });
});

/** Gives a function that writes bytes to a file in the folder and returns its path. */
export function temporaryFolder(): { path: string; write: (name: string, bytes: Uint8Array) => string } {
  const path = mkdtempSync(join(tmpdir(), 'spillway-test-'));
  folders.push(path);
  return {
    path,
    write: (name, bytes) => {
      const to = join(path, name);
      writeFileSync(to, bytes);
      return to;
    },
  };
}
