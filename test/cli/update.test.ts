/** `spillway update`, beside a running probe and without one. */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fingerprintOf } from '../../src/update/signature.js';
import { TestProbe } from '../api/server.js';
import { FakeEngine } from '../export/fakes.js';
import { temporaryFolder } from '../support/temporary.js';
import { newKeys } from '../update/packages.js';
import { somePackage } from '../update/some-package.js';
import { expectSentence, run, spillway, type Outcome } from './support.js';

const folder = temporaryFolder();
const keys = newKeys();
const fingerprint = fingerprintOf(keys.publicKey);
const pem = keys.publicKey.export({ type: 'spki', format: 'pem' }).toString();
const pub = folder.write('release.pub', Buffer.from(pem));
const plain = folder.write('plain.tar.gz', await somePackage({ version: '0.1.0' }));
const signed = folder.write('signed.tar.gz', await somePackage({ version: '0.2.0', key: keys.privateKey }));
const cut = folder.write('cut.tar.gz', (await somePackage()).subarray(0, 200));
let count = 0;
const newData = (): string => join(folder.path, `data${count++}`);
const lines = (text: string): string[] => text.split('\n').slice(0, -1);
const done = { exit: 0, stdout: '', stderr: '' };

/** The whole way of a repository's owner; the same with a server and without. */
async function walk(data: string): Promise<void> {
  const update = (...args: string[]): Promise<Outcome> => run(['update', ...args, '--data', data]);
  const id = (line: string): string => line.split(' ', 1)[0]!;
  expect(await update('packages')).toEqual(done);
  const first = await update('packages', 'import', plain);
  expect(first).toMatchObject({
    exit: 0,
    stdout: expect.stringMatching(/^[0-9a-f]{24} {2}0\.1\.0 {2}linux x64 {2}.* {2}not proven by a key\n$/) as string,
  });
  expect(await update('keys', 'add', pub)).toEqual(done);
  expect((await update('keys')).stdout).toBe(`${fingerprint}  release.pub\n`);
  expect(JSON.parse((await update('keys', '--json')).stdout)).toEqual({
    fingerprint,
    name: 'release.pub',
    pem,
    added: expect.stringMatching(/^\d+\.\d{9}$/) as string,
  });
  expectSentence((await update('packages', 'import', plain)).stderr, 'PACKAGE_UNSIGNED');
  expect((await update('packages', 'import', signed)).stdout).toContain(`signed by ${fingerprint}`);
  // Once more: it is there already.
  expect((await update('packages', 'import', signed)).exit).toBe(0);
  const listed = lines((await update('packages')).stdout);
  expect(listed.map((line) => line.split('  ')[1])).toEqual(['0.1.0', '0.2.0']);
  expect(lines((await update('packages', '--json')).stdout).map((line) => JSON.parse(line) as object)).toMatchObject([
    { id: id(listed[0]!), version: '0.1.0', signer: null },
    { id: id(listed[1]!), version: '0.2.0', signer: fingerprint, platform: 'linux', architecture: 'x64', node: '>=20' },
  ]);
  expectSentence((await update('packages', 'import', cut)).stderr, 'PACKAGE_INVALID');
  expectSentence((await update('packages', 'import', join(folder.path, 'none'))).stderr, 'FILE_NOT_FOUND');
  expectSentence((await update('packages', 'import', folder.path)).stderr, 'FILE_FAILED');
  expect(await update('packages', 'delete', id(listed[0]!))).toEqual(done);
  expectSentence((await update('packages', 'delete', id(listed[0]!))).stderr, 'PACKAGE_NOT_FOUND');
  expectSentence((await update('packages', 'delete', '../x')).stderr, 'PACKAGE_NOT_FOUND');
  expectSentence((await update('keys', 'add', pub)).stderr, 'KEY_EXISTS');
  expectSentence((await update('keys', 'add', plain)).stderr, 'KEY_INVALID');
  expect(await update('keys', 'remove', fingerprint)).toEqual(done);
  expectSentence((await update('keys', 'remove', fingerprint)).stderr, 'KEY_NOT_FOUND');
  expect(lines((await update('packages')).stdout).length).toBe(1);
}

describe('packages and keys', () => {
  it('are kept without a probe', async () => {
    const data = newData();
    expect(await run(['update', 'packages', '--data', data])).toEqual(done);
    expect(await run(['update', 'keys', '--data', data])).toEqual(done);
    expectSentence((await run(['update', 'packages', 'delete', 'x', '--data', data])).stderr, 'PACKAGE_NOT_FOUND');
    expectSentence((await run(['update', 'keys', 'remove', 'x', '--data', data])).stderr, 'KEY_NOT_FOUND');
    expect(existsSync(data)).toBe(false);
    await walk(data);
  });

  it('are changed in a running probe, at once', async () => {
    const probe = await TestProbe.start(new FakeEngine().prepare);
    await walk(probe.data.path);
    expect(await probe.json('/api/spillway.update/1.0/packages')).toMatchObject({ items: [{ version: '0.2.0' }] });
    await probe.stop();
  });

  it('a key comes from standard input too, under the name that is given', async () => {
    const data = newData();
    const added = await spillway(['update', 'keys', 'add', '-', '--name', 'releases', '--data', data], Buffer.from(pem));
    expect([added.exit, added.stdout.toString(), added.stderr]).toEqual([0, '', '']);
    expect((await run(['update', 'keys', '--data', data])).stdout).toBe(`${fingerprint}  releases\n`);
  });
});

describe('a command line', () => {
  const file = join(folder.path, 'x');
  writeFileSync(file, 'x');
  it.each([
    [[]],
    [['packages', 'list']],
    [['packages', 'add', file]],
    [['packages', 'import']],
    [['packages', 'import', file, file]],
    [['keys', 'delete', 'x']],
    [['keys', 'add']],
    [['keys', 'add', join(folder.path, 'none')]],
    [['packages', '--name', 'x']],
    [['packages', 'delete', 'x', '--json']],
    [['keys', 'remove', 'x', '--json']],
  ])('%j is refused', async (args) => {
    const data = newData();
    const { exit, stderr } = await run(['update', ...args, '--data', data]);
    expect(exit).toBe(1);
    expectSentence(stderr, 'REQUEST_INVALID');
    expect(existsSync(data)).toBe(false);
  });
});
