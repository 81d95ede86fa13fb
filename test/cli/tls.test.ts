/** `spillway tls init`, and a probe that serves with what it made. */
import { execFileSync } from 'node:child_process';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { greeting } from '../../src/cli/serve.js';
import { hasProgram, requireOrSkip } from '../setup/require.js';
import { makePair } from '../support/pair.js';
import { readCapture } from '../support/reader.js';
import { temporaryFolder } from '../support/temporary.js';
import { ended, expectSentence, run, spillway, start } from './support.js';

const folder = temporaryFolder();
// Whom root lets serve must reach it.
chmodSync(folder.path, 0o755);

describe('a certificate', () => {
  it('is for this machine and the names that are given, and its key is for its owner', async () => {
    const { cert, key } = await makePair(join(folder.path, 'a', 'b'), '--name', 'Probe.example', '--name', '192.0.2.7', '--days', '10');
    const read = new X509Certificate(readFileSync(cert));
    expect(read.checkPrivateKey(createPrivateKey(readFileSync(key)))).toBe(true);
    for (const host of ['localhost', 'probe.example']) expect(read.checkHost(host)).toBeDefined();
    for (const address of ['127.0.0.1', '::1', '192.0.2.7']) expect(read.checkIP(address)).toBe(address);
    expect(read.checkHost('other.example')).toBeUndefined();
    const days = (Date.parse(read.validTo) - Date.now()) / 86_400_000;
    expect(days > 9.9 && days <= 10).toBe(true);
    expect(Date.parse(read.validFrom)).toBeLessThan(Date.now());
    expect([statSync(key).mode & 0o777, statSync(cert).mode & 0o777]).toEqual([0o600, 0o644]);
  });

  it('replaces another only when it is told to', async () => {
    const { cert, key } = await makePair(join(folder.path, 'c'));
    const before = readFileSync(key, 'utf8');
    const refused = await run(['tls', 'init', '-o', join(folder.path, 'c')]);
    expect(refused.exit).toBe(1);
    expectSentence(refused.stderr, 'OUTPUT_INVALID');
    expect(readFileSync(key, 'utf8')).toBe(before);
    chmodSync(key, 0o644);
    await makePair(join(folder.path, 'c'), '--force');
    expect(readFileSync(key, 'utf8')).not.toBe(before);
    expect(statSync(key).mode & 0o777).toBe(0o600);
    expect(new X509Certificate(readFileSync(cert)).checkPrivateKey(createPrivateKey(readFileSync(key)))).toBe(true);
  });

  it.each([
    [[], 'REQUEST_INVALID'],
    [['make'], 'REQUEST_INVALID'],
    [['init', 'more'], 'REQUEST_INVALID'],
    [['init', '--name', ''], 'REQUEST_INVALID'],
    [['init', '--name', 'a b'], 'REQUEST_INVALID'],
    [['init', '--name', 'https://x'], 'REQUEST_INVALID'],
    [['init', '--days', '0'], 'REQUEST_INVALID'],
    [['init', '--days', '36500'], 'REQUEST_INVALID'],
    [['init', '-o', join(folder.path, 'file', 'x')], 'OUTPUT_FAILED'],
  ])('tls %j is refused', async (args, code) => {
    writeFileSync(join(folder.path, 'file'), '');
    const { exit, stderr } = await run(['tls', ...args], { cwd: join(folder.path) });
    expect(exit).toBe(code === 'OUTPUT_FAILED' ? 2 : 1);
    expectSentence(stderr, code);
    expect(existsSync(join(folder.path, 'key.pem'))).toBe(false);
  });
});

describe('spillway serve', () => {
  it.each([
    [['--tls-cert', 'x'], 'REQUEST_INVALID', '--tls-key is missing'],
    [['--tls-key', 'x'], 'REQUEST_INVALID', '--tls-cert is missing'],
    [['--tls-cert', 'none.pem', '--tls-key', 'none.pem'], 'TLS_UNUSABLE', 'there is no such file'],
    [['--address', '0.0.0.0'], 'ADDRESS_FORBIDDEN', 'spillway tls init'],
    [['--address', '0.0.0.0', '--insecure-http'], 'ADDRESS_FORBIDDEN', 'spillway users add'],
  ])('%j is refused', async (args, code, words) => {
    const { exit, stderr } = await spillway(['serve', '--port', '0', '--data', join(folder.path, 'refused'), ...args]);
    expect(exit).toBe(code === 'TLS_UNUSABLE' ? 2 : 1);
    expectSentence(stderr, code);
    expect(stderr).toContain(words);
  });

  it('tells who has to log in', () => {
    const line = (...of: [string, string?]): string =>
      greeting(...of)
        .split('\n')
        .find((each) => each.startsWith('B='))!;
    expect(line('https://127.0.0.1:1').match(/curl (?:-\S+ )+/g)).toEqual(['curl -k -sSf -H ', 'curl -k -sf ']);
    expect(line('https://127.0.0.1:1', 'ann')).toContain('curl -ku ann -sSf ');
    expect(line('http://127.0.0.1:1', 'ann')).toContain('curl -u ann -sSf ');
    expect(greeting('http://127.0.0.1:1', 'ann')).toContain('asks for the password of ann');
  });
});

describe.runIf(requireOrSkip('curl', hasProgram('curl')))('the line that it prints over HTTPS', () => {
  // Started by root it serves as another user, who may not read the key.
  it('gives packets, with a key that only its owner can read', async () => {
    const { cert, key } = await makePair(join(folder.path, 'served'));
    chmodSync(join(folder.path, 'served'), 0o700);
    const child = start(['serve', '--port', '0', '--data', join(folder.path, 'data'), '--tls-cert', cert, '--tls-key', key]);
    let text = '';
    for await (const bytes of child.stdout!.iterator({ destroyOnReturn: false })) {
      text += String(bytes);
      if (text.includes('\n\nB=') && text.endsWith('\n\n')) break;
    }
    expect(text).toMatch(/^The probe listens on https:\/\/127\.0\.0\.1:\d+ /);
    const line = text.split('\n').find((each) => each.startsWith('B='))!;
    const { packets, damageAt } = readCapture(execFileSync('sh', ['-c', line]));
    expect([damageAt, packets.length > 5]).toEqual([null, true]);
    const end = ended(child);
    child.kill('SIGTERM');
    expect(await end).toMatchObject({ exit: 0, stderr: '' });
  });
});
