/** A power cut leaves what the policy promises, and nothing that is wrong. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { crc32c } from '../../src/native.js';
import { requireOrSkip } from '../setup/require.js';
import { loopDisk } from './disks.js';
import { canCapture, CAPTURE, Capture, Network, pause, run, until } from './live.js';
import { Frames, Sending } from './sending.js';
import { marksOf, sealedNames, sealedPackets, upTo } from './segments.js';

const FRAME_BYTES = 300;
const SLOT_AT = [64, 192];
const BOOT_ID_AT = 96;
const SLOT_BYTES = 128;

/** The marks as another boot of the machine left them: this one was not started anew. */
function pretendOtherBoot(folder: string): void {
  const path = join(folder, 'marks');
  const page = readFileSync(path);
  for (const at of SLOT_AT) {
    const slot = page.subarray(at, at + SLOT_BYTES);
    if (crc32c(slot.subarray(0, SLOT_BYTES - 4), 0) !== slot.readUInt32LE(SLOT_BYTES - 4)) continue;
    slot[BOOT_ID_AT]! ^= 1;
    slot.writeUInt32LE(crc32c(slot.subarray(0, SLOT_BYTES - 4), 0), SLOT_BYTES - 4);
  }
  writeFileSync(path, page);
}

describe.runIf(requireOrSkip('root and network namespaces', canCapture()))('a power cut', () => {
  it.each([
    ['commit', '67108864'],
    ['commit', '1048576'],
    ['seal', '1048576'],
  ])('with --fsync %s and segments of %s bytes', { timeout: 60_000 }, async (fsync, segmentBytes) => {
    const disk = loopDisk('ext4', 300);
    if (!disk) return;
    for (let cut = 0; cut < 3; cut++) {
      const network = new Network();
      const job = join(disk.path, `job-${cut}`);
      const own = join(job, '0-va');
      const capture = await Capture.start(network, job, ['--interface', 'va', '--segment-bytes', segmentBytes, '--fsync', fsync]);
      const sending = new Sending(network, { size: FRAME_BYTES, rate: 10_000, count: 1_000_000 });
      await until(() => Number(marksOf(own).packetsStored) > 3000);
      await pause(500 + 1000 * Math.random());
      // The promise: what was visible, or had its name, is durable after so long.
      const visible = Number(marksOf(own).packetsStored);
      const sealed = sealedNames(own);
      await pause(500);
      disk.cutPower();
      capture.signal('SIGKILL');
      await capture.ended();
      await sending.stop();
      disk.unmount();
      disk.mount();
      pretendOtherBoot(own);
      await run(CAPTURE, ['--recover', '--folder', job]);
      const frames = new Frames(FRAME_BYTES);
      const numbers = sealedPackets(own).map((packet) => frames.read(packet));
      expect(numbers).toEqual(upTo(0, numbers.length));
      if (fsync === 'commit') expect(numbers.length).toBeGreaterThanOrEqual(visible);
      expect(sealedNames(own)).toEqual(expect.arrayContaining(sealed));
      if (segmentBytes === '1048576') expect(sealed.length).toBeGreaterThan(1);
    }
  });
});
