/**
 * Clips: time ranges of capture jobs that retention leaves, each with an owner, a reason and perhaps an end. Like jobs
 * they are files (clip-file.ts, pins.ts), which a running capture finds without being told.
 */
import { randomBytes } from 'node:crypto';
import { basename, join } from 'node:path';
import { SpillwayError } from '../errors.js';
import { NS_PER_MS, NS_PER_SECOND } from '../units.js';
import { Catalogs } from './catalog.js';
import { type Clip, type ClipFilter, clipWords, type PinnedSegments, readClip, removeClip, reserveClip, wordOf, writeClip } from './clip-file.js';
import { heldSegments, type HeldSegments, larger, pinRange, smaller } from './clip-segments.js';
import { checkReason, checkWish, type ClipRange, type ClipWish, rangeText } from './clip-wish.js';
import { interfaceFolders, type Job, type Jobs, unusable } from './jobs.js';
import { pinWords, unpin } from './pins.js';

/** What a clip holds by now. */
export interface HeldByClip {
  segments: number;
  bytes: number;
  /** Segments that are gone though they were pinned: somebody removed them. */
  missing: number;
  /** The part of the range that there are packets of, as far as that is known. */
  fromNs: bigint | null;
  toNs: bigint | null;
}

const ID = /^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})[0-9a-f]{4}$/;
const WORD = /^[0-9a-f]{4}$/;
/** Of one job: each has a file, and a pin beside every segment that it holds. */
const CLIPS_MAX = 1000;
const TRIES = 20;
/** What takes longer to be made was left unfinished. */
const MAKING_NS = 600n * NS_PER_SECOND;

export class Clips {
  readonly #jobs: Jobs;
  readonly #nowNs: () => bigint;
  readonly catalogs = new Catalogs();

  constructor(jobs: Jobs, nowNs: () => bigint = () => BigInt(Date.now()) * NS_PER_MS) {
    this.#jobs = jobs;
    this.#nowNs = nowNs;
  }

  /** Of all jobs or of one, the oldest first. One that has expired is none any more. */
  async list(job?: Job): Promise<Clip[]> {
    const jobs = job ? [job] : await this.#jobs.list();
    const clips = (await Promise.all(jobs.map((each) => this.#read(each)))).flat();
    return clips.filter((clip) => clip.pinned !== null && !this.#hasExpired(clip)).sort((a, b) => (a.createdNs < b.createdNs ? -1 : 1));
  }

  /** Rejects with CLIP_NOT_FOUND. */
  async get(id: string): Promise<Clip> {
    const jobId = ID.exec(id)?.[1];
    const job = jobId === undefined ? undefined : (await this.#jobs.list()).find((each) => each.id === jobId);
    const clip = job ? await readClip(job, id) : null;
    if (!clip || clip.pinned === null || this.#hasExpired(clip))
      throw new SpillwayError('CLIP_NOT_FOUND', `there is no clip ${JSON.stringify(id.slice(0, 100))}`);
    return clip;
  }

  /**
   * Takes up to a second where the range ends now: what is on its way belongs to it. Rejects with SOURCE_EMPTY where
   * nothing of the range is left.
   */
  async create(wish: ClipWish): Promise<Clip> {
    const createdNs = this.#nowNs();
    const { job, owner, reason, expiresNs, filters = [], given = {} } = wish;
    const said = { job, owner, reason, createdNs, modifiedNs: createdNs, expiresNs, filters, given };
    const range = checkWish(wish, createdNs);
    try {
      // First its file, then its pins: a pin without one is swept.
      const draft = await this.#reserve({ ...said, ...range, pinned: null });
      try {
        const clip = { ...draft, pinned: await this.#pin(draft, range) };
        await writeClip(clip);
        return clip;
      } catch (error) {
        await this.#remove(draft);
        throw error;
      }
    } catch (error) {
      throw error instanceof SpillwayError ? error : unusable(job.folder, error as Error);
    }
  }

  /** Says something else of what it holds. */
  async describe(clip: Clip, reason: string, filters: ClipFilter[]): Promise<Clip> {
    checkReason(reason);
    const described = { ...clip, reason, filters, modifiedNs: this.#nowNs() };
    await writeClip(described).catch((error: unknown) => {
      throw unusable(clip.job.folder, error as Error);
    });
    return described;
  }

  /** Lets go of its packets: retention does with them what it does with others. */
  async remove(id: string): Promise<void> {
    await this.#remove(await this.get(id));
  }

  /** Removes what has expired, what was left unfinished, and pins without a clip. Resolves to the number of clips. */
  async sweep(): Promise<number> {
    let swept = 0;
    for (const job of await this.#jobs.list()) {
      const folders = await interfaceFolders(job);
      // Read before the clips are: who makes one writes its file before its pins.
      const pins = await Promise.all(folders.map(async ({ path }) => ({ path, words: await pinWords(path) })));
      for (const clip of await this.#read(job)) {
        const isLeft = clip.pinned === null && clip.createdNs + MAKING_NS < this.#nowNs();
        if (!isLeft && !this.#hasExpired(clip)) continue;
        await this.#remove(clip);
        swept += 1;
      }
      const kept = await clipWords(job);
      for (const { path, words } of pins) for (const word of words) if (WORD.test(word) && !kept.has(word)) await unpin(path, word);
    }
    return swept;
  }

  async held(clip: Clip): Promise<HeldByClip> {
    const parts = await this.#segments(clip);
    const sizes = parts.flatMap(({ bytes }) => [...bytes.values()]);
    const firstNs = parts.reduce<bigint | null>((first, part) => smaller(first, part.firstNs), null);
    const lastNs = parts.reduce<bigint | null>((last, part) => larger(last, part.lastNs), null);
    return {
      segments: sizes.length,
      bytes: sum(sizes),
      missing: sum(parts.map(({ missing }) => missing)),
      fromNs: firstNs === null ? null : larger(firstNs, clip.startNs),
      toNs: lastNs === null ? null : smaller(lastNs, clip.endNs),
    };
  }

  /** What all clips of a job hold together: they may share segments. */
  async bytesHeld(job: Job): Promise<number> {
    const parts = await Promise.all((await this.list(job)).map((clip) => this.#segments(clip)));
    return sum([...new Map(parts.flat().flatMap(({ bytes }) => [...bytes])).values()]);
  }

  async #read(job: Job): Promise<Clip[]> {
    const words = await clipWords(job);
    const clips = await Promise.all([...words].map((word) => readClip(job, job.id + word)));
    return clips.filter((clip) => clip !== null);
  }

  async #reserve(draft: Omit<Clip, 'id'>): Promise<Clip> {
    const { job } = draft;
    if ((await clipWords(job)).size >= CLIPS_MAX)
      throw new SpillwayError('TOO_MANY_CLIPS', `the job ${job.name} has ${CLIPS_MAX} clips, as many as it may have`);
    for (let left = TRIES; left > 0; left--) {
      const clip = { ...draft, id: job.id + randomBytes(2).toString('hex') };
      if (await reserveClip(clip)) return clip;
    }
    throw new SpillwayError('INTERNAL', `no id was free for a clip of the job ${job.name}`);
  }

  async #pin(clip: Clip, range: ClipRange): Promise<PinnedSegments[]> {
    const folders = await interfaceFolders(clip.job);
    const pin = { word: wordOf(clip), endsNs: clip.expiresNs };
    const pinned = await Promise.all(
      folders.map(async ({ path }) => ({ folder: basename(path), stems: await pinRange(this.catalogs.of(path), range, pin) })),
    );
    if (pinned.every(({ stems }) => stems.length === 0))
      throw new SpillwayError('SOURCE_EMPTY', `jobs/${clip.job.name} holds no packets ${rangeText(range)}`);
    return pinned.filter(({ stems }) => stems.length > 0);
  }

  async #remove(clip: Clip): Promise<void> {
    for (const { path } of await interfaceFolders(clip.job)) await unpin(path, wordOf(clip));
    // Last: until then nobody else gets the id, and with it the pins. Nothing is written: the disk may be full.
    await removeClip(clip);
  }

  #segments({ job, pinned }: Clip): Promise<HeldSegments[]> {
    return Promise.all((pinned ?? []).map(({ folder, stems }) => heldSegments(this.catalogs.of(join(job.folder, folder)), stems)));
  }

  #hasExpired({ expiresNs }: Clip): boolean {
    return expiresNs !== null && expiresNs <= this.#nowNs();
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((all, each) => all + each, 0);
}
