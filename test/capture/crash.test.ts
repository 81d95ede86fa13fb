/** kill -9 at any moment: what was visible is kept, nothing is invented, and the next start goes on. */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { requireOrSkip } from '../setup/require.js';
import { canCapture, CAPTURE, Capture, freshFolder, Network, pause, run, until } from './live.js';
import { lossesOf, marksOf, sealedNames, storedNumbers, upTo } from './segments.js';

const repairsOf = (out: string): Record<string, unknown>[] =>
  out
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

describe.runIf(requireOrSkip('root and network namespaces', canCapture()))('a capture that is killed', () => {
  it('leaves every packet that was visible, whenever it is killed', async () => {
    for (const delay of [60, 300, 777, 1300]) {
      const network = new Network();
      const folder = freshFolder();
      const own = join(folder, '0-va');
      const capture = await Capture.start(network, folder, ['--interface', 'va', '--segment-bytes', '1048576', '--retain-bytes', '8388608']);
      const sending = network.send({ count: 60_000, rate: 40_000, size: 300 });
      await pause(delay);
      capture.signal('SIGKILL');
      await capture.ended();
      const { packetsStored } = marksOf(own);
      await sending;
      const { stdout } = await run(CAPTURE, ['--recover', '--folder', folder]);
      for (const repair of repairsOf(stdout)) expect(['sealed', 'removed', 'swept']).toContain(repair['repair']);
      const numbers = storedNumbers(own);
      // Retention may have let go of the first ones. What is there has no hole and reaches as far as was visible.
      expect(numbers).toEqual(upTo(numbers[0] ?? 0, numbers.length));
      expect((numbers.at(-1) ?? -1) + 1).toBeGreaterThanOrEqual(Number(packetsStored));
      expect(readdirSync(own).filter((name) => name.includes('.part'))).toEqual([]);
      // A second look finds nothing.
      expect((await run(CAPTURE, ['--recover', '--folder', folder])).stdout).toBe('');
    }
  });

  it('goes on at the next start, with the gap on record and no id used twice', async () => {
    const network = new Network();
    const folder = freshFolder();
    const own = join(folder, '0-va');
    const first = await Capture.start(network, folder, ['--interface', 'va']);
    await network.send({ count: 1000 });
    await until(() => marksOf(own).packets === 1000n);
    first.signal('SIGKILL');
    await first.ended();
    await network.send({ count: 500, first: 1000 }); // nobody sees these
    const second = await Capture.start(network, folder, ['--interface', 'va']);
    expect(second.lines).toMatchObject([{ repair: 'sealed', folder: '0-va', file: '0000000000000001.pcapng.part', packets: 1000, cut_bytes: 0 }]);
    await network.send({ count: 1000, first: 1500 });
    await pause(300);
    await second.stop();
    expect(sealedNames(own)).toEqual(['0000000000000001.pcapng', '0000000000000002.pcapng']);
    expect(storedNumbers(own)).toEqual([...upTo(0, 1000), ...upTo(1500, 1000)]);
    const [gap] = lossesOf(own).filter(({ kind }) => kind === 'stopped');
    expect(gap?.packets).toBeNull();
    expect(Number(gap?.end ?? 0n) - Number(gap?.start ?? 0n)).toBeGreaterThan(0);
  });

  it('is repaired fast: only what was open is read', async () => {
    const network = new Network();
    const folder = freshFolder();
    const own = join(folder, '0-va');
    const capture = await Capture.start(network, folder, ['--interface', 'va', '--segment-bytes', '1048576']);
    await network.send({ count: 30_000, size: 1400, rate: 60_000 });
    await until(() => marksOf(own).packetsStored === 30_000n);
    capture.signal('SIGKILL');
    await capture.ended();
    // Were the sealed ones read, their damage would be seen.
    for (const name of sealedNames(own))
      execFileSync('dd', ['if=/dev/zero', `of=${join(own, name)}`, 'bs=1000', 'count=1', 'conv=notrunc'], { stdio: 'ignore' });
    const { stdout } = await run(CAPTURE, ['--recover', '--folder', folder]);
    expect(repairsOf(stdout)).toHaveLength(1);
  });

  it('gets a lost sidecar back', async () => {
    const network = new Network();
    const folder = freshFolder();
    const own = join(folder, '0-va');
    const capture = await Capture.start(network, folder, ['--interface', 'va']);
    await network.send({ count: 1000 });
    await pause(300);
    await capture.stop();
    const sidecar = join(own, '0000000000000001.index');
    renameSync(sidecar, `${sidecar}.kept`);
    const { stdout } = await run(CAPTURE, ['--recover', '--folder', folder]);
    expect(repairsOf(stdout)).toMatchObject([{ repair: 'index_made', packets: 1000 }]);
    execFileSync('cmp', [sidecar, `${sidecar}.kept`]);
    rmSync(`${sidecar}.kept`);
    expect(existsSync(sidecar)).toBe(true);
  });
});
