/** Several jobs on one interface, and readers beside a capture that lets go of what is old. */
import { execFileSync } from 'node:child_process';
import { closeSync, fstatSync, openSync, readFileSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { hasProgram, requireOrSkip } from '../setup/require.js';
import { canCapture, Capture, freshFolder, interfaceStatus, Network, pause, status, until } from './live.js';
import { programFile } from './program-file.js';
import { Frames, Sending } from './sending.js';
import { lossesOf, lostPackets, sealedNames, sealedPackets, storedNumbers, upTo } from './segments.js';

const MIB = 1 << 20;

/** All bytes behind a descriptor, from the first on. */
function contents(fd: number): Buffer {
  const bytes = Buffer.alloc(fstatSync(fd).size);
  readSync(fd, bytes, 0, bytes.length, 0);
  return bytes;
}

describe.runIf(requireOrSkip('root and network namespaces', canCapture()))('side by side', () => {
  it('several jobs on one interface have each its packets, whole or cut', async () => {
    if (!requireOrSkip('tcpdump', hasProgram('tcpdump'))) return;
    const [size, count] = [400, 30_000];
    // Ports are 1000 + number % 97.
    const jobs: { expression?: string; snap?: number; wants: (n: number) => boolean }[] = [
      { wants: () => true },
      { snap: 60, wants: () => true },
      { expression: 'udp src port 1003', snap: 128, wants: (n) => n % 97 === 3 },
      { expression: 'udp src portrange 1010-1050', wants: (n) => n % 97 >= 10 && n % 97 <= 50 },
      { expression: 'tcp', wants: () => false },
    ];
    const network = new Network();
    const captures = [];
    for (const { expression, snap } of jobs) {
      const folder = freshFolder();
      const program = expression === undefined ? [] : ['--program', programFile(expression, join(folder, 'program'))];
      const cut = snap === undefined ? [] : ['--snap', `${snap}`];
      const flags = ['--interface', 'va', '--segment-bytes', `${2 * MIB}`, '--queue-bytes', `${8 * MIB}`];
      captures.push(await Capture.start(network, folder, [...flags, ...program, ...cut]));
    }
    expect(await new Sending(network, { size, rate: 20_000, count }).sent).toBe(count);
    await pause(300);
    for (const [i, capture] of captures.entries()) {
      expect(await capture.stop()).toBe(0);
      const { snap = size, wants } = jobs[i]!;
      const own = join(capture.folder, '0-va');
      const frames = new Frames(size, snap);
      expect(sealedPackets(own).map((packet) => frames.read(packet))).toEqual(upTo(0, count).filter(wants));
      expect(lossesOf(own)).toEqual([]);
    }
  });

  it('a segment that is read stays as it is while the buffer is written over several times, and goes when it is let go of', async () => {
    const network = new Network();
    const folder = freshFolder();
    const own = join(folder, '0-va');
    const capture = await Capture.start(network, folder, ['--interface', 'va', '--segment-bytes', `${MIB}`, '--retain-bytes', `${8 * MIB}`]);
    let sent = await network.send({ count: 4000, size: 1000, rate: 20_000 });
    await until(() => sealedNames(own).length > 2);
    // One with the lock that readers take, one without.
    const [name = '', other = ''] = sealedNames(own);
    const held = openSync(join(own, name), 'r');
    const open = openSync(join(own, other), 'r');
    execFileSync('flock', ['-s', '3'], { stdio: ['ignore', 'ignore', 'ignore', held] });
    const before = contents(held);
    sent += await network.send({ count: 30_000, size: 1000, rate: 20_000, first: sent });
    await until(async () => (await interfaceStatus(folder)).packets === sent);
    expect((await status(folder)).segments_freed).toBeGreaterThan(20);
    expect((await status(folder)).stored_bytes).toBeLessThanOrEqual(8 * MIB);
    expect(sealedNames(own)[0]).toBe(name);
    expect(contents(held).equals(before)).toBe(true);
    expect(readFileSync(join(own, name)).equals(before)).toBe(true);
    // Without the lock the file is another segment's by now: its name says so.
    expect(statSync(join(own, other), { throwIfNoEntry: false })?.ino).not.toBe(fstatSync(open).ino);
    const numbers = storedNumbers(own);
    expect(numbers.slice(0, 900)).toEqual(upTo(0, 900));
    closeSync(held);
    closeSync(open);
    sent += await network.send({ count: 3000, size: 1000, rate: 20_000, first: sent });
    await until(() => sealedNames(own)[0] !== name);
    await pause(300);
    expect(await capture.stop()).toBe(0);
    const left = storedNumbers(own);
    expect(left).toEqual(upTo(sent - left.length, left.length));
    expect(lostPackets(own)).toBe(0);
  });
});
