/** Sent is stored and lost, exactly, and the losses tell when and why. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { hasProgram, requireOrSkip } from '../setup/require.js';
import { loopDisk } from './disks.js';
import { canCapture, CAPTURE, Capture, freshFolder, interfaceStatus, Network, pause, run, until } from './live.js';
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
    const disk = loopDisk('ext4', 600);
    if (!disk || !requireOrSkip('fsfreeze', hasProgram('fsfreeze'))) return;
    const network = new Network();
    const job = join(disk.path, 'job');
    const own = join(job, '0-va');
    const capture = await Capture.start(network, job, ['--interface', 'va', '--segment-bytes', '33554432', '--fsync', 'never']);
    const sending = network.send({ count: 90_000, size: 1400, rate: 45_000 });
    for (let i = 0; i < 3; i++) {
      await pause(250);
      disk.freeze();
      await pause(250);
      disk.thaw();
    }
    await sending;
    await pause(500);
    expect(await capture.stop()).toBe(0);
    expect(lostPackets(own)).toBe(0);
    expect(storedNumbers(own)).toEqual(upTo(0, 90_000));
  });

  it('a disk that stands still for longer than memory lasts costs what is counted, and when', async () => {
    const disk = loopDisk('ext4', 400);
    if (!disk || !requireOrSkip('fsfreeze', hasProgram('fsfreeze'))) return;
    const network = new Network();
    const job = join(disk.path, 'job');
    const own = join(job, '0-va');
    const flags = ['--interface', 'va', '--segment-bytes', '8388608', '--ring-bytes', '2097152', '--queue-bytes', '8388608'];
    const capture = await Capture.start(network, job, flags);
    const sending = network.send({ count: 80_000, size: 1000, rate: 40_000 });
    await pause(400);
    const frozen = nowNs();
    disk.freeze();
    await pause(1000);
    disk.thaw();
    const thawed = nowNs();
    const sent = await sending;
    await network.send({ count: 100, first: sent });
    await pause(500);
    expect(await capture.stop()).toBe(0);
    const numbers = storedNumbers(own);
    expect(numbers.length + lostPackets(own)).toBe(sent + 100);
    expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
    expect(numbers.slice(-100)).toEqual(upTo(sent, 100));
    // A busy machine may cost the small ring something at other times, too.
    const queue = lossesOf(own).filter(({ kind }) => kind !== 'ring');
    expect(queue.reduce((sum, { packets }) => sum + (packets ?? 0), 0)).toBeGreaterThan(10_000);
    for (const { kind, start, end } of queue) {
      expect(kind).toBe('queue');
      expect(start).toBeGreaterThan(frozen - 100_000_000n);
      expect(end).toBeLessThan(thawed + 500_000_000n);
    }
  });

  it('killed while the disk stands still: what was visible is there', async () => {
    const disk = loopDisk('ext4', 400);
    if (!disk || !requireOrSkip('fsfreeze', hasProgram('fsfreeze'))) return;
    const network = new Network();
    const job = join(disk.path, 'job');
    const own = join(job, '0-va');
    const capture = await Capture.start(network, job, ['--interface', 'va', '--segment-bytes', '4194304']);
    const sending = network.send({ count: 60_000, size: 500, rate: 40_000 });
    await pause(900);
    disk.freeze();
    await pause(300);
    capture.signal('SIGKILL');
    await pause(100);
    disk.thaw();
    await capture.ended();
    await sending;
    const { packetsStored } = marksOf(own);
    await run(CAPTURE, ['--recover', '--folder', job]);
    const numbers = storedNumbers(own);
    expect(Number(packetsStored)).toBeGreaterThan(10_000);
    expect(numbers.length).toBeGreaterThanOrEqual(Number(packetsStored));
    expect(numbers).toEqual(upTo(0, numbers.length));
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

  it('an interface that is down at the start is a gap from there on; one that is renamed is the same', async () => {
    const network = new Network();
    const folder = freshFolder();
    const own = join(folder, '0-va');
    network.ip('link', 'set', 'va', 'down');
    const started = nowNs();
    const capture = await Capture.start(network, folder, ['--interface', 'va']);
    await until(async () => (await interfaceStatus(folder)).state === 'link_down');
    network.ip('link', 'set', 'va', 'up');
    await until(async () => (await interfaceStatus(folder)).state === 'capturing');
    const up = nowNs();
    await network.send({ count: 100 });
    await until(() => marksOf(own).packets === 100n);
    network.ip('link', 'set', 'va', 'down');
    await until(async () => (await interfaceStatus(folder)).state === 'link_down');
    network.ip('link', 'set', 'va', 'name', 'vx');
    network.ip('link', 'set', 'vx', 'up');
    await until(async () => (await interfaceStatus(folder)).state === 'capturing');
    await network.send({ count: 100, first: 100, on: 'vx' });
    await pause(300);
    await capture.stop();
    expect(storedNumbers(own)).toEqual(upTo(0, 200));
    const gaps = lossesOf(own);
    expect(gaps.map(({ kind, packets }) => [kind, packets])).toEqual([
      ['link_down', null],
      ['link_down', null],
    ]);
    expect(gaps[0]?.start).toBeGreaterThanOrEqual(started - 1_000_000n);
    expect(gaps[0]?.end).toBeLessThanOrEqual(up + 1_000_000n);
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
