/** `spillway update status` and `spillway update jobs`, with members on loopback. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { call } from '../../src/cli/door.js';
import { main } from '../../src/cli/main.js';
import { timeText } from '../../src/cli/update-jobs.js';
import { packageVersion } from '../../src/root.js';
import { Slots } from '../../src/update/slots.js';
import { TestProbe } from '../api/server.js';
import { FakeEngine } from '../export/fakes.js';
import { makeCertificate } from '../peer/certificates.js';
import { makePair } from '../support/pair.js';
import { temporaryFolder } from '../support/temporary.js';
import { FakeMember, failing, GOOD } from '../update/fake-member.js';
import { somePackage } from '../update/some-package.js';
import { expectSentence, run, type Outcome } from './support.js';

const folder = temporaryFolder();
let count = 0;
const newData = (): string => join(folder.path, `data${count++}`);
const RELEASE = { package: 'ab'.repeat(12), version: '0.2.0' };

let probe: TestProbe;
let tls: { cert: string; key: string };
let [well, bad]: FakeMember[] = [];
let packageId: string;
const update = (...args: string[]): Promise<Outcome> => run(['update', ...args, '--data', probe.data.path]);
const jobs = (...args: string[]): Promise<Outcome> => update('jobs', ...args);

beforeAll(async () => {
  const pair = await makeCertificate();
  tls = await makePair(join(folder.path, 'tls'));
  probe = await TestProbe.start(new FakeEngine().prepare, { tls });
  const file = folder.write('p.tar.gz', await somePackage());
  packageId = (await update('packages', 'import', file)).stdout.split(' ', 1)[0]!;
  const profile = { name: 'all', username: 'updater', password: 'open sesame', default: true };
  expect((await probe.ask('/api/spillway.admin/1.0/profiles', { body: profile })).status).toBe(201);
  [well, bad] = [
    await FakeMember.start(pair, { moments: GOOD.slice(-1) }),
    await FakeMember.start(pair, { moments: failing('download', 'DOWNLOAD_FAILED').slice(-1) }),
  ];
  for (const { address } of [well, bad])
    expect((await probe.ask('/api/spillway.admin/1.0/peers', { body: { address, pin: pair.pin } })).status).toBe(201);
});
afterAll(async () => {
  await probe.stop();
  for (const member of [well, bad]) await member?.down();
});

/** The id of a draft. */
async function made(...flags: string[]): Promise<string> {
  const { exit, stdout, stderr } = await jobs('create', 'night', '--package', packageId, ...flags);
  expect([exit, stderr]).toEqual([0, '']);
  return stdout.split(' ', 1)[0]!;
}

describe('the status', () => {
  it('of a folder without a server is what is started next', async () => {
    const data = newData();
    const status = (...flags: string[]): Promise<Outcome> => run(['update', 'status', ...flags, '--data', data]);
    const fresh = 'no server runs; with --updates it is started from the installed release\nslot a  free\nslot b  free\n';
    expect(await status()).toEqual({ exit: 0, stdout: fresh, stderr: '' });
    expect(existsSync(data)).toBe(false);
    const slots = new Slots(data);
    slots.clear('a');
    slots.fill('a', RELEASE);
    slots.activate('a', 'x');
    const trial = `no server runs; with --updates it is started from slot a, on trial\nslot a  0.2.0  ${RELEASE.package}\nslot b  free\n`;
    expect((await status()).stdout).toBe(trial);
    slots.rollBack('it did not answer');
    expect((await status()).stdout).toContain('the installed release\nlast install  slot a  rolled back: it did not answer\n');
    expect(JSON.parse((await status('--json')).stdout)).toEqual({
      ...{ running: null, active: 'installed', on_trial: false, slots: [{ slot: 'a', ...RELEASE }] },
      last: { install: 'x', place: 'a', outcome: 'rolled back', why: 'it did not answer' },
    });
  });

  it('of a running probe is what that says', async () => {
    expect(await update('status')).toEqual({
      exit: 0,
      stdout: `runs ${packageVersion()}, the installed release; it can not be updated, since it was started without --updates\nslot a  free\nslot b  free\n`,
      stderr: '',
    });
    expect(JSON.parse((await update('status', '--json')).stdout)).toEqual(await probe.json('/api/spillway.update/1.0/status'));
  });
});

describe('a job', () => {
  it('is drafted, allowed, deployed, followed to its end and removed', async () => {
    const id = await made('--member', well!.address, '--canary', '--max-concurrent', '2', '--stop-after', '1');
    expect(await probe.json(`/lcm/update-jobs/${id}`)).toMatchObject({
      canary: true,
      max_concurrent: 2,
      stop_after_failures: 1,
      job_type: 'NOT_SET',
    });
    expect((await jobs('status', id)).stdout).toBe(`${well!.address}  not begun\nNOT_STARTED\n`);
    expectSentence((await jobs('deploy', id)).stderr, 'UPDATE_JOB_STATE');
    expect((await jobs('approve', id)).stdout).toBe(`${id}  night  0.2.0  APPROVED  1 member\n`);
    expect((await jobs('deploy', id)).stdout).toBe(`${id}  night  0.2.0  IN_PROGRESS  1 member\n`);
    const followed = await jobs('status', id, '--follow');
    expect(followed).toMatchObject({ exit: 0, stderr: '' });
    expect(followed.stdout).toMatch(new RegExp(`(^|\\n)${well!.address}  SUCCESS\nSUCCESS\n$`));
    expect((await jobs()).stdout).toBe(`${id}  night  0.2.0  DONE  1 member\n`);
    expect((await jobs('list')).stdout).toBe((await jobs()).stdout);
    expect(JSON.parse((await jobs('--json')).stdout)).toEqual(await probe.json(`/lcm/update-jobs/${id}`));
    expect(await jobs('delete', id)).toEqual({ exit: 0, stdout: '', stderr: '' });
    expect((await jobs()).stdout).toBe('');
  });

  it('that not all of its members came through ends in a failure, which names the member', async () => {
    const id = await made('--all');
    await jobs('approve', id);
    await jobs('deploy', id);
    const { exit, stdout, stderr } = await jobs('status', id, '--follow', '--json');
    expect(exit).toBe(2);
    expectSentence(stderr, 'UPDATE_FAILED');
    expect(JSON.parse(stdout.trim().split('\n').at(-1)!)).toMatchObject({ status: 'PARTIAL_SUCCESS' });
    expect((await jobs('status', id)).stdout).toContain(`${bad!.address}  FAILED  DOWNLOAD_FAILED: the test says so\n`);
    await jobs('delete', id);
  });

  it('waits for the time of its draft, or for another one', async () => {
    const at = new Date((Math.floor(Date.now() / 1000) + 7200) * 1000).toISOString().replace('.000', '');
    const id = await made('--member', well!.address, '--at', at);
    await jobs('approve', id);
    expect((await jobs('deploy', id)).stdout).toBe(`${id}  night  0.2.0  SCHEDULED  1 member  at ${at}\n`);
    await jobs('delete', id);
    const other = await made('--member', well!.address, '--at', at);
    await jobs('approve', other);
    expectSentence((await jobs('deploy', other, '--at', '-1h')).stderr, 'REQUEST_INVALID');
    const before = Date.now() / 1000 + 3600;
    const { job_type: type, scheduled_at: seconds } = JSON.parse((await jobs('deploy', other, '--at', '+1h', '--json')).stdout) as {
      job_type: string;
      scheduled_at: number;
    };
    expect(type).toBe('SCHEDULED');
    expect(seconds).toBeGreaterThanOrEqual(before);
    expect(seconds).toBeLessThan(before + 60);
    await jobs('delete', other);
  });

  it('without a type begins at the time that its draft has all the same', async () => {
    const scheduled_at = Math.floor(Date.now() / 1000) + 7200;
    const body = { name: 'night', image_file_name: packageId, switch_members: [{ id: well!.address }], scheduled_at };
    const { new_object_id: id } = await probe.json<{ new_object_id: string }>('/lcm/update-jobs', { body });
    await jobs('approve', id);
    expect((await jobs('deploy', id)).stdout).toContain(`SCHEDULED  1 member  at ${timeText(scheduled_at)}\n`);
    await jobs('delete', id);
  });

  it('is shown with its time, whatever that is', () => {
    expect([timeText(1_700_000_000), timeText(9_000_000_000_000)]).toEqual(['2023-11-14T22:13:20Z', '9000000000000']);
  });

  it('is followed over a restart of the probe', async () => {
    const id = await made('--member', well!.address, '--at', '+1h');
    const deaf = { write: () => undefined, isTerminal: false, columns: 80 };
    let outcome: Promise<number> | undefined;
    let said = '';
    await new Promise<void>((resolve) => {
      const stdout = { ...deaf, write: () => resolve() };
      const stderr = { ...deaf, write: (text: string) => void (said += text) };
      const io = { stdout, stderr, stdinIsTerminal: false, cwd: folder.path, interrupt: () => new AbortController().signal };
      outcome = main(['update', 'jobs', 'status', id, '--follow', '--data', probe.data.path], io);
    });
    await probe.probe.close();
    const { code } = (await call(probe.data.path, 'GET', '/').catch((error: unknown) => error)) as { code?: string };
    expect(code).toMatch(/^(ENOENT|ECONNREFUSED)$/);
    // One round of it, at least, finds nobody.
    await Promise.race([outcome, sleep(1200)]);
    probe = await TestProbe.start(new FakeEngine().prepare, { tls }, probe.data);
    expect(said).toBe('');
    // It hears that the job is gone: it has gone on.
    await jobs('delete', id);
    expect(await outcome).toBe(2);
    expectSentence(said, 'UPDATE_JOB_NOT_FOUND');
  });

  it.each([
    ['UPDATE_JOB_NOT_FOUND', ['status', '../x']],
    ['UPDATE_JOB_NOT_FOUND', ['status', 'x', '--follow']],
    ['UPDATE_JOB_NOT_FOUND', ['approve', 'x']],
    ['UPDATE_JOB_NOT_FOUND', ['deploy', 'x']],
    ['UPDATE_JOB_NOT_FOUND', ['delete', 'x']],
    ['PACKAGE_NOT_FOUND', ['create', 'n', '--package', 'x', '--all']],
  ])('%s: %j', async (code, args) => {
    const { exit, stdout, stderr } = await jobs(...args);
    expect([exit, stdout]).toEqual([2, '']);
    expectSentence(stderr, code);
  });

  it('of a member that is no peer is refused', async () => {
    expectSentence((await jobs('create', 'n', '--package', packageId, '--member', '192.0.2.1')).stderr, 'PEER_NOT_FOUND');
  });

  it('needs a running probe', async () => {
    const data = newData();
    const { exit, stderr } = await run(['update', 'jobs', '--data', data]);
    expect(exit).toBe(2);
    expectSentence(stderr, 'NOT_READY');
    expect(stderr).toContain(`no probe runs on the data folder ${data}`);
    expect(existsSync(data)).toBe(false);
  });
});

describe('a command line', () => {
  it.each([
    ['REQUEST_INVALID', ['status', 'x']],
    ['REQUEST_INVALID', ['status', '--follow']],
    ['REQUEST_INVALID', ['jobs', 'create']],
    ['REQUEST_INVALID', ['jobs', 'install', 'x']],
    ['REQUEST_INVALID', ['jobs', 'list', 'x']],
    ['REQUEST_INVALID', ['jobs', 'create', 'n', '--all']],
    ['REQUEST_INVALID', ['jobs', 'create', 'n', '--package', 'x']],
    ['REQUEST_INVALID', ['jobs', 'create', 'n', '--package', 'x', '--all', '--member', '192.0.2.1']],
    ['REQUEST_INVALID', ['jobs', 'create', 'n', '--package', 'x', '--all', '--stop-after', '0']],
    ['REQUEST_INVALID', ['jobs', 'create', 'n', '--package', 'x', '--all', '--max-concurrent', '2.5']],
    ['TIME_INVALID', ['jobs', 'deploy', 'x', '--at', 'noon']],
    ['REQUEST_INVALID', ['jobs', 'approve', 'x', '--at', '+1h']],
    ['REQUEST_INVALID', ['jobs', 'delete', 'x', '--json']],
    ['REQUEST_INVALID', ['packages', '--all']],
  ])('%s: %j', async (code, args) => {
    const data = newData();
    const { exit, stderr } = await run(['update', ...args, '--data', data]);
    expect(exit).toBe(1);
    expectSentence(stderr, code);
    expect(existsSync(data)).toBe(false);
  });
});
