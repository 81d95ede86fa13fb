/** `spillway serve`: what it prints is true, and it ends when asked. */
import { execFileSync, type ChildProcess } from 'node:child_process';
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseCommand } from '../../src/cli/flags.js';
import { greeting, SERVE, serveArguments } from '../../src/cli/serve.js';
import type { Io } from '../../src/cli/io.js';
import { hasProgram, requireOrSkip } from '../setup/require.js';
import { readCapture } from '../support/reader.js';
import { temporaryFolder } from '../support/temporary.js';
import { ended, expectSentence, spillway, start } from './support.js';

const folder = temporaryFolder();
// Whom root lets serve must reach it.
chmodSync(folder.path, 0o755);

/** Starts a probe and waits for its greeting. */
async function serve(...args: string[]): Promise<{ child: ChildProcess; text: string; address: string }> {
  const child = start(['serve', '--port', '0', ...args]);
  let text = '';
  for await (const bytes of child.stdout!.iterator({ destroyOnReturn: false })) {
    text += String(bytes);
    if (text.includes('\n\nB=') && text.endsWith('\n\n')) break;
  }
  return { child, text, address: /http:\/\/\S+:\d+/.exec(text)![0] };
}

const line = (text: string): string => text.split('\n').find((one) => one.startsWith('B='))!;

describe('arguments', () => {
  const config = (...args: string[]): object => serveArguments(parseCommand(SERVE, args), { cwd: '/somewhere' } as Io);
  it('have defaults on loopback', () => {
    expect(config()).toMatchObject({ host: '127.0.0.1', port: 8470, logLevel: 'warn', names: [] });
  });
  it('are taken as given', () => {
    const args = ['--data', 'here', '--port', '0', '--address', '::1', '--name', 'A.example', '--name', 'b.example', '--log-level', 'debug'];
    const plain = { tls: null, insecureHttp: false };
    expect(config(...args)).toEqual({
      dataFolder: '/somewhere/here',
      port: 0,
      host: '::1',
      names: ['a.example', 'b.example'],
      logLevel: 'debug',
      ...plain,
    });
    const tls = { tls: { cert: '/somewhere/c.pem', key: '/k.pem' }, insecureHttp: true };
    expect(config('--tls-cert', 'c.pem', '--tls-key', '/k.pem', '--insecure-http')).toMatchObject(tls);
  });
});

it('the line needs only sh and curl', () => {
  expect(line(greeting('http://127.0.0.1:1')).match(/(?<=^|\(|&& )[a-z]+\b/g)).toEqual(['curl', 'curl']);
});

describe.runIf(requireOrSkip('curl', hasProgram('curl')))('the line it prints', () => {
  it.each(['sh', 'bash'].filter(hasProgram))('gives packets in %s', async (shell) => {
    const { child, text, address } = await serve('--data', join(folder.path, shell));
    expect(address).toMatch(/^http:\/\/127\.0\.0\.1:/);
    const bytes = execFileSync(shell, ['-c', line(text)]);
    const { packets, damageAt } = readCapture(bytes);
    expect(damageAt).toBeNull();
    expect(packets.length).toBeGreaterThan(5);
    // As pasted with a pipe behind it.
    const count = execFileSync(shell, ['-c', `${line(text)} | wc -c`], { encoding: 'utf8' });
    expect(Number(count)).toBe(bytes.length);
    const end = ended(child);
    child.kill('SIGTERM');
    expect(await end).toMatchObject({ exit: 0, stderr: '' });
  });
});

it('SIGINT ends it, and gives up address and data folder', async () => {
  const data = join(folder.path, 'again');
  const first = await serve('--data', data);
  const port = new URL(first.address).port;
  expectSentence((await spillway(['serve', '--data', data, '--port', '0'])).stderr, 'DATA_FOLDER_LOCKED');
  expectSentence((await spillway(['serve', '--data', `${data}2`, '--port', port])).stderr, 'ADDRESS_UNAVAILABLE');
  const end = ended(first.child);
  first.child.kill('SIGINT');
  expect(await end).toMatchObject({ exit: 0, stderr: '' });
  const second = await serve('--data', data);
  const stopped = ended(second.child);
  second.child.kill('SIGTERM');
  expect((await stopped).exit).toBe(0);
});

it('refuses to listen beyond loopback', async () => {
  const { exit, stdout, stderr } = await spillway(['serve', '--address', '0.0.0.0', '--data', join(folder.path, 'none')]);
  expect({ exit, stdout: String(stdout) }).toEqual({ exit: 1, stdout: '' });
  expectSentence(stderr, 'ADDRESS_FORBIDDEN');
});
