/** `spillway peers`, beside a running probe and without one. */
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { TestProbe } from '../api/server.js';
import { FakeEngine } from '../export/fakes.js';
import { makeCertificate } from '../peer/certificates.js';
import { temporaryFolder } from '../support/temporary.js';
import { expectSentence, run, spillway } from './support.js';

const folder = temporaryFolder();
const ca = join(folder.path, 'ca.pem');
const PIN = 'ab'.repeat(32);
beforeAll(async () => {
  writeFileSync(ca, (await makeCertificate()).cert);
});
let count = 0;
const newData = (): string => join(folder.path, `data${count++}`);
const lines = (text: string): string[] => text.split('\n').slice(0, -1);

/** The whole way of a fleet's owner; the same with a server and without. */
async function walk(data: string): Promise<void> {
  const peers = (...args: string[]): ReturnType<typeof run> => run(['peers', ...args, '--data', data]);
  const done = { exit: 0, stdout: '', stderr: '' };
  const added = await spillway(
    ['peers', 'profile', 'add', 'fleet', '--username', 'collector', '--password-stdin', '--default', '--data', data],
    Buffer.from('open sesame\n'),
  );
  expect([added.exit, added.stdout.toString(), added.stderr]).toEqual([0, '', '']);
  expect((await peers('profile')).stdout).toBe('fleet  collector  default\n');
  expect(await peers('add', '192.0.2.7', '--pin', PIN)).toEqual(done);
  expect(await peers('add', '[2001:DB8::7]:8471', '--ca', ca, '--profile', 'fleet')).toEqual(done);
  expect(await peers('add', '192.0.2.8')).toEqual(done);
  const piped = await spillway(['peers', 'add', '192.0.2.9', '--ca', '-', '--data', data], readFileSync(ca));
  expect([piped.exit, piped.stderr]).toEqual([0, '']);
  expect(await peers('remove', '192.0.2.9')).toEqual(done);
  expect(lines((await peers()).stdout)).toEqual([
    `192.0.2.7  pin ${PIN}  default profile`,
    '192.0.2.8  CAs of the system  default profile',
    '[2001:db8::7]:8471  a CA of its own  profile fleet',
  ]);
  expect(JSON.parse(lines((await peers('--json')).stdout)[0]!)).toEqual({ address: '192.0.2.7', pin: PIN, ca: null, profile: null });
  expect(JSON.parse((await peers('profile', '--json')).stdout)).toMatchObject({ name: 'fleet', username: 'collector', default: true });
  expectSentence((await peers('add', '192.0.2.7:8470')).stderr, 'PEER_EXISTS');
  expectSentence((await peers('profile', 'remove', 'fleet')).stderr, 'PROFILE_IN_USE');
  expect(await peers('remove', '[2001:db8::7]:8471')).toEqual(done);
  expect(await peers('profile', 'remove', 'fleet')).toEqual(done);
  expectSentence((await peers('profile', 'remove', 'fleet')).stderr, 'PROFILE_NOT_FOUND');
  expect(lines((await peers()).stdout).length).toBe(2);
}

describe('peers and profiles', () => {
  it('are kept without a probe, for those who may read the folder alone', async () => {
    const data = newData();
    expect(await run(['peers', '--data', data])).toEqual({ exit: 0, stdout: '', stderr: '' });
    expect(existsSync(data)).toBe(false);
    await walk(data);
    expect(statSync(join(data, 'spillway.db')).mode & 0o777).toBe(0o600);
  });

  it('are changed in a running probe, at once', async () => {
    const probe = await TestProbe.start(new FakeEngine().prepare);
    await walk(probe.data.path);
    expect(await probe.json('/api/spillway.admin/1.0/peers')).toMatchObject({ items: [{ address: '192.0.2.7' }, { address: '192.0.2.8' }] });
    await probe.stop();
  });
});

describe('a command line', () => {
  it.each([
    [['add'], 'REQUEST_INVALID'],
    [['list', 'x'], 'REQUEST_INVALID'],
    [['profile', 'show', 'x'], 'REQUEST_INVALID'],
    [['profile', 'profile', 'x'], 'REQUEST_INVALID'],
    [['remove', '192.0.2.1', '192.0.2.2'], 'REQUEST_INVALID'],
    [['--pin', PIN], 'REQUEST_INVALID'],
    [['remove', '192.0.2.1', '--ca', 'x'], 'REQUEST_INVALID'],
    [['add', '192.0.2.1', '--pin', PIN, '--ca', ca], 'REQUEST_INVALID'],
    [['add', '192.0.2.1', '--ca', '/none/ca.pem'], 'REQUEST_INVALID'],
    [['add', '192.0.2.1', '--username', 'x'], 'REQUEST_INVALID'],
    [['profile', 'add', 'x'], 'REQUEST_INVALID'],
    // No terminal to ask on.
    [['profile', 'add', 'x', '--username', 'y'], 'REQUEST_INVALID'],
    [['profile', 'add', 'x', '--username', 'y', '--password', 'secret'], 'REQUEST_INVALID'],
    [['profile', '--default'], 'REQUEST_INVALID'],
    [['remove', '192.0.2.1'], 'PEER_NOT_FOUND'],
    [['profile', 'remove', 'x'], 'PROFILE_NOT_FOUND'],
  ])('peers %j is refused, and makes no folder', async (args, code) => {
    const data = newData();
    const { exit, stderr } = await run(['peers', ...args, '--data', data]);
    expect(exit).toBe(code === 'REQUEST_INVALID' ? 1 : 2);
    expectSentence(stderr, code);
    expect(stderr).not.toContain('secret');
    expect(existsSync(data)).toBe(false);
  });

  it.each([
    [['add', 'probe.example'], 'REQUEST_INVALID'],
    [['add', '192.0.2.1', '--profile', 'none'], 'PROFILE_NOT_FOUND'],
    [['add', '192.0.2.1', '--pin', 'ab'], 'REQUEST_INVALID'],
  ])('peers %j is refused', async (args, code) => {
    expectSentence((await run(['peers', ...args, '--data', newData()])).stderr, code);
  });
});
