/** Clearing a buffer, and what it holds before and after. */
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { Catalogs } from '../../src/buffer/catalog.js';
import { clearBuffer } from '../../src/buffer/clear.js';
import { Clips } from '../../src/buffer/clips.js';
import { Holdings } from '../../src/buffer/holdings.js';
import { Jobs, KEEP_ALL, type Job } from '../../src/buffer/jobs.js';
import { pinSegment } from '../../src/buffer/pins.js';
import { payload } from '../support/build.js';
import { FakeBuffer } from '../support/buffer.js';
import { temporaryFolder } from '../support/temporary.js';

const folder = temporaryFolder();
const jobs = new Jobs(folder.path);
const clips = new Clips(jobs, () => 10_000n);

let made = 0;

/** A job with sealed segments of one packet at each of these times, in two interfaces. */
async function filled(...times: bigint[]): Promise<{ job: Job; buffers: FakeBuffer[] }> {
  const job = await jobs.put(`job${made++}`, { ...KEEP_ALL, interfaces: ['va', 'vb'] });
  const buffers = ['0-va', '1-vb'].map((name) => new FakeBuffer(join(job.folder, name)));
  for (const buffer of buffers)
    for (const ticks of times) {
      buffer.store([{ ticks, data: payload(60) }]);
      buffer.seal();
    }
  return { job, buffers };
}

const segments = (buffer: FakeBuffer): number[] =>
  readdirSync(buffer.folder)
    .filter((name) => name.endsWith('.pcapng'))
    .map((name) => Number.parseInt(name, 10))
    .sort((a, b) => a - b);
const names = (buffer: FakeBuffer): string[] => readdirSync(buffer.folder).filter((name) => name !== 'marks');

describe('clearing', () => {
  it('leaves nothing of segments that nobody keeps', async () => {
    const { job, buffers } = await filled(100n, 200n);
    buffers[0]!.store([{ ticks: 300n, data: payload(60) }]); // as a capture that was killed leaves it
    const holdings = new Holdings(new Catalogs());
    const before = await holdings.of(job);
    expect(before).toMatchObject({ firstNs: 100n, lastNs: 300n });
    expect(before.bytes).toBeGreaterThan(5 * 60);
    expect(before.diskBytes).toBeGreaterThan(before.bytes);
    await clearBuffer(job);
    for (const buffer of buffers) expect(names(buffer)).toEqual([]);
    expect(await holdings.of(job)).toEqual({ firstNs: null, lastNs: null, bytes: 0, diskBytes: 0 });
    await clearBuffer(job);
  });

  it('leaves what clips hold, with their indexes', async () => {
    const { job, buffers } = await filled(100n, 200n, 300n);
    const clip = await clips.create({ job, startNs: 200n, endNs: 300n, owner: 'ann', reason: '', expiresNs: null });
    await clearBuffer(job);
    for (const buffer of buffers) {
      expect(segments(buffer)).toEqual([2]);
      expect(existsSync(buffer.path('index', 2n))).toBe(true);
    }
    expect((await clips.held(clip)).missing).toBe(0);
    expect(await new Holdings(new Catalogs()).of(job)).toMatchObject({ firstNs: 200n, lastNs: 200n });
  });

  it('waits for a clip that is being made, and leaves what that has pinned', async () => {
    const { job, buffers } = await filled(100n, 200n);
    const clip = await clips.create({ job, startNs: 150n, endNs: 250n, owner: 'ann', reason: '', expiresNs: null });
    // Half made: its file is there, one pin is still missing.
    const file = join(job.folder, 'clips', `${clip.id}.json`);
    const whole = readFileSync(file, 'utf8');
    writeFileSync(file, JSON.stringify({ ...(JSON.parse(whole) as object), pinned: null }));
    const pin = `${buffers[1]!.path('pin', 2n)}-${clip.id.slice(-4)}`;
    rmSync(pin);
    let isCleared = false;
    const clearing = clearBuffer(job).then(() => (isCleared = true));
    await sleep(100);
    expect(isCleared).toBe(false);
    // It had looked at the name before that was taken away.
    writeFileSync(pin, '0\n');
    writeFileSync(file, whole);
    await clearing;
    for (const buffer of buffers) expect(segments(buffer)).toEqual([2]);
  });

  it('takes names away first: a clip that begins later finds nothing to pin', async () => {
    const { buffers } = await filled(100n);
    renameSync(buffers[0]!.path('pcapng', 1n), `${buffers[0]!.path('pcapng', 1n)}.cleared`);
    expect(await pinSegment(buffers[0]!.folder, '0000000000000001', 'abcd', null)).toBe(false);
  });

  it('goes on where one before was broken off', async () => {
    const { job, buffers } = await filled(100n);
    renameSync(buffers[0]!.path('pcapng', 1n), `${buffers[0]!.path('pcapng', 1n)}.cleared`);
    await clearBuffer(job);
    for (const buffer of buffers) expect(names(buffer)).toEqual([]);
  });
});
