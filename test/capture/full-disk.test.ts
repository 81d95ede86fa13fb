/** A full disk is survived, whether or not its file system can reserve room for files. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { hasProgram, requireOrSkip } from '../setup/require.js';
import { fill, loopDisk, memoryDisk } from './disks.js';
import { canCapture, CAPTURE, Capture, interfaceStatus, Network, pause, until } from './live.js';
import { lossesOf, lostPackets, marksOf, storedNumbers, upTo } from './segments.js';

const MIB = 1 << 20;

/** ext2 reserves nothing: there a file is as long as it should be, and has no room. */
const DISKS: [string, (mebibytes: number) => string | null][] = [
  ['in memory', memoryDisk],
  ['without preallocation', (mebibytes) => loopDisk('ext2', mebibytes)?.path ?? null],
];

const live = requireOrSkip('root and network namespaces', canCapture());
it.runIf(live)('the one without is really without', () => {
  const disk = loopDisk('ext2', 8);
  if (!disk || !requireOrSkip('fallocate', hasProgram('fallocate'))) return;
  const { status, stderr } = spawnSync('fallocate', ['-l', '1M', join(disk.path, 'file')], { encoding: 'utf8' });
  expect(status).not.toBe(0);
  expect(stderr).toMatch(/not supported/);
});

describe.runIf(live).each(DISKS)('a disk %s', (_name, diskOf) => {
  it('that has no room for the marks is refused', () => {
    const disk = diskOf(8);
    if (disk === null) return;
    const job = join(disk, 'job');
    expect(spawnSync(CAPTURE, ['--recover', '--folder', job]).status).toBe(0);
    mkdirSync(join(job, '0-lo'));
    fill(disk);
    const { status, signal, stderr } = spawnSync(CAPTURE, ['--folder', job, '--interface', 'lo'], { encoding: 'utf8', timeout: 20_000 });
    expect({ status, signal }).toEqual({ status: 2, signal: null });
    expect(stderr).toMatch(/^spillway-capture: .*0-lo can't be used: No space left on device \[CAPTURE_FOLDER_UNUSABLE\]\n$/);
  });

  it('makes room on a full disk, oldest first, and loses nothing', async () => {
    const network = new Network();
    const disk = diskOf(24);
    if (disk === null) return;
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
    const network = new Network();
    const disk = diskOf(64);
    if (disk === null) return;
    const job = join(disk, 'job');
    const own = join(job, '0-va');
    const flags = ['--interface', 'va', '--segment-bytes', `${MIB}`, '--ring-bytes', `${2 * MIB}`, '--queue-bytes', `${8 * MIB}`];
    const capture = await Capture.start(network, job, flags);
    const free = fill(disk);
    let sent = 0;
    const send = async (count: number): Promise<void> => {
      sent += await network.send({ count, first: sent, size: 1000, rate: 40_000 });
    };
    await send(40_000);
    const full = await interfaceStatus(job);
    expect(full.state).toBe('disk_full');
    expect(full.packets).toBe(0);
    expect(full.lost.disk).toBeGreaterThan(10_000);
    free();
    // And what had waited in the queue is stored, or lost: a busy disk takes its time.
    await until(async () => {
      const { state, packets, lost } = await interfaceStatus(job);
      return state === 'capturing' && packets + lost.ring + lost.queue + lost.disk === sent;
    });
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

  it('killed without room keeps what was visible, starts without room, and goes on when there is some', async () => {
    const network = new Network();
    const disk = diskOf(32);
    if (disk === null) return;
    const job = join(disk, 'job');
    const own = join(job, '0-va');
    const flags = ['--interface', 'va', '--segment-bytes', `${MIB}`, '--ring-bytes', `${2 * MIB}`, '--queue-bytes', `${8 * MIB}`];
    const killed = await Capture.start(network, job, flags);
    // Nothing is let go of.
    for (const id of upTo(1, 60)) writeFileSync(join(own, `${String(id).padStart(16, '0')}.pin-test`), '');
    let sent = await network.send({ count: 5000, size: 500 });
    await until(async () => (await interfaceStatus(job)).packets === sent);
    let free = fill(disk);
    sent += await network.send({ count: 30_000, size: 500, first: sent, rate: 40_000 });
    await until(async () => (await interfaceStatus(job)).state === 'disk_full');
    killed.signal('SIGKILL');
    await killed.ended();
    // Nor is there room for what a repair would add: a segment may go without its index.
    const refill = (): void => {
      free();
      free = fill(disk);
    };
    refill();
    const { packetsStored } = marksOf(own);
    for (const line of spawnSync(CAPTURE, ['--recover', '--folder', job], { encoding: 'utf8' }).stdout.trim().split('\n'))
      expect(line).toMatch(/"repair":"sealed"|"failed".*\.pcapng",.*"No space left on device"/);
    const kept = storedNumbers(own);
    expect(kept).toEqual(upTo(0, kept.length));
    expect(kept.length).toBeGreaterThanOrEqual(Number(packetsStored));

    refill();
    const lostBefore = lostPackets(own);
    const again = await Capture.start(network, job, flags);
    const first = sent;
    sent += await network.send({ count: 40_000, size: 500, first: sent, rate: 40_000 });
    await until(async () => (await interfaceStatus(job)).state === 'disk_full');
    free();
    await until(async () => (await interfaceStatus(job)).state === 'capturing');
    sent += await network.send({ count: 100, size: 500, first: sent });
    await pause(400);
    expect(await again.stop()).toBe(0);
    const numbers = storedNumbers(own);
    expect(numbers.slice(0, kept.length)).toEqual(kept);
    const lost = lostPackets(own) - lostBefore;
    expect(lost).toBeGreaterThan(1000);
    expect(numbers.length - kept.length + lost).toBe(sent - first);
    expect(numbers.slice(-100)).toEqual(upTo(sent - 100, 100));
  });

  it('ends in time on a full disk, keeps what was visible, and tells the rest', async () => {
    const network = new Network();
    const disk = diskOf(32);
    if (disk === null) return;
    const job = join(disk, 'job');
    const own = join(job, '0-va');
    const capture = await Capture.start(network, job, ['--interface', 'va', '--segment-bytes', `${MIB}`]);
    await network.send({ count: 100 });
    await until(async () => (await interfaceStatus(job)).packets === 100);
    // What is pinned makes no room.
    writeFileSync(join(own, '0000000000000001.pin-test'), '');
    const free = fill(disk);
    await network.send({ count: 3000, first: 100, size: 1000 });
    await until(async () => (await interfaceStatus(job)).state === 'disk_full');
    const begun = Date.now();
    await capture.stop();
    expect(Date.now() - begun).toBeLessThan(9000);
    free();
    const again = await Capture.start(network, job, ['--interface', 'va']);
    await again.stop();
    const numbers = storedNumbers(own);
    expect(numbers.slice(0, 100)).toEqual(upTo(0, 100));
    expect(numbers).toEqual(upTo(0, numbers.length));
    expect(numbers.length + lostPackets(own)).toBe(3100);
    expect(existsSync(join(own, '0000000000000001.pcapng'))).toBe(true);
  });
});
