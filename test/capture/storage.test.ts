/** The buffer stays within its limits. */
import { execFileSync } from 'node:child_process';
import { closeSync, openSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { requireOrSkip } from '../setup/require.js';
import { canCapture, Capture, command, freshFolder, interfaceStatus, Network, pause, status, until } from './live.js';
import { lostPackets, sealedNames, storedNumbers, upTo } from './segments.js';

const MIB = 1 << 20;

/** Bytes on the disk of all files in a folder and its folders. */
const bytesIn = (folder: string): number =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + (statSync(join(entry.parentPath, entry.name), { throwIfNoEntry: false })?.size ?? 0), 0);

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
});
