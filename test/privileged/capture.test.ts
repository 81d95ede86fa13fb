/** Captures that a server without privileges has its root parent start. */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { captureStatus } from '../../src/capture/control.js';
import { requireOrSkip } from '../setup/require.js';
import { readCapture } from '../support/reader.js';
import { canCapture, Network, until } from '../capture/live.js';
import { storedNumbers, upTo } from '../capture/segments.js';
import { AS_NOBODY, openCheckout } from './checkout.js';
import { folderOf, isAlive, isRoot, NOBODY, SPILLWAY, startHousehold, statusOf, type Household } from './household.js';

// Each starts several servers, one after another.
vi.setConfig({ testTimeout: 90_000 });

const settings = { filter: null, snapLengthBytes: 0, segmentBytes: 0, retainBytes: 0, retainAgeSeconds: 0, fsync: 'seal' };

/** A job of the user, as a server makes it. */
function job(data: string, name: string, changed: object): string {
  const folder = join(data, 'buffer', randomUUID());
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'job.json'), JSON.stringify({ version: 1, name, ...settings, ...changed }));
  for (const path of [data, join(data, 'buffer'), folder, join(folder, 'job.json')]) chownSync(path, NOBODY, NOBODY);
  return folder;
}

/** A path of a program that the user may run. */
const ours = (...parts: string[]): string => join(openCheckout(), ...parts);

/** A parent and its server, in the network. */
const household = (network: Network, data: string): Promise<Household> =>
  startHousehold(['ip', 'netns', 'exec', network.name, process.execPath, ours('test', 'privileged', 'root-parent.mjs'), data, 'nobody']);

/** Has the server start all captures; tells what came of each. */
async function startCaptures({ parent, pid }: Household, count: number): Promise<string[]> {
  let text = '';
  process.kill(pid, 'SIGHUP');
  while (text.split('\n').length <= count) text += String(((await once(parent.stdout!, 'data')) as [Buffer])[0]);
  return text.trimEnd().split('\n');
}

function listed(data: string, ...before: string[]): string {
  const [program, ...args] = [...before, ours('bin', 'spillway'), 'jobs', '--data', data];
  return execFileSync(program, args, { encoding: 'utf8' });
}

describe.runIf(requireOrSkip('root and network namespaces', canCapture()))('a capture that the root parent starts', () => {
  it('captures as the user, outlives server and parent, and is found again', async () => {
    const network = new Network();
    // Longer than the name of a socket may be.
    const data = join(folderOf(0o755), 'x'.repeat(100));
    const folder = job(data, 'far', { interfaces: ['vb'], filter: 'udp', snapLengthBytes: 64 });
    const first = await household(network, data);
    expect(await startCaptures(first, 1)).toEqual(['far captured']);
    const { pid } = (await captureStatus(folder))!;
    onTestFinished(() => void (isAlive(pid) && process.kill(pid, 'SIGKILL')));
    expect(statusOf(pid)).toMatchObject({
      Uid: `${NOBODY}\t${NOBODY}\t${NOBODY}\t${NOBODY}`,
      Groups: '',
      CapPrm: '0'.repeat(16),
      NoNewPrivs: '1',
      Seccomp: '2',
    });
    await network.send({ count: 500, size: 200 });
    for (const each of [first.pid, first.parent.pid!]) process.kill(each, 'SIGKILL');
    await until(() => !isAlive(first.pid) && !isAlive(first.parent.pid!));
    await network.send({ count: 500, first: 500, size: 200 });
    await until(async () => (await captureStatus(folder))?.interfaces[0]?.packets === 1000);
    // By the next server, which starts it no second time; by root; and by the user.
    const second = await household(network, data);
    expect(await startCaptures(second, 1)).toEqual([
      expect.stringMatching(new RegExp(`^far CAPTURE_FOLDER_LOCKED: another capture \\(process ${pid}\\)`)) as string,
    ]);
    for (const before of [[], AS_NOBODY])
      expect(listed(data, ...before)).toMatch(new RegExp(`^jobs/far .*capturing \\(pid ${pid}\\) {2}1000 packets`));
    const out = execFileSync(SPILLWAY, ['export', 'jobs/far', '--data', data], { stdio: ['ignore', 'pipe', 'ignore'] });
    expect(readCapture(out).packets).toHaveLength(1000);
    execFileSync(SPILLWAY, ['jobs', 'stop', 'far', '--data', data]);
    await until(() => !isAlive(pid));
    expect(storedNumbers(join(folder, '0-vb'))).toEqual(upTo(0, 1000));
    for (const name of readdirSync(folder, { recursive: true }) as string[]) expect(statSync(join(folder, name)).uid, name).toBe(NOBODY);
  });

  it('is refused with the sentence and the code of the capture, or of the parent', async () => {
    const network = new Network();
    const data = join(folderOf(0o755), 'data');
    job(data, 'a', { interfaces: ['nosuch0'] });
    job(data, 'b', { interfaces: ['a name'] });
    job(data, 'c', { interfaces: ['va'], filter: 'tcp port' });
    const home = await household(network, data);
    expect(await startCaptures(home, 3)).toEqual([
      'a INTERFACE_NOT_FOUND: there is no interface nosuch0',
      'b REQUEST_INVALID: a request to start a capture has no usable interfaces',
      expect.stringMatching(/^c FILTER_INVALID: /) as string,
    ]);
    home.parent.kill('SIGKILL');
    await until(() => !isAlive(home.pid));
  });

  it('is started by the server itself where there is no parent: refused without CAP_NET_RAW, else in the background', async () => {
    const network = new Network();
    const data = join(folderOf(0o755), 'data');
    const folder = job(data, 'own', { interfaces: ['vb'] });
    const server = ours('test', 'privileged', 'server.mjs');
    const start = (...flags: string[]): Promise<Household> =>
      startHousehold(['ip', 'netns', 'exec', network.name, ...AS_NOBODY, ...flags, 'sh', '-c', `${process.execPath} ${server} ${data} & wait`]);
    const plain = await start();
    expect(await startCaptures(plain, 1)).toEqual(['own CAPTURE_NOT_PERMITTED: capturing on vb needs the capability CAP_NET_RAW']);
    process.kill(plain.pid, 'SIGKILL');
    const able = await start('--inh-caps', '-all,+net_raw', '--ambient-caps', '-all,+net_raw');
    expect(await startCaptures(able, 1)).toEqual(['own captured']);
    const { pid } = (await captureStatus(folder))!;
    process.kill(able.pid, 'SIGKILL');
    await until(() => !isAlive(able.pid));
    expect(statusOf(pid)['CapPrm']).toBe('0'.repeat(16));
    execFileSync(SPILLWAY, ['jobs', 'stop', 'own', '--data', data]);
    await until(() => !isAlive(pid));
  });
});

describe.runIf(isRoot)('spillway capture, started by root', () => {
  /** Captures on `lo` until SIGINT; tells to whom each file of the buffer belongs. */
  async function owners(data: string): Promise<Record<string, number>> {
    const child = spawn(SPILLWAY, ['capture', '-i', 'lo', '-f', 'udp port 9', '--job', 'mine', '--data', data], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (more: string) => (said += more));
    await until(() => said.includes('capturing on lo'));
    child.kill('SIGINT');
    expect(await once(child, 'exit')).toEqual([0, null]);
    const names = readdirSync(join(data, 'buffer'), { recursive: true }) as string[];
    return Object.fromEntries(names.map((name) => [name.split('/').slice(1).join('/'), statSync(join(data, 'buffer', name)).uid]));
  }

  it.each([
    ['of another user', NOBODY, 0o755],
    ...(canCapture() ? [['of another user, in a closed folder', NOBODY, 0o700] as const] : []),
    ["of root's", 0, 0o755],
  ] as const)('leaves files of the owner in a data folder %s', async (_, uid, mode) => {
    const data = join(folderOf(mode), 'data');
    mkdirSync(data, { mode: 0o700 });
    chownSync(data, uid, uid);
    const found = await owners(data);
    expect(Object.keys(found)).toEqual(expect.arrayContaining(['', 'job.json', 'program', 'lock', '0-lo']));
    expect(new Set(Object.values(found))).toEqual(new Set([uid]));
    expect(statSync(join(data, 'buffer')).uid).toBe(uid);
    execFileSync(SPILLWAY, ['jobs', 'delete', 'mine', '--data', data]);
    expect(readdirSync(join(data, 'buffer'))).toEqual([]);
  });

  it('touches nothing of its own through a link of the owner', () => {
    const [data, secret] = [folderOf(0o755), folderOf(0o700)];
    chownSync(data, NOBODY, NOBODY);
    symlinkSync(secret, join(data, 'buffer'));
    const { status, stderr } = spawnSync(SPILLWAY, ['capture', '-i', 'lo', '--data', data], { encoding: 'utf8', timeout: 20_000 });
    expect({ status, stderr }).toEqual({ status: 2, stderr: expect.stringMatching(/EACCES.*\[DATA_FOLDER_UNUSABLE\]\n$/) as string });
    expect(readdirSync(secret)).toEqual([]);
  });
});
