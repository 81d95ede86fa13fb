/** The buffer that is larger than its disk: every reader still sees segments that hold. */
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { trafficFile } from '../../bench/traffic/cache.js';
import { largeBuffer } from '../../bench/traffic/large-buffer.js';
import { listSegments } from '../../src/buffer/catalog.js';
import { interfaceFolders, Jobs } from '../../src/buffer/jobs.js';
import { segmentHolds } from '../../src/bundle/collectors/segment-check.js';
import { fromRoot } from '../../src/root.js';
import { temporaryFolder } from '../support/temporary.js';

const folder = temporaryFolder();

it('has segments with indexes of their own', async () => {
  const input = trafficFile(folder.path, { profile: 'imix', seed: 1, bytes: 1 << 20 }, () => undefined);
  const data = join(folder.path, 'data');
  const { segments, bytes } = largeBuffer(fromRoot('bin', 'spillway'), input, data, 3 << 20);
  expect(bytes).toBeGreaterThanOrEqual(3 << 20);
  const job = await new Jobs(data).get('bench');
  const [own] = await interfaceFolders(job);
  const listed = await listSegments(own!.path);
  expect(listed.map(({ id, sealed }) => [id, sealed])).toEqual(Array.from({ length: segments }, (_, i) => [BigInt(i + 1), true]));
  for (const segment of listed) {
    const options = { isWhole: true, untilMs: Infinity, signal: new AbortController().signal };
    expect(await segmentHolds(own!.path, segment, options)).toEqual({ ok: expect.stringMatching(/^([1-9]\d*) of \1 blocks/) as string });
  }
});
