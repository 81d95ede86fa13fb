/** The bench as a whole, on little traffic: stand-ins for the launcher that are right, wrong or broken. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { Result } from '../../bench/report.js';
import { hasProgram, requireOrSkip } from '../setup/require.js';

const ROOT = join(import.meta.dirname, '../..');
const dir = mkdtempSync(join(tmpdir(), 'spillway-bench-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** A launcher whose `export SOURCE … -o FILE` hands the source to `program`, which answers with a Buffer. */
function standIn(name: string, program: string): string {
  const path = join(dir, name);
  const script = `#!${process.execPath}
const { readFileSync, writeSync } = require('node:fs');
const words = process.argv.slice(2);
if (words[0] === '--version') console.log('spillway stand-in');
else if (words.includes('-f')) require('node:child_process').spawnSync('tcpdump', ['-Z', 'root', '-n', '-r', words[1], '-w', words.at(-1), words[words.indexOf('-f') + 1]], { stdio: 'inherit' });
else {
  const source = readFileSync(words[1]);
  const out = (${program})(source);
  const fd = words.at(-1) === '-' ? 1 : require('node:fs').openSync(words.at(-1), 'w');
  for (let at = 0; at < out.length; ) at += writeSync(fd, out, at);
}
`;
  writeFileSync(path, script, { mode: 0o755 });
  return path;
}

const bench = (...words: string[]) =>
  spawnSync(process.execPath, ['--import', 'tsx', 'bench/main.ts', '--mib', '1', '--repeats', '1', '--dir', dir, ...words], {
    cwd: ROOT,
    encoding: 'utf8',
  });

describe.runIf(requireOrSkip('tcpdump and g++', hasProgram('tcpdump') && (hasProgram('g++') || hasProgram('clang++'))))(
  'the bench',
  { timeout: 120_000 },
  () => {
    it('prints the table and writes the JSON when the packets agree, whatever the ratios', () => {
      const json = join(dir, 'result.json');
      const { status, stdout, stderr } = bench('--case', 'tcpdump', '--json', json, '--spillway', standIn('right', '(source) => source'));
      expect(stderr).not.toContain('Error');
      expect(status).toBe(0);
      expect(stdout.split('\n').filter((line) => line.startsWith('| tcpdump'))).toHaveLength(12);
      const result = JSON.parse(readFileSync(json, 'utf8')) as Result;
      expect(result.mean?.rows).toBe(8);
      expect(result.versions['tcpdump']).toMatch(/4\.\d+/);
      expect(result.rows.every((row) => row.ours.wallSeconds.median > 0)).toBe(true);
      // A script that starts Node first and tcpdump then can not be faster than tcpdump on 1 MiB.
      const gated = bench('--case', 'tcpdump', '--gate', '--spillway', join(dir, 'right'));
      expect(gated.status).toBe(1);
      expect(gated.stderr).toContain('gate: ');
    });

    it.each([
      [
        'loses the last packet',
        '(source) => { let at = 24, last; while (at < source.length) { last = at; at += 16 + source.readUInt32LE(at + 8); } return source.subarray(0, last); }',
      ],
      ['changes a byte', '(source) => { source[100] ^= 1; return source; }'],
      ['is cut short', '(source) => source.subarray(0, -1)'],
      ['is no capture', '() => Buffer.from("nothing")'],
    ])('fails when our output %s', (name, program) => {
      const { status, stdout, stderr } = bench('--case', 'tcpdump', '--spillway', standIn(`wrong-${name.replaceAll(' ', '-')}`, program));
      expect(status).toBe(1);
      expect(stdout).toBe('');
      expect(stderr).toMatch(/bench: .*(wrote \d+ packets|the output of )/);
    });

    it('refuses with one sentence what it can not run', () => {
      expect(bench('--case', 'nonesuch', '--spillway', standIn('any', '(source) => source'))).toMatchObject({
        status: 2,
        stdout: '',
        stderr: expect.stringMatching(/^bench: No case begins with nonesuch/),
      });
      expect(bench('--spillway', join(dir, 'missing'))).toMatchObject({
        status: 2,
        stderr: expect.stringMatching(/missing is not there; npm run build/),
      });
      expect(bench('--case', 'tcpdump', '--spillway', standIn('broken', '() => { throw new Error("on purpose"); }'))).toMatchObject({
        status: 2,
        stderr: expect.stringMatching(/ended with exit code 1: .*on purpose/s),
      });
    });
  },
);
