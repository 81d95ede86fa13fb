/** What clips hold survives the rotation of a running capture, until they let go of it. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { listSegments } from '../../src/buffer/catalog.js';
import { Clips } from '../../src/buffer/clips.js';
import { Jobs, type Job } from '../../src/buffer/jobs.js';
import { pinSegment, unpin } from '../../src/buffer/pins.js';
import { requireOrSkip } from '../setup/require.js';
import { canCapture, Capture, freshFolder, Network, pause, status, until } from './live.js';
import { marksOf, storedNumbers, upTo } from './segments.js';

const MIB = 1 << 20;
const RETAIN_BYTES = 8 * MIB;
const nowNs = (): bigint => BigInt(Date.now()) * 1_000_000n;

/** A capture that keeps about 8,000 packets in segments of about 1,000. */
async function started(): Promise<{ network: Network; capture: Capture; job: Job; own: string; clips: Clips }> {
  const network = new Network();
  const jobs = new Jobs(freshFolder());
  const settings = { interfaces: ['va'], filter: null, snapLengthBytes: 0, segmentBytes: MIB, retainBytes: RETAIN_BYTES, retainAgeSeconds: 0 };
  const job = await jobs.put('live', { ...settings, fsync: 'never' });
  const flags = ['--interface', 'va', '--segment-bytes', String(MIB), '--retain-bytes', String(RETAIN_BYTES), '--fsync', 'never'];
  return { network, capture: await Capture.start(network, job.folder, flags), job, own: join(job.folder, '0-va'), clips: new Clips(jobs) };
}

describe.runIf(requireOrSkip('root and network namespaces', canCapture()))('the packets of a clip', () => {
  it('stay while others go, and go when it is removed', async () => {
    const { network, capture, job, own, clips } = await started();
    let sent = 0;
    const send = async (count: number): Promise<void> => {
      sent += await network.send({ count, first: sent, size: 1000, rate: 20_000 });
      await until(() => marksOf(own).packetsStored === BigInt(sent));
    };
    await send(3000);
    await pause(20);
    const startNs = nowNs();
    await send(3000);
    // The last of them lie in the open segment.
    const clip = await clips.create({ job, startNs, endNs: null, owner: 'ann', reason: '', expiresNs: null });
    await send(20_000);
    await send(20_000);
    const { stored_bytes, segments_freed } = await status(job.folder);
    expect(stored_bytes).toBeLessThanOrEqual(RETAIN_BYTES);
    expect(segments_freed).toBeGreaterThan(30);
    await capture.stop();
    const stored = storedNumbers(own);
    expect(stored.filter((n) => n >= 3000 && n < 6000)).toEqual(upTo(3000, 3000));
    // Whole segments are held, so up to one more on each side.
    expect(stored.filter((n) => n < 40_000).length).toBeLessThan(5500);
    expect(stored.at(-1)).toBe(sent - 1);
    expect(await clips.held(clip)).toMatchObject({ missing: 0 });

    const again = await Capture.start(network, job.folder, [
      '--interface',
      'va',
      '--segment-bytes',
      String(MIB),
      '--retain-bytes',
      String(RETAIN_BYTES),
    ]);
    await clips.remove(clip.id);
    await network.send({ count: 10_000, first: sent, size: 1000, rate: 20_000 });
    await until(() => !existsSync(join(own, `${clip.pinned![0]!.stems[0]!}.pcapng`)));
    await again.stop();
    expect(storedNumbers(own).filter((n) => n < 6000)).toEqual([]);
    expect(readdirSync(own).filter((name) => name.includes('.pin-'))).toEqual([]);
  });

  it('go when it has expired, without anybody telling the capture', async () => {
    const { network, capture, job, own, clips } = await started();
    await network.send({ count: 3000, size: 1000, rate: 20_000 });
    await until(() => marksOf(own).packetsStored === 3000n);
    const clip = await clips.create({ job, startNs: null, endNs: null, owner: 'ann', reason: '', expiresNs: nowNs() + 2_000_000_000n });
    expect(readdirSync(own).filter((name) => name.includes('.pin-'))).toHaveLength(clip.pinned![0]!.stems.length);
    await pause(Math.max(0, Number((clip.expiresNs! - nowNs()) / 1_000_000n)));
    await network.send({ count: 20_000, first: 3000, size: 1000, rate: 20_000 });
    await until(() => marksOf(own).packetsStored === 23_000n);
    await capture.stop();
    expect(storedNumbers(own).filter((n) => n < 3000)).toEqual([]);
    expect(readdirSync(own).filter((name) => name.includes('.pin-'))).toEqual([]);
  });

  it('are held from the moment of the pin, however fast the buffer turns', async () => {
    const { network, capture, job, own } = await started();
    let isSending = true;
    const sending = network.send({ count: 160_000, size: 1000, rate: 40_000 }).finally(() => (isSending = false));
    await until(async () => (await status(job.folder)).segments_freed > 2);
    let pinned = 0;
    while (isSending) {
      // The one that goes next.
      const [oldest] = await listSegments(own);
      if (!oldest || !(await pinSegment(own, oldest.stem, '00aa', null))) continue;
      await pause(pinned % 30);
      // On a busy machine the oldest may be the one that is being written.
      expect(['.pcapng', '.pcapng.part'].some((end) => existsSync(join(own, `${oldest.stem}${end}`)))).toBe(true);
      pinned += 1;
      await unpin(own, '00aa');
    }
    await sending;
    await capture.stop();
    expect(pinned).toBeGreaterThan(30);
    expect(storedNumbers(own).at(-1)).toBe(159_999);
  });
});
