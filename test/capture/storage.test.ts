/** The buffer stays within its limits, and a full disk is survived. */
import { execFileSync, spawnSync } from 'node:child_process';
import { closeSync, existsSync, openSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { hasProgram, requireOrSkip } from '../setup/require.js';
import { canCapture, Capture, command, freshFolder, interfaceStatus, Network, pause, status, until } from './live.js';
import { lossesOf, lostPackets, sealedNames, storedNumbers, upTo } from './segments.js';

const MIB = 1 << 20;

/** Bytes on the disk of all files in a folder and its folders. */
const bytesIn = (folder: string): number =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + (statSync(join(entry.parentPath, entry.name), { throwIfNoEntry: false })?.size ?? 0), 0);

/** A disk of its own for one test. */
function smallDisk(mebibytes: number): string {
  const path = join(freshFolder());
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${mebibytes}m`, 'tmpfs', path]);
  onTestFinished(() => void spawnSync('umount', ['-l', path]));
  return path;
}

describe.runIf(requireOrSkip('root and network namespaces', canCapture()))('the buffer', () => {
  it('stays within its bytes, the newest kept, whatever comes', async () => {
    const network = new Network();
    const folder = freshFolder();
    const capture = await Capture.start(network, folder, ['--interface', 'va', '--interface', 'vb', '--retain-bytes', `${24 * MIB}`]);
    let largest = 0;
    const sending = network.send({ count: 60_000, size: 1000, rate: 30_000 });
    for (let i = 0; i < 20; i++) {
      await pause(100);
      // Marks, losses and sockets come on top of segments and sidecars.
      largest = Math.max(largest, bytesIn(folder));
    }
    await sending;
    await pause(300);
    const { stored_bytes, segments_freed } = await status(folder);
    expect(stored_bytes).toBeLessThanOrEqual(24 * MIB);
    expect(segments_freed).toBeGreaterThan(10);
    expect(largest).toBeLessThan(25 * MIB);
    await capture.stop();
    for (const name of ['0-va', '1-vb']) {
      const numbers = storedNumbers(join(folder, name));
      expect(numbers.length).toBeGreaterThan(8000);
      expect(numbers).toEqual(upTo(60_000 - numbers.length, numbers.length));
      expect(lostPackets(join(folder, name))).toBe(0);
    }
  });

  it('lets go by age, also while nothing comes', async () => {
    const network = new Network();
    const folder = freshFolder();
    const own = join(folder, '0-va');
    const capture = await Capture.start(network, folder, ['--interface', 'va', '--retain-age-s', '2']);
    await network.send({ count: 100 });
    await until(() => sealedNames(own).length === 1, 4000); // a segment of a second
    await until(() => sealedNames(own).length === 0, 6000);
    expect(readdirSync(own).sort()).toEqual(['losses', 'marks']);
    await capture.stop();
  });

  it('leaves what is pinned or read', async () => {
    const network = new Network();
    const folder = freshFolder();
    const own = join(folder, '0-va');
    const capture = await Capture.start(network, folder, ['--interface', 'va']);
    for (let n = 0; n < 4; n++) {
      await network.send({ count: 10, first: n * 10 });
      await until(async () => (await interfaceStatus(folder)).packets === (n + 1) * 10);
      await command(folder, 'seal');
    }
    writeFileSync(join(own, '0000000000000001.pin-clip'), '');
    const held = openSync(join(own, '0000000000000002.pcapng'), 'r');
    // The lock is taken by a child on the descriptor that it inherits, and stays as long as this one is open.
    execFileSync('flock', ['-s', '3'], { stdio: ['ignore', 'ignore', 'ignore', held] });
    await command(folder, 'retain 1 0');
    expect(storedNumbers(own)).toEqual(upTo(0, 20));
    closeSync(held);
    await until(() => sealedNames(own).length === 1);
    expect(storedNumbers(own)).toEqual(upTo(0, 10));
    rmSync(join(own, '0000000000000001.pin-clip'));
    await until(() => sealedNames(own).length === 0);
    await capture.stop();
  });

  it('makes room on a full disk, oldest first, and loses nothing', async () => {
    if (!requireOrSkip('mount', hasProgram('mount'))) return;
    const network = new Network();
    const disk = smallDisk(24);
    const own = join(disk, 'job', '0-va');
    const capture = await Capture.start(network, join(disk, 'job'), ['--interface', 'va', '--segment-bytes', `${2 * MIB}`]);
    await network.send({ count: 60_000, size: 1000, rate: 30_000 });
    await pause(400);
    await capture.stop();
    expect(lostPackets(own)).toBe(0);
    const numbers = storedNumbers(own);
    expect(numbers.length).toBeGreaterThan(12_000);
    expect(numbers).toEqual(upTo(60_000 - numbers.length, numbers.length));
  });

  it('without room stops writing, counts what is lost, and goes on when there is room', async () => {
    if (!requireOrSkip('mount', hasProgram('mount'))) return;
    const network = new Network();
    const disk = smallDisk(64);
    const job = join(disk, 'job');
    const own = join(job, '0-va');
    const flags = ['--interface', 'va', '--segment-bytes', `${MIB}`, '--ring-bytes', `${2 * MIB}`, '--queue-bytes', `${8 * MIB}`];
    const capture = await Capture.start(network, job, flags);
    spawnSync('dd', ['if=/dev/zero', `of=${join(disk, 'filler')}`, 'bs=64k'], { stdio: 'ignore' });
    let sent = 0;
    const send = async (count: number): Promise<void> => {
      sent += await network.send({ count, first: sent, size: 1000, rate: 40_000 });
    };
    await send(40_000);
    const full = await interfaceStatus(job);
    expect(full.state).toBe('disk_full');
    expect(full.packets).toBe(0);
    expect(full.lost.disk).toBeGreaterThan(10_000);
    rmSync(join(disk, 'filler'));
    await until(async () => (await interfaceStatus(job)).state === 'capturing');
    await send(1000);
    await pause(400);
    expect(await capture.stop()).toBe(0);
    const numbers = storedNumbers(own);
    expect(numbers.length + lostPackets(own)).toBe(sent);
    expect(numbers.slice(-1000)).toEqual(upTo(sent - 1000, 1000));
    expect(lossesOf(own).some(({ kind, start, end }) => kind === 'disk' && start < end)).toBe(true);
    expect(capture.stderr()).toMatch(/va: disk_full: No space left on device\n/);
    expect(capture.stderr()).toMatch(/va: capturing\n/);
  });

  it('ends in time on a full disk, keeps what was visible, and tells the rest', async () => {
    if (!requireOrSkip('mount', hasProgram('mount'))) return;
    const network = new Network();
    const disk = smallDisk(32);
    const job = join(disk, 'job');
    const own = join(job, '0-va');
    const capture = await Capture.start(network, job, ['--interface', 'va', '--segment-bytes', `${MIB}`]);
    await network.send({ count: 100 });
    await until(async () => (await interfaceStatus(job)).packets === 100);
    // What is pinned makes no room.
    writeFileSync(join(own, '0000000000000001.pin-test'), '');
    spawnSync('dd', ['if=/dev/zero', `of=${join(disk, 'filler')}`, 'bs=64k'], { stdio: 'ignore' });
    await network.send({ count: 3000, first: 100, size: 1000 });
    await until(async () => (await interfaceStatus(job)).state === 'disk_full');
    const begun = Date.now();
    await capture.stop();
    expect(Date.now() - begun).toBeLessThan(9000);
    rmSync(join(disk, 'filler'));
    const again = await Capture.start(network, job, ['--interface', 'va']);
    await again.stop();
    const numbers = storedNumbers(own);
    expect(numbers.slice(0, 100)).toEqual(upTo(0, 100));
    expect(numbers).toEqual(upTo(0, numbers.length));
    expect(numbers.length + lostPackets(own)).toBe(3100);
    expect(existsSync(join(own, '0000000000000001.pcapng'))).toBe(true);
  });
});
