/** `spillway users`, beside a running probe and without one. */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { basic, BASE, TestProbe } from '../api/server.js';
import { FakeEngine, TemporaryData } from '../export/fakes.js';
import { hasProgram, requireOrSkip } from '../setup/require.js';
import { temporaryFolder } from '../support/temporary.js';
import { ended, expectSentence, run, spillway, SPILLWAY, start } from './support.js';

const folder = temporaryFolder();
let count = 0;
const newData = (): string => join(folder.path, `data${count++}`);

/** Runs the command, with a password on standard input where one is given. */
async function users(data: string, args: string[], password?: string): Promise<{ exit: number | null; out: string; said: string }> {
  const flags = password === undefined ? [] : ['--password-stdin'];
  const { exit, stdout, stderr } = await spillway(
    ['users', ...args, ...flags, '--data', data],
    password === undefined ? undefined : Buffer.from(`${password}\nrest\n`),
  );
  return { exit, out: stdout.toString(), said: stderr };
}

const probes: TestProbe[] = [];
afterEach(async () => {
  for (const probe of probes.splice(0)) await probe.stop();
});

describe('users', () => {
  it('are added, listed, changed and removed without a probe', async () => {
    const data = newData();
    expect(await users(data, [])).toEqual({ exit: 0, out: '', said: '' });
    expect(existsSync(data)).toBe(false);
    expect(await users(data, ['add', 'ann', '--role', 'admin'], 'first')).toEqual({ exit: 0, out: '', said: '' });
    expect(await users(data, ['add', 'bob', '--source', 'jobs/x', '--source', 'fs/ann/*'], 'x')).toMatchObject({ exit: 0 });
    expect((await users(data, [])).out).toBe('ann  admin  all sources\nbob  reader  jobs/x fs/ann/*\n');
    expect(await users(data, ['set', 'bob', '--role', 'operator'])).toMatchObject({ exit: 0 });
    expect((await users(data, ['--json'])).out.split('\n')[1]).toBe('{"name":"bob","role":"operator","sources":["jobs/x","fs/ann/*"]}');
    expect(await users(data, ['delete', 'bob'])).toMatchObject({ exit: 0 });
    expectSentence((await users(data, ['delete', 'ann'])).said, 'USER_LAST');
    expect(statSync(join(data, 'fs/ann')).mode & 0o777).toBe(0o700);
    expect(statSync(join(data, 'spillway.db')).mode & 0o777).toBe(0o600);
    // The probe that comes later has them.
    expect(await users(data, ['passwd', 'ann'], 'second')).toMatchObject({ exit: 0 });
    const probe = await TestProbe.start(new FakeEngine().prepare, { dataFolder: data });
    const status = async (password: string): Promise<number> => (await probe.ask(`${BASE}/exports`, { headers: basic('ann', password) })).status;
    expect([await status('first'), await status('second')]).toEqual([401, 200]);
    await probe.probe.close();
  });

  it('are changed in a running probe, at once', async () => {
    const probe = await TestProbe.start(new FakeEngine().prepare, {}, new TemporaryData());
    probes.push(probe);
    const status = async (headers: Record<string, string> = {}): Promise<number> => (await probe.ask(`${BASE}/exports`, { headers })).status;
    expect(await status()).toBe(200);
    const data = probe.data.path;
    expect(await users(data, ['add', 'ann', '--role', 'admin'], 'pä:ss')).toEqual({ exit: 0, out: '', said: '' });
    expect([await status(), await status(basic('ann', 'pä:ss'))]).toEqual([401, 200]);
    expectSentence((await users(data, ['add', 'ann'], 'x')).said, 'USER_EXISTS');
    expectSentence((await users(data, ['set', 'none', '--role', 'admin'])).said, 'USER_NOT_FOUND');
    await users(data, ['add', 'bob'], 'y');
    expect(await users(data, ['set', 'bob', '--source', '*', '--role', 'operator'])).toMatchObject({ exit: 0 });
    expect((await users(data, [])).out).toBe('ann  admin  all sources\nbob  operator  *\n');
    const session = { cookie: `spillway_session=${probe.probe.access.logins.begin('bob')}` };
    expect(await status(session)).toBe(200);
    expect(await users(data, ['passwd', 'bob'], 'z')).toMatchObject({ exit: 0 });
    expect([await status(session), await status(basic('bob', 'z'))]).toEqual([401, 200]);
    expect(await users(data, ['delete', 'bob'])).toMatchObject({ exit: 0 });
    expect(await status(basic('bob', 'z'))).toBe(401);
  });
});

describe('a command line', () => {
  it.each([
    [['add'], 'REQUEST_INVALID'],
    [['ad', 'ann'], 'REQUEST_INVALID'],
    [['add', 'ann', 'bob', '--password-stdin'], 'REQUEST_INVALID'],
    [['add', 'ann', '--role', 'king', '--password-stdin'], 'REQUEST_INVALID'],
    [['set', 'ann'], 'REQUEST_INVALID'],
    [['set', 'ann', '--role', 'admin', '--password-stdin'], 'REQUEST_INVALID'],
    [['delete', 'ann', '--role', 'admin'], 'REQUEST_INVALID'],
    [['delete', 'ann', '--json'], 'REQUEST_INVALID'],
    [['--source', 'jobs/x'], 'REQUEST_INVALID'],
    [['add', 'ann', '--password', 'secret'], 'REQUEST_INVALID'],
    // No terminal to ask on.
    [['add', 'ann'], 'REQUEST_INVALID'],
    [['delete', 'ann'], 'USER_NOT_FOUND'],
    [['set', 'ann', '--role', 'admin'], 'USER_NOT_FOUND'],
  ])('users %j is refused', async (args, code) => {
    const data = newData();
    const { exit, stderr } = await run(['users', ...args, '--data', data]);
    expect(exit).toBe(code === 'REQUEST_INVALID' ? 1 : 2);
    expectSentence(stderr, code);
    expect(stderr).not.toContain('secret');
    expect(existsSync(data)).toBe(false);
  });

  it.each(['', 'x'.repeat(2000), 'a\tb'])('the password %j is refused', async (password) => {
    expectSentence((await users(newData(), ['add', 'ann'], password)).said, 'REQUEST_INVALID');
  });
});

describe.runIf(requireOrSkip('script (util-linux)', hasProgram('script')))('on a terminal', () => {
  /** Answers each prompt in turn; gives the exit code and everything that the terminal showed. */
  async function typed(data: string, answers: string[]): Promise<{ exit: number | null; shown: string }> {
    const command = `'${SPILLWAY}' users add ann --role admin --data '${data}'`;
    const child = spawn('script', ['-qec', command, '/dev/null'], { stdio: ['pipe', 'pipe', 'ignore'] });
    let shown = '';
    const prompts = [/Password of ann: $/, /Once more: $/];
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      shown += text;
      if (!prompts[0]?.test(shown)) return;
      prompts.shift();
      child.stdin.write(answers.shift()!);
    });
    const exit = await new Promise<number | null>((resolve) => child.once('close', resolve));
    return { exit, shown };
  }

  it('the password is asked for twice, and never shown', async () => {
    const data = newData();
    const { exit, shown } = await typed(data, ['hushX\u007f!\r', 'hush!\r']);
    expect({ exit, shown: shown.replaceAll('\r', '') }).toEqual({ exit: 0, shown: 'Password of ann: \nOnce more: \n' });
    const probe = await TestProbe.start(new FakeEngine().prepare, { dataFolder: data });
    expect((await probe.ask(`${BASE}/exports`, { headers: basic('ann', 'hush!') })).status).toBe(200);
    await probe.probe.close();
  });

  it('two that differ, and Ctrl-C, add nobody', async () => {
    const data = newData();
    expect((await typed(data, ['one\r', 'two\r'])).shown).toContain('the two passwords differ');
    expect((await typed(data, ['on\u0003'])).exit).not.toBe(0);
    expect(existsSync(data)).toBe(false);
  });
});

it('no secret is in a log, nor on a command line', async () => {
  const data = newData();
  await users(data, ['add', 'ann', '--role', 'admin'], 'open sesame');
  const child = start(['serve', '--port', '0', '--log-level', 'debug', '--data', data]);
  let text = '';
  for await (const bytes of child.stdout!.iterator({ destroyOnReturn: false })) {
    text += String(bytes);
    if (text.endsWith('\n\n') && text.includes('\n\nB=')) break;
  }
  const address = /http:\/\/\S+:\d+/.exec(text)![0];
  const end = ended(child);
  const post = async (path: string, body: object): Promise<Record<string, string>> =>
    (await (
      await fetch(`${address}${path}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })
    ).json()) as Record<string, string>;
  const session = await post('/api/common/1.0/login', { username: 'ann', password: 'open sesame' });
  await post('/api/common/1.0/login', { username: 'ann', password: 'close sesame' });
  await post('/api/common/1.0/login', { username: 'my sesame', password: 'x', more: 'sesame' });
  const token = await post('/api/mgmt.aaa/1.0/token', {
    user_credentials: { username: 'ann', password: 'open sesame' },
    generate_refresh_token: true,
  });
  for (const headers of [
    { cookie: `spillway_session=${session['session_id']}` },
    { authorization: `Bearer ${token['access_token']}` },
    basic('ann', 'open sesame'),
  ])
    expect((await fetch(`${address}${BASE}/exports`, { headers })).status).toBe(200);
  const changing = users(data, ['passwd', 'ann'], 'new sesame');
  const commandLine = readFileSync(`/proc/${child.pid}/cmdline`, 'utf8');
  expect(await changing).toMatchObject({ exit: 0 });
  child.kill('SIGTERM');
  const { stderr } = await end;
  // What is logged at all is there.
  expect(stderr).toContain('/api/common/1.0/login');
  expect(stderr).toContain('"action":"login_failed"');
  const secrets = [
    'sesame',
    session['session_id']!,
    token['access_token']!,
    token['refresh_token']!,
    basic('ann', 'open sesame').authorization.slice(6),
  ];
  for (const secret of secrets) expect((stderr + commandLine).includes(secret)).toBe(false);
});
