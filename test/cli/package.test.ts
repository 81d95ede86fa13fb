/** `spillway package`: made whole or not at all, looked into without being believed, and verified. */
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { interruption } from '../../src/cli/interrupt.js';
import { HERE } from '../../src/update/package-reader.js';
import { fingerprintOf } from '../../src/update/signature.js';
import { temporaryFolder } from '../support/temporary.js';
import { built, makeRelease, newKeys } from '../update/packages.js';
import { expectSentence, run } from './support.js';

const folder = temporaryFolder();
const keys = newKeys();
const key = folder.write('release.key', Buffer.from(keys.privateKey.export({ type: 'pkcs8', format: 'pem' })));
const pub = folder.write('release.pub', Buffer.from(keys.publicKey.export({ type: 'spki', format: 'pem' })));
const otherPub = folder.write('other.pub', Buffer.from(newKeys().publicKey.export({ type: 'spki', format: 'pem' })));
const release = join(folder.path, 'release');
makeRelease(release);
let count = 0;
const newName = (): string => join(folder.path, `p${count++}.tar.gz`);
const there = (): string[] => readdirSync(folder.path);

async function made(...more: string[]): Promise<string> {
  const name = newName();
  expect((await run(['package', 'build', '--from', release, ...more, '-o', name])).exit).toBe(0);
  return name;
}

describe('spillway package build', () => {
  it('writes a package that is signed, and says which', async () => {
    const name = newName();
    const { exit, stdout, stderr } = await run(['package', 'build', '--from', release, '--sign', key, '-o', name]);
    expect({ exit, stderr }).toEqual({ exit: 0, stderr: '' });
    expect(stdout).toMatch(new RegExp(`^${name}: Spillway 1\\.2\\.3 for ${HERE.platform} on ${HERE.architecture}, [0-9a-f]{24}\n$`));
    expect(statSync(name).mode & 0o777).toBe(0o644);
  });

  it('says so where it is not, and shows how far it is on a terminal', async () => {
    const { exit, stderr } = await run(['package', 'build', '--from', release, '-o', newName()]);
    expect(exit).toBe(0);
    expect(stderr).toBe('spillway: warning: the package is not signed\n');
    const shown = await run(['package', 'build', '--from', release, '--sign', key, '-o', newName()], { stderrIsTerminal: true });
    expect(shown.stderr).toMatch(/ 50%.*100%/s);
  });

  it('leaves what was there, and nothing else, when it fails or is interrupted', async () => {
    const name = folder.write('kept.tar.gz', Buffer.from('before'));
    const before = there();
    const broken = join(folder.path, 'release', 'bin');
    const failed = await run(['package', 'build', '--from', broken, '-o', name]);
    expect(failed.exit).toBe(2);
    expectSentence(failed.stderr, 'PACKAGE_INVALID');
    const controller = new AbortController();
    controller.abort(interruption('SIGINT'));
    const interrupted = await run(['package', 'build', '--from', release, '-o', name], { signal: controller.signal });
    expect(interrupted.exit).toBe(130);
    expectSentence(interrupted.stderr, 'CANCELLED');
    expect(there()).toEqual(before);
    expect(readFileSync(name, 'utf8')).toBe('before');
  });
});

describe('spillway package inspect', () => {
  it('tells what a package says of itself, and that nothing of it is proven', async () => {
    const signed = await run(['package', 'inspect', await made('--sign', key)]);
    expect(signed.exit).toBe(0);
    expect(signed.stdout).toMatch(
      /^Id: +[0-9a-f]{24}\nVersion: +1\.2\.3\nMachine: .*\nNode: +>=20\nMade: .*\nFiles: +17 of .*\nSignature: +there is one; whose it is was not looked at\n$/,
    );
    expect(signed.stderr).toContain('nothing of this is proven');
    expect((await run(['package', 'inspect', await made()])).stdout).toMatch(/^Signature: +none$/m);
  });

  it('--json: the manifest', async () => {
    const { exit, stdout, stderr } = await run(['package', 'inspect', '--json', await made('--sign', key)]);
    expect(exit).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      version: '1.2.3',
      isSigned: true,
      files: expect.arrayContaining([expect.objectContaining({ path: 'bin/spillway', executable: true })]) as unknown,
    });
    expect(stderr).toContain('nothing of this is proven');
  });
});

describe('spillway package verify', () => {
  it('says whose it is', async () => {
    const { exit, stdout, stderr } = await run([
      'package',
      'verify',
      await made('--sign', key),
      '--key',
      otherPub,
      '--key',
      pub,
      '--not-older-than',
      '1.2.3',
    ]);
    expect({ exit, stderr }).toEqual({ exit: 0, stderr: '' });
    expect(stdout.trimEnd().endsWith(`, signed by ${fingerprintOf(keys.publicKey)}`)).toBe(true);
  });

  it.each<[string, string, () => Promise<string>, string[]]>([
    ['not signed', 'PACKAGE_UNSIGNED', () => made(), []],
    ['signed by another', 'PACKAGE_TAMPERED', () => made('--sign', key), ['--key', otherPub]],
    ['older', 'PACKAGE_TOO_OLD', () => made('--sign', key), ['--not-older-than', '1.2.4']],
    ['for another machine', 'PACKAGE_ARCHITECTURE', () => crafted({ architecture: 'mips' }), []],
    ['for another Node', 'PACKAGE_NODE', () => crafted({ release: { folder: release, version: '1.2.3', node: '>=99', paths: ['LICENSE'] } }), []],
    ['not there', 'FILE_NOT_FOUND', async () => join(folder.path, 'none'), []],
    ['a folder', 'FILE_FAILED', async () => folder.path, []],
    ['something else', 'PACKAGE_INVALID', async () => pub, []],
  ])('a package that is %s', async (_, code, make, more) => {
    const name = await make();
    const { exit, stdout, stderr } = await run(['package', 'verify', name, ...(more.includes('--key') ? [] : ['--key', pub]), ...more]);
    expect({ exit, stdout }).toEqual({ exit: 2, stdout: '' });
    expectSentence(stderr, code);
  });

  it('--any-machine: what it is for does not count', async () => {
    for (const more of [{ architecture: 'mips' }, { release: { folder: release, version: '1.2.3', node: '>=99', paths: ['LICENSE'] } }])
      expect((await run(['package', 'verify', await crafted(more), '--key', pub, '--any-machine'])).exit).toBe(0);
  });

  async function crafted(more: Parameters<typeof built>[1]): Promise<string> {
    const name = newName();
    writeFileSync(name, (await built(release, { key: keys.privateKey, ...more })).bytes);
    return name;
  }
});

describe('a command line', () => {
  const file = join(folder.path, 'x');
  it.each([
    [[]],
    [['make']],
    [['build']],
    [['build', 'x', '-o', file]],
    [['inspect']],
    [['inspect', 'x', 'y']],
    [['verify', 'x']],
    [['verify']],
    [['build', '-o', file, '--json']],
    [['build', '-o', file, '--key', pub]],
    [['inspect', 'x', '--from', '.']],
    [['inspect', 'x', '--any-machine']],
    [['verify', 'x', '--key', pub, '-o', file]],
    [['verify', 'x', '--key', join(folder.path, 'none')]],
    [['verify', 'x', '--key', pub, '--not-older-than', 'v1']],
    [['build', '-o', file, '--sign', join(folder.path, 'none')]],
  ])('%j is refused', async (args) => {
    const before = there();
    const { exit, stderr } = await run(['package', ...args]);
    expect(exit).toBe(1);
    expectSentence(stderr, 'REQUEST_INVALID');
    expect(there()).toEqual(before);
  });

  it.each([
    [['build', '-o', file, '--sign', pub], '--sign'],
    [['build', '-o', file, '--sign', release], '--sign'],
    [['verify', 'x', '--key', key], '--key'],
  ])('%j: which key it is about is said', async (args, flag) => {
    const { exit, stderr } = await run(['package', ...args]);
    expect(exit).toBeGreaterThan(0);
    expect(stderr).toContain(flag);
  });

  it('--help', async () => {
    expect((await run(['package', '--help'])).stdout).toMatch(/^Usage: spillway package build\|inspect FILE\|verify FILE/);
  });
});
