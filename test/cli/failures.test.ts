/** bin/spillway on bad input: its exit code, one coded sentence, no stack trace, nothing left. */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../support/temporary.js';

const SPILLWAY = fileURLToPath(new URL('../../bin/spillway', import.meta.url));
const folder = temporaryFolder();
const empty = folder.write('empty', Buffer.alloc(0));
const noise = folder.write('noise', Buffer.alloc(5000, 0x5a));

const CASES: [string, number, string, string[]][] = [
  ['a missing file', 2, 'SOURCE_NOT_FOUND', [join(folder.path, 'missing')]],
  ['a folder', 2, 'SOURCE_NOT_A_CAPTURE', [folder.path]],
  ['an empty file', 2, 'SOURCE_NOT_A_CAPTURE', [empty]],
  ['no magic number', 2, 'SOURCE_NOT_A_CAPTURE', [noise]],
  ['a reversed range', 1, 'TIME_INVALID', [empty, '--from', '10', '--to', '5']],
  ['a missing output folder', 1, 'OUTPUT_INVALID', [empty, '-o', join(folder.path, 'none', 'x')]],
];

it.each(CASES)('%s', (_, exit, code, args) => {
  const to = args.includes('-o') ? [] : ['-o', join(folder.path, 'out.pcap')];
  const run = spawnSync(SPILLWAY, ['export', ...args, ...to], { encoding: 'utf8', timeout: 10_000, killSignal: 'SIGKILL' });
  expect(run.status).toBe(exit);
  expect(run.stdout).toBe('');
  expect(run.stderr).toMatch(new RegExp(`^spillway: [^\\n]+ \\[${code}\\]\\n$`));
  expect(readdirSync(folder.path).sort()).toEqual(['empty', 'noise']);
});
