/** Sent is stored and lost, exactly, and the losses tell when and why. */
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { hasProgram, requireOrSkip } from '../setup/require.js';
import { canCapture, Capture, freshFolder, interfaceStatus, Network, pause, until } from './live.js';
import { lossesOf, lostPackets, marksOf, sealedNames, storedNumbers, upTo } from './segments.js';

const nowNs = (): bigint => BigInt(Date.now()) * 1_000_000n;

describe.runIf(requireOrSkip('root and network namespaces', canCapture()))('losses', () => {
  it('of a ring that overflows are counted to the packet, within their time', async () => {
    const network = new Network();
    const folder = freshFolder();
    const own = join(folder, '0-va');
    const capture = await Capture.start(network, folder, ['--interface', 'va', '--ring-bytes', '2097152', '--queue-bytes', '8388608']);
    await network.send({ count: 100 });
    await until(() => marksOf(own).packets === 100n);
    const before = nowNs();
    capture.signal('SIGSTOP');
    await network.send({ count: 50_000, first: 100, size: 200 });
    capture.signal('SIGCONT');
    await pause(500);
    const after = nowNs();
    await network.send({ count: 100, first: 50_100 });
    await pause(300);
    expect(await capture.stop()).toBe(0);
    const numbers = storedNumbers(own);
    expect(numbers.length + lostPackets(own)).toBe(50_200);
    expect(lostPackets(own)).toBeGreaterThan(10_000);
    expect(numbers.slice(-100)).toEqual(upTo(50_100, 100));
    expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
    for (const { kind, start, end } of lossesOf(own).filter(({ packets }) => packets !== null)) {
      expect(kind).toBe('ring');
      expect(start).toBeGreaterThan(before - 1_000_000_000n);
      expect(end).toBeLessThan(after + 1_000_000_000n);
    }
    if (!hasProgram('tshark')) return;
    // The statistics blocks of all segments say the same: isb_ifdrop, as Wireshark's tools show it.
    let dropped = 0;
    for (const name of sealedNames(own)) {
      const file = readFileSync(join(own, name));
      const block = file.subarray(file.length - 112);
      expect(block.readUInt32LE(0)).toBe(5);
      dropped += Number(block.readBigUInt64LE(20 + 3 * 12 + 4));
    }
    expect(dropped).toBe(lostPackets(own));
  });

  it('are none at a rate that is easily held, and all is stored through many segments', async () => {
    const network = new Network();
    const folder = freshFolder();
    const own = join(folder, '0-va');
    const capture = await Capture.start(network, folder, ['--interface', 'va', '--segment-bytes', '4194304']);
    await network.send({ count: 100_000, size: 500, rate: 50_000 });
    await pause(300);
    await capture.stop();
    expect(lostPackets(own)).toBe(0);
    expect(storedNumbers(own)).toEqual(upTo(0, 100_000));
    expect(sealedNames(own).length).toBeGreaterThan(10);
  });

  it('a stall of the disk for 250 ms loses nothing', async () => {
    const programs = hasProgram('fsfreeze') && hasProgram('mkfs.ext4') && hasProgram('losetup');
    if (!requireOrSkip('loop devices and fsfreeze', programs && spawnSync('losetup', ['-f']).status === 0)) return;
    const network = new Network();
    const folder = freshFolder();
    const image = join(folder, 'image');
    const disk = join(folder, 'disk');
    execFileSync('truncate', ['-s', '600M', image]);
    execFileSync('mkfs.ext4', ['-q', '-F', image]);
    execFileSync('mkdir', [disk]);
    execFileSync('mount', ['-o', 'loop', image, disk]);
    try {
      const job = join(disk, 'job');
      const own = join(job, '0-va');
      const capture = await Capture.start(network, job, ['--interface', 'va', '--segment-bytes', '33554432', '--fsync', 'never']);
      const sending = network.send({ count: 90_000, size: 1400, rate: 45_000 });
      for (let i = 0; i < 3; i++) {
        await pause(250);
        execFileSync('fsfreeze', ['-f', disk]);
        await pause(250);
        execFileSync('fsfreeze', ['-u', disk]);
      }
      await sending;
      await pause(500);
      expect(await capture.stop()).toBe(0);
      expect(lostPackets(own)).toBe(0);
      expect(storedNumbers(own)).toEqual(upTo(0, 90_000));
    } finally {
      spawnSync('fsfreeze', ['-u', disk]);
      spawnSync('umount', ['-l', disk]);
    }
  });

  it('an interface that goes down and up leaves a gap, and packets after it', async () => {
    const network = new Network();
    const folder = freshFolder();
    const own = join(folder, '0-va');
    const capture = await Capture.start(network, folder, ['--interface', 'va']);
    await network.send({ count: 100 });
    await until(() => marksOf(own).packets === 100n);
    const down = nowNs();
    network.ip('link', 'set', 'va', 'down');
    await until(async () => (await interfaceStatus(folder)).state === 'link_down');
    network.ip('link', 'set', 'va', 'up');
    await until(async () => (await interfaceStatus(folder)).state === 'capturing');
    const up = nowNs();
    await network.send({ count: 100, first: 100 });
    await pause(300);
    await capture.stop();
    expect(storedNumbers(own)).toEqual(upTo(0, 200));
    const [gap, ...more] = lossesOf(own);
    expect(more).toEqual([]);
    expect(gap).toMatchObject({ kind: 'link_down', packets: null });
    expect(gap?.start).toBeGreaterThanOrEqual(down - 1_000_000n);
    expect(gap?.end).toBeLessThanOrEqual(up + 1_000_000n);
  });

  it('an interface that is removed and comes back is joined again', async () => {
    const network = new Network();
    const folder = freshFolder();
    const own = join(folder, '0-va');
    const capture = await Capture.start(network, folder, ['--interface', 'va']);
    await network.send({ count: 100 });
    await until(() => marksOf(own).packets === 100n);
    network.ip('link', 'del', 'va');
    await until(async () => (await interfaceStatus(folder)).state === 'link_gone');
    network.addPair();
    await until(async () => (await interfaceStatus(folder)).state === 'capturing');
    await network.send({ count: 100, first: 100 });
    await pause(300);
    await capture.stop();
    expect(storedNumbers(own)).toEqual(upTo(0, 200));
    // Between its coming and its being switched on it may be seen as down.
    const kinds = lossesOf(own).map(({ kind }) => kind);
    expect(kinds[0]).toBe('link_gone');
    expect(kinds.slice(1).every((kind) => kind === 'link_down')).toBe(true);
  });

  it('shows what it does to whoever asks while it runs', async () => {
    const network = new Network();
    const folder = freshFolder();
    const capture = await Capture.start(network, folder, ['--interface', 'va', '--ring-bytes', '2097152']);
    capture.signal('SIGSTOP');
    const sent = await network.send({ count: 30_000, size: 200 });
    capture.signal('SIGCONT');
    await until(async () => {
      const { packets, lost } = await interfaceStatus(folder);
      return packets + lost.ring === sent && lost.ring > 0;
    });
    const marks = marksOf(join(folder, '0-va'));
    expect(Number(marks.packetsStored)).toBe((await interfaceStatus(folder)).packets);
    await capture.stop();
  });
});
