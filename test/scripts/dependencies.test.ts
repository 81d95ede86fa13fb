import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { dependenciesAreCurrent } from '../../scripts/lib/dependencies.mjs';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'spillway-'));
  mkdirSync(join(folder, 'node_modules'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const LOCK = {
  '': { version: '0.1.0' },
  'node_modules/a': { version: '1.0.0', integrity: 'sha512-a' },
  'node_modules/b-win32': { version: '1.0.0', integrity: 'sha512-b', optional: true },
};

function given(installed: object | string): void {
  writeFileSync(join(folder, 'package-lock.json'), JSON.stringify({ packages: LOCK }));
  const record = typeof installed === 'string' ? installed : JSON.stringify({ packages: installed });
  writeFileSync(join(folder, 'node_modules', '.package-lock.json'), record);
}

it('takes what the lock file asks for, without the optional packages of other platforms', () => {
  given({ 'node_modules/a': LOCK['node_modules/a'] });
  expect(dependenciesAreCurrent(folder)).toBe(true);
});

it.each([
  ['nothing is installed', {}],
  ['another version', { 'node_modules/a': { version: '1.0.1', integrity: 'sha512-a' } }],
  ['other bytes', { 'node_modules/a': { version: '1.0.0', integrity: 'sha512-x' } }],
  ['one too many', { 'node_modules/a': LOCK['node_modules/a'], 'node_modules/c': { version: '1.0.0' } }],
])('installs when %s', (_, installed) => {
  given(installed);
  expect(dependenciesAreCurrent(folder)).toBe(false);
});

it('installs when an installation broke before its record was whole', () => {
  expect(dependenciesAreCurrent(folder)).toBe(false);
  given('{"packages": {"node_mod');
  expect(dependenciesAreCurrent(folder)).toBe(false);
});
