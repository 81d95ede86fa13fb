/** Clips: what they hold, what of the wish is refused, and how they end. */
import { execFileSync } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { Clip } from '../../src/buffer/clip-file.js';
import type { ClipWish } from '../../src/buffer/clip-wish.js';
import { Clips } from '../../src/buffer/clips.js';
import { Jobs, KEEP_ALL, type Job } from '../../src/buffer/jobs.js';
import { pinSegment } from '../../src/buffer/pins.js';
import { hasProgram, requireOrSkip } from '../setup/require.js';
import { payload } from '../support/build.js';
import { FakeBuffer, segmentName } from '../support/buffer.js';
import { temporaryFolder } from '../support/temporary.js';

const folder = temporaryFolder();
const NOW_NS = 1000n;
const WISH = { startNs: null, endNs: null, owner: 'ann', reason: 'a test', expiresNs: null };

let jobsMade = 0;

/** A job with an interface of its own, a clock, and clips of both. */
class Kept {
  nowNs = NOW_NS;
  readonly clips: Clips;

  private constructor(
    readonly jobs: Jobs,
    readonly job: Job,
    readonly buffer: FakeBuffer,
  ) {
    this.clips = new Clips(jobs, () => this.nowNs);
  }

  static async make(): Promise<Kept> {
    const jobs = new Jobs(join(folder.path, String(jobsMade++)));
    const job = await jobs.put('uplink', { ...KEEP_ALL, interfaces: ['va'] });
    return new Kept(jobs, job, new FakeBuffer(join(job.folder, '0-va')));
  }

  /** Sealed segments 1, 2, … with a packet at each of these times. */
  store(...times: bigint[]): this {
    for (const ticks of times) {
      this.buffer.store([{ ticks, data: payload(60) }]);
      this.buffer.seal();
    }
    return this;
  }

  create(wish: Partial<ClipWish> = {}): Promise<Clip> {
    return this.clips.create({ job: this.job, ...WISH, ...wish });
  }

  /** Segments with a pin of the clip, or of any. */
  pinned(clip?: Clip): number[] {
    const ending = clip ? `.pin-${clip.id.slice(-4)}` : '.pin-';
    return readdirSync(this.buffer.folder)
      .filter((name) => name.includes(ending))
      .map((name) => Number.parseInt(name, 10))
      .sort((a, b) => a - b);
  }
}

const code = (wanted: string): unknown => expect.objectContaining({ code: wanted });

describe('a clip', () => {
  it('pins the segments of its range with its expiry, and is found again', async () => {
    const kept = (await Kept.make()).store(100n, 200n, 300n, 400n);
    const clip = await kept.create({ startNs: 200n, endNs: 400n, expiresNs: 5000n });
    expect(clip.id).toMatch(new RegExp(`^${kept.job.id}[0-9a-f]{4}$`));
    expect(kept.pinned(clip)).toEqual([2, 3]);
    const pin = readFileSync(join(kept.buffer.folder, `${segmentName(2n, 'pin')}-${clip.id.slice(-4)}`), 'utf8');
    expect(pin).toBe('5000\n');
    expect(clip).toMatchObject({ ...WISH, job: kept.job, startNs: 200n, endNs: 400n, expiresNs: 5000n, createdNs: NOW_NS });
    expect(await new Clips(kept.jobs, () => NOW_NS).get(clip.id)).toEqual(clip);
    expect(await kept.clips.list()).toEqual([clip]);
    const file = join(kept.job.folder, 'clips', `${clip.id}.json`);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({
      version: 1,
      owner: 'ann',
      reason: 'a test',
      created_ns: '1000',
      start_ns: '200',
      end_ns: '400',
      expires_ns: '5000',
      pinned: { '0-va': [2n, 3n].map((id) => segmentName(id, '').slice(0, 16)) },
    });
  });

  it('without a start, an end and an expiry holds all that is there, for ever', async () => {
    const kept = (await Kept.make()).store(100n, 200n);
    const clip = await kept.create();
    expect(clip).toMatchObject({ startNs: null, endNs: NOW_NS, expiresNs: null });
    expect(kept.pinned(clip)).toEqual([1, 2]);
    expect(readFileSync(join(kept.buffer.folder, `${segmentName(1n, 'pin')}-${clip.id.slice(-4)}`), 'utf8')).toBe('0\n');
  });

  it('holds a segment whose index can not be asked, and one that waits for its name', async () => {
    const kept = (await Kept.make()).store(100n, 200n, 300n);
    rmSync(kept.buffer.path('index', 1n));
    renameSync(kept.buffer.path('pcapng', 2n), kept.buffer.path('pcapng.part', 2n));
    expect(kept.pinned(await kept.create({ startNs: 300n }))).toEqual([1, 2, 3]);
  });

  it('holds the open segment where what can be read of it is in the range, and no other', async () => {
    const kept = (await Kept.make()).store(100n);
    kept.buffer.store([{ ticks: 200n, data: payload(60) }]);
    kept.buffer.store([{ ticks: 150n, data: payload(60) }]);
    for (const [startNs, endNs, pinned] of [
      [null, 150n, [1]],
      [null, 151n, [1, 2]],
      [200n, 300n, [2]],
    ] as const) {
      expect(kept.pinned(await kept.create({ startNs, endNs }))).toEqual(pinned);
    }
    await expect(kept.create({ startNs: 201n })).rejects.toEqual(code('SOURCE_EMPTY'));
    writeFileSync(kept.buffer.path('pcapng.part', 3n), 'not visible yet');
    const clip = await kept.create({ startNs: 150n });
    expect(kept.pinned(clip)).toEqual([2]);
    kept.buffer.seal();
    expect(kept.pinned(clip)).toEqual([2]);
    expect(await kept.clips.held(clip)).toMatchObject({ segments: 1, missing: 0, fromNs: 150n, toNs: 200n });
  });

  it('holds what all interfaces have of the range, also those that are captured no longer', async () => {
    const kept = (await Kept.make()).store(100n, 200n);
    const other = new FakeBuffer(join(kept.job.folder, '7-old'));
    other.store([{ ticks: 50n, data: payload(60) }]);
    other.seal();
    const clip = await kept.create({ endNs: 101n });
    expect(clip.pinned?.map(({ folder: name, stems }) => [name, stems.map(Number)])).toEqual([
      ['0-va', [1]],
      ['7-old', [1]],
    ]);
    expect(await kept.clips.held(clip)).toMatchObject({ segments: 2, fromNs: 50n, toNs: 100n });
    expect((await kept.create({ startNs: 60n, endNs: 101n })).pinned).toHaveLength(1);
  });

  it('that ends now waits for what is on its way', async () => {
    const kept = await Kept.make();
    kept.nowNs = BigInt(Date.now()) * 1_000_000n;
    const [first, last] = [kept.nowNs - 10n, kept.nowNs - 1n];
    kept.buffer.store([{ ticks: first, data: payload(60) }], kept.nowNs);
    const making = kept.create();
    await sleep(200);
    expect(kept.pinned()).toEqual([1]);
    expect(await kept.clips.list()).toEqual([]);
    kept.buffer.seal();
    kept.buffer.store([{ ticks: last, data: payload(60) }], kept.nowNs + 499_999_999n);
    await sleep(200);
    kept.buffer.publish(kept.nowNs + 500_000_000n);
    expect(kept.pinned(await making)).toEqual([1, 2]);
  });

  it('that ends now does not wait for a capture that is gone', async () => {
    const kept = await Kept.make();
    kept.nowNs = BigInt(Date.now()) * 1_000_000n;
    kept.buffer.store([{ ticks: kept.nowNs - 10n, data: payload(60) }], kept.nowNs);
    const begun = performance.now();
    await kept.create();
    expect(performance.now() - begun).toBeLessThan(3000);
  });

  it('tells what it holds, and what is gone', async () => {
    const kept = (await Kept.make()).store(100n, 200n, 300n);
    const [one, two] = [await kept.create({ startNs: 150n, endNs: 250n }), await kept.create({ startNs: 120n, endNs: 301n })];
    const bytes = (id: bigint): number => ['pcapng', 'index'].reduce((sum, ending) => sum + statSync(kept.buffer.path(ending, id)).size, 0);
    expect(await kept.clips.held(one)).toEqual({ segments: 1, bytes: bytes(2n), missing: 0, fromNs: 200n, toNs: 200n });
    expect(await kept.clips.held(two)).toEqual({ segments: 2, bytes: bytes(2n) + bytes(3n), missing: 0, fromNs: 200n, toNs: 300n });
    expect(await kept.clips.bytesHeld(kept.job)).toBe(bytes(2n) + bytes(3n));
    kept.buffer.drop(2n);
    expect(await kept.clips.held(one)).toEqual({ segments: 0, bytes: 0, missing: 1, fromNs: null, toNs: null });
    // Of a whole segment only the range counts.
    kept.buffer.store([500n, 600n, 700n].map((ticks) => ({ ticks, data: payload(60) })));
    kept.buffer.seal();
    expect(await kept.clips.held(await kept.create({ startNs: 550n, endNs: 650n }))).toMatchObject({ segments: 1, fromNs: 550n, toNs: 650n });
    kept.buffer.store([{ ticks: 800n, data: payload(60) }]);
    const open = await kept.create({ startNs: 800n });
    const { bytes: visible } = await kept.clips.held(open);
    expect(visible).toBe(statSync(kept.buffer.path('pcapng.part')).size - 4096);
  });
});

describe('a clip is refused', () => {
  it('where nothing is left of its range, and leaves nothing', async () => {
    const kept = (await Kept.make()).store(100n, 300n);
    await expect(kept.create({ endNs: 100n })).rejects.toThrow('jobs/uplink holds no packets before 1970-01-01T00:00:00.000000100Z');
    await expect(kept.create({ startNs: 101n, endNs: 300n })).rejects.toEqual(code('SOURCE_EMPTY'));
    expect([kept.pinned(), readdirSync(join(kept.job.folder, 'clips'))]).toEqual([[], []]);
    const empty = await Kept.make();
    await expect(empty.create()).rejects.toEqual(code('SOURCE_EMPTY'));
  });

  it.each<[string, Partial<ClipWish>, string]>([
    ['an end to come', { endNs: NOW_NS + 1n }, 'TIME_INVALID'],
    ['a start at its end', { startNs: 200n, endNs: 200n }, 'TIME_INVALID'],
    ['a start behind now', { startNs: NOW_NS }, 'TIME_INVALID'],
    ['an expiry that has passed', { expiresNs: NOW_NS }, 'TIME_INVALID'],
    ['no owner', { owner: '' }, 'REQUEST_INVALID'],
    ['an owner in two lines', { owner: 'a\nb' }, 'REQUEST_INVALID'],
    ['a long owner', { owner: 'x'.repeat(65) }, 'REQUEST_INVALID'],
    ['a reason that steers a terminal', { reason: '\u001b[2J' }, 'REQUEST_INVALID'],
    ['a long reason', { reason: 'x'.repeat(1001) }, 'REQUEST_INVALID'],
  ])('for %s', async (_, wish, wanted) => {
    const kept = (await Kept.make()).store(100n);
    await expect(kept.create(wish)).rejects.toEqual(code(wanted));
    expect(kept.pinned()).toEqual([]);
    await expect(kept.create({ endNs: NOW_NS, owner: 'x'.repeat(64), reason: '', expiresNs: NOW_NS + 1n })).resolves.toBeDefined();
  });

  it('where its job has as many as it may have', async () => {
    const kept = (await Kept.make()).store(100n);
    mkdirSync(join(kept.job.folder, 'clips'));
    for (let i = 0; i < 999; i++) writeFileSync(join(kept.job.folder, 'clips', `${kept.job.id}${i.toString(16).padStart(4, '0')}.json`), '');
    const { id } = await kept.create();
    expect(Number.parseInt(id.slice(-4), 16)).toBeGreaterThanOrEqual(999);
    await expect(kept.create()).rejects.toEqual(code('TOO_MANY_CLIPS'));
  });

  it('where its folder can not be written', async () => {
    const kept = (await Kept.make()).store(100n);
    writeFileSync(join(kept.job.folder, 'clips'), '');
    await expect(kept.create()).rejects.toEqual(code('DATA_FOLDER_UNUSABLE'));
  });
});

describe('a clip ends', () => {
  it('when it is removed, with its pins and nobody else’s', async () => {
    const kept = (await Kept.make()).store(100n, 200n);
    const [one, two] = [await kept.create(), await kept.create({ startNs: 200n })];
    await kept.clips.remove(one.id);
    expect(await kept.clips.list(kept.job)).toEqual([two]);
    expect([kept.pinned(one), kept.pinned(two)]).toEqual([[], [2]]);
    await expect(kept.clips.remove(one.id)).rejects.toEqual(code('CLIP_NOT_FOUND'));
  });

  it('when it expires, and is swept then', async () => {
    const kept = (await Kept.make()).store(100n);
    const clip = await kept.create({ expiresNs: 2000n });
    kept.nowNs = 1999n;
    expect(await kept.clips.sweep()).toBe(0);
    expect(await kept.clips.list()).toEqual([clip]);
    kept.nowNs = 2000n;
    expect(await kept.clips.list()).toEqual([]);
    await expect(kept.clips.get(clip.id)).rejects.toEqual(code('CLIP_NOT_FOUND'));
    expect(kept.pinned(clip)).toEqual([1]);
    expect(await kept.clips.sweep()).toBe(1);
    expect([kept.pinned(), readdirSync(join(kept.job.folder, 'clips'))]).toEqual([[], []]);
  });

  it('never by what is no clip’s: ids, jobs and files that are none', async () => {
    const kept = (await Kept.make()).store(100n);
    const { id } = await kept.create();
    const word = id.slice(-4) === '0000' ? '0001' : '0000';
    for (const wrong of [
      '',
      'x',
      kept.job.id,
      `${kept.job.id}${word}`,
      `${id}0`,
      id.toUpperCase(),
      `../${id}`,
      `00000000-0000-4000-8000-000000000000${word}`,
    ])
      await expect(kept.clips.get(wrong), wrong).rejects.toEqual(code('CLIP_NOT_FOUND'));
    const file = join(kept.job.folder, 'clips', `${kept.job.id}${word}.json`);
    const good = JSON.parse(readFileSync(join(kept.job.folder, 'clips', `${id}.json`), 'utf8')) as Record<string, unknown>;
    for (const text of ['', '{', 'null', '{"version":1}', JSON.stringify({ ...good, version: 2 }), JSON.stringify({ ...good, end_ns: 'x' })]) {
      writeFileSync(file, text);
      await expect(kept.clips.get(`${kept.job.id}${word}`), text).rejects.toEqual(code('CLIP_NOT_FOUND'));
      expect(await kept.clips.list()).toHaveLength(1);
    }
  });
});

describe('a sweep', () => {
  it('removes pins without a clip, and no others', async () => {
    const kept = (await Kept.make()).store(100n, 200n);
    const clip = await kept.create({ endNs: 101n });
    const word = clip.id.slice(-4) === '00aa' ? '00bb' : '00aa';
    writeFileSync(kept.buffer.path(`pin-${word}`, 1n), '0\n');
    writeFileSync(kept.buffer.path('pin-by-hand', 2n), '');
    // A clip that this version can not read may still be one.
    const newer = clip.id.slice(-4) === '00cc' ? '00dd' : '00cc';
    writeFileSync(kept.buffer.path(`pin-${newer}`, 2n), '0\n');
    writeFileSync(join(kept.job.folder, 'clips', `${kept.job.id}${newer}.json`), '{"version":2}');
    expect(await kept.clips.sweep()).toBe(0);
    const left = readdirSync(kept.buffer.folder).filter((name) => name.includes('.pin-'));
    expect(left.sort()).toEqual(
      [`pin-${clip.id.slice(-4)}`, 'pin-by-hand', `pin-${newer}`].map((ending, i) => segmentName(i === 0 ? 1n : 2n, ending)).sort(),
    );
  });

  it('removes what was left unfinished, after a while', async () => {
    const kept = (await Kept.make()).store(100n);
    const clip = await kept.create();
    const file = join(kept.job.folder, 'clips', `${clip.id}.json`);
    writeFileSync(file, JSON.stringify({ ...(JSON.parse(readFileSync(file, 'utf8')) as object), pinned: null }));
    expect(await kept.clips.list()).toEqual([]);
    await expect(kept.clips.get(clip.id)).rejects.toEqual(code('CLIP_NOT_FOUND'));
    kept.nowNs += 600_000_000_000n;
    expect([await kept.clips.sweep(), kept.pinned(clip)]).toEqual([0, [1]]);
    kept.nowNs += 1n;
    expect([await kept.clips.sweep(), kept.pinned(clip), existsSync(file)]).toEqual([1, [], false]);
  });
});

describe.runIf(requireOrSkip('flock', hasProgram('flock')))('a segment that capture has locked', () => {
  const stem = segmentName(1n, '').slice(0, 16);

  /** Held for itself until the descriptor is closed. */
  const lock = (path: string): number => {
    const fd = openSync(path, 'r');
    execFileSync('flock', ['-x', '3'], { stdio: ['ignore', 'ignore', 'ignore', fd] });
    return fd;
  };

  it('is pinned when capture leaves it, and not when it is let go of', async () => {
    for (const isLeft of [true, false]) {
      const kept = (await Kept.make()).store(100n);
      const held = lock(kept.buffer.path('pcapng', 1n));
      const pinning = pinSegment(kept.buffer.folder, stem, '00aa', null);
      await sleep(100);
      expect(kept.pinned()).toEqual([]);
      // As a file that is written over for another segment.
      if (!isLeft) renameSync(kept.buffer.path('pcapng', 1n), kept.buffer.path('pcapng.part', 2n));
      closeSync(held);
      expect([await pinning, kept.pinned()]).toEqual([isLeft, isLeft ? [1] : []]);
    }
  });

  it('and keeps locked is refused, and nothing is left of the clip', async () => {
    const kept = (await Kept.make()).store(100n, 200n);
    const held = lock(kept.buffer.path('pcapng', 2n));
    await expect(kept.create()).rejects.toEqual(code('SOURCE_UNREADABLE'));
    closeSync(held);
    expect([kept.pinned(), readdirSync(join(kept.job.folder, 'clips'))]).toEqual([[], []]);
  });
});
