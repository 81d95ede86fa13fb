/** Started by root, the probe serves as another user, and its parent does what a parent should. */
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, chownSync, copyFileSync, existsSync, mkdirSync, readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { fromRoot } from '../../src/root.js';
import { requireOrSkip } from '../setup/require.js';
import { readCapture } from '../support/reader.js';
import { AS_NOBODY, copyOfCheckout, openCheckout } from './checkout.js';
import { exportSample, folderOf, isAlive, isRoot, listens, NOBODY, serve, SPILLWAY, startHousehold, statusOf, type Household } from './household.js';
import { until } from '../capture/live.js';

// Each starts several servers, one after another.
vi.setConfig({ testTimeout: 90_000 });

/** Nothing of root, and no way back to it. */
function expectPlain(pid: number, id = NOBODY): void {
  const ids = Array.from({ length: 4 }, () => id).join('\t');
  const none = '0'.repeat(16);
  expect(statusOf(pid)).toMatchObject({
    ...{ Uid: ids, Gid: ids, Groups: '', NoNewPrivs: '1' },
    ...{ CapInh: none, CapPrm: none, CapEff: none, CapBnd: none, CapAmb: none },
  });
}

async function expectServes({ address, pid }: Household): Promise<void> {
  expect(listens(pid, Number(new URL(address).port))).toBe(true);
  expect(readCapture(await exportSample(address)).packets.length).toBeGreaterThan(5);
}

/** One coded sentence, and the exit code. */
function refused(args: string[], command: readonly string[] = [SPILLWAY]): { exit: number | null; said: string } {
  const { status, stdout, stderr } = spawnSync(command[0]!, [...command.slice(1), 'serve', '--port', '0', ...args], {
    encoding: 'utf8',
    timeout: 20_000,
  });
  expect(stdout).toBe('');
  expect(stderr).toMatch(/^spillway: [^\n]+ \[[A-Z_]+\]\n$/);
  return { exit: status, said: stderr };
}

describe.runIf(isRoot)('spillway serve, started by root', () => {
  it('serves without any privilege, in a session of its own', async () => {
    const home = await serve('--data', join(folderOf(0o755), 'data'));
    expectPlain(home.pid);
    await expectServes(home);
    expect(listens(home.parent.pid!, Number(new URL(home.address).port))).toBe(false);
    expect(statusOf(home.parent.pid!)['Uid']).toBe('0\t0\t0\t0');
    expect(statusOf(home.pid)['NSsid']).toBe(String(home.pid));
    home.parent.kill('SIGTERM');
    expect(await home.ended).toEqual({ code: 0, signal: null, stderr: '' });
    expect(isAlive(home.pid)).toBe(false);
  });

  it.each(['SIGINT', 'SIGHUP'] as const)('hands %s on, and ends when the server has', async (signal) => {
    const home = await serve('--data', join(folderOf(0o755), 'data'));
    home.parent.kill(signal);
    expect(await home.ended).toEqual({ code: 0, signal: null, stderr: '' });
    expect(isAlive(home.pid)).toBe(false);
  });

  it('ends as the server ended', async () => {
    const home = await serve('--data', join(folderOf(0o755), 'data'));
    process.kill(home.pid, 'SIGKILL');
    expect(await home.ended).toMatchObject({ code: null, signal: 'SIGKILL' });
  });

  it('takes the server along when it is killed, so that the next one can start', async () => {
    const data = join(folderOf(0o755), 'data');
    const first = await serve('--data', data);
    first.parent.kill('SIGKILL');
    await until(() => !isAlive(first.pid));
    const second = await startHousehold([SPILLWAY, 'serve', '--data', data, '--port', new URL(first.address).port]);
    await expectServes(second);
  });

  it('serves as the user that is named, or to whom the data folder belongs', async () => {
    const data = join(folderOf(0o755), 'data');
    const first = await serve('--data', data, '--user', '3999999999:3999999999');
    expectPlain(first.pid, 3_999_999_999);
    expect(statSync(data)).toMatchObject({ uid: 3_999_999_999, gid: 3_999_999_999 });
    first.parent.kill('SIGTERM');
    await first.ended;
    const { exit, said } = refused(['--data', data, '--user', 'nobody']);
    expect({ exit, said }).toEqual({
      exit: 2,
      said: expect.stringContaining('belongs to the user 3999999999, not to nobody [DATA_FOLDER_UNUSABLE]') as string,
    });
    const second = await serve('--data', data);
    expectPlain(second.pid, 3_999_999_999);
    await expectServes(second);
  });

  it('refuses what can not be, before it makes anything', () => {
    const place = folderOf(0o755);
    const data = join(place, 'data');
    expect(refused(['--data', data, '--user', 'nosuchuser'])).toMatchObject({
      exit: 1,
      said: expect.stringContaining('there is no user "nosuchuser"') as string,
    });
    expect(refused(['--data', data, '--user', 'root'])).toMatchObject({ exit: 1, said: expect.stringContaining('[REQUEST_INVALID]') as string });
    expect(refused(['--data', data, '--address', '0.0.0.0'])).toMatchObject({
      exit: 1,
      said: expect.stringContaining('[ADDRESS_FORBIDDEN]') as string,
    });
    expect(existsSync(data)).toBe(false);
    const plain = [...AS_NOBODY, join(openCheckout(), 'bin', 'spillway')];
    expect(refused(['--data', data, '--user', 'nobody'], plain)).toMatchObject({ exit: 1, said: expect.stringContaining('only root can') as string });
  });

  it('says so where the server can not start, and hands its exit code on', async () => {
    const data = join(folderOf(0o755), 'data');
    const home = await serve('--data', data);
    expect(refused(['--data', data])).toMatchObject({ exit: 2, said: expect.stringContaining('[DATA_FOLDER_LOCKED]') as string });
    home.parent.kill('SIGTERM');
    await home.ended;
  });
});

const canMount = isRoot && requireOrSkip('mount namespaces', spawnSync('unshare', ['--mount', 'true']).status === 0);

describe.runIf(canMount)('a folder that is closed to others', () => {
  it('may have the checkout: it is served from under its own paths, and not changed', async () => {
    const place = folderOf(0o700);
    const clone = copyOfCheckout(place);
    for (const path of [clone, join(clone, 'bin')]) chmodSync(path, 0o700);
    for (const name of ['package.json', 'binding.gyp', 'bin/spillway']) chmodSync(join(clone, name), 0o700);
    const before = [place, clone, join(clone, 'package.json')].map((path) => statSync(path).mode);
    const home = await startHousehold([join(clone, 'bin', 'spillway'), 'serve', '--port', '0']);
    expectPlain(home.pid);
    await expectServes(home);
    expect(statusOf(home.parent.pid!)['Uid']).toBe('0\t0\t0\t0');
    // Nobody else sees the view, and the data lies where it should.
    expect(execFileSync('cat', ['/proc/self/mounts'], { encoding: 'utf8' })).not.toContain(place);
    expect(statSync(join(clone, 'data', 'fs', 'admin', 'sample.pcap')).uid).toBe(NOBODY);
    expect([place, clone, join(clone, 'package.json')].map((path) => statSync(path).mode)).toEqual(before);
    home.parent.kill('SIGTERM');
    expect(await home.ended).toEqual({ code: 0, signal: null, stderr: '' });
    // A later capture of root's is that user's.
    const capture = spawnSync(join(clone, 'bin', 'spillway'), ['capture', '-i', 'nosuch0'], { encoding: 'utf8' });
    expect(capture).toMatchObject({ status: 2, stderr: expect.stringContaining('[INTERFACE_NOT_FOUND]') as string });
    // Nor is it served where no view can be made, or what is needed can not be read.
    const args = ['--data', join(folderOf(0o755), 'data')];
    const weak = ['setpriv', '--bounding-set=-sys_admin', join(clone, 'bin', 'spillway')];
    expect(refused(args, weak)).toMatchObject({ exit: 2, said: expect.stringContaining(`nobody can not reach ${place}`) as string });
    chmodSync(join(clone, 'dist'), 0o700);
    expect(refused(args, [join(clone, 'bin', 'spillway')]).said).toContain(`can not reach ${join(clone, 'dist')}, which it may not read`);
  });

  it('may have the data', async () => {
    const place = folderOf(0o700);
    const data = join(place, 'deep', 'data');
    mkdirSync(data, { recursive: true });
    chownSync(data, 3_999_999_999, 3_999_999_999);
    const home = await serve('--data', data);
    expectPlain(home.pid, 3_999_999_999);
    await expectServes(home);
  });

  it('may have Node itself', async () => {
    const node = join(folderOf(0o700), 'bin', 'node');
    mkdirSync(join(node, '..'), { mode: 0o700 });
    copyFileSync(process.execPath, node);
    const home = await startHousehold([node, SPILLWAY, 'serve', '--port', '0', '--data', join(folderOf(0o755), 'data')]);
    expect(readlinkSync(`/proc/${home.pid}/exe`)).toBe(node);
    expectPlain(home.pid);
    await expectServes(home);
  });
});

describe.runIf(isRoot)('npm start, as root', () => {
  const start = (): Promise<Household> =>
    startHousehold([process.execPath, fromRoot('scripts', 'start.mjs'), '--port', '0', '--data', join(folderOf(0o755), 'data')]);

  it('serves without any privilege, and ends when it is asked', async () => {
    const home = await start();
    expectPlain(home.pid);
    await expectServes(home);
    home.parent.kill('SIGTERM');
    expect(await home.ended).toEqual({ code: 0, signal: null, stderr: '' });
    expect(isAlive(home.pid)).toBe(false);
  });

  it('ends as the server ended', async () => {
    const home = await start();
    process.kill(home.pid, 'SIGKILL');
    expect(await home.ended).toMatchObject({ code: null, signal: 'SIGKILL' });
  });
});
