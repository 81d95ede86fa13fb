/**
 * Many short lives of a capture in one folder, under load, each ended by kill -9 at a moment left to chance: while it
 * starts and repairs, or while it captures, rotates and lets go. After each, every packet that was visible is there, as
 * it was sent, none is from before, and what is missing among them was counted as lost.
 */
import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { fromRoot } from '../../src/root.js';
import { hasProgram } from '../setup/require.js';
import { memoryDisk } from './disks.js';
import { CAPTURE, freshFolder, Network, pause } from './live.js';
import { Buffered, countOf, type Look, type Run } from './look.js';
import { Frames, Sending } from './sending.js';
import { lossesOf, sealedNames } from './segments.js';
import { chance } from '../support/chance.js';

export interface CampaignOptions {
  lives: number;
  seed: number;
  frameBytes: number;
  packetsPerSecond: number;
  fsync: 'never' | 'seal' | 'commit';
  /** In memory, of this size, and nothing bounds the buffer: it is full most of the time. Else the buffer has 8 MiB. */
  diskMebibytes?: number;
  /** No life begins after this (Date.now()). */
  until?: number;
}

export interface Tally {
  lives: number;
  /** Of them, those that were killed before they were ready. */
  starting: number;
  /** Packets that were visible at a kill, all lives together. */
  visible: number;
  /** Packets behind the visible ones that recovery kept, too. */
  beyond: number;
  /** Kills that left whole packets of earlier segments behind the visible ones. */
  withStale: number;
  lost: number;
  recoveries: number;
  slowestRecoveryMs: number;
}

const MIB = 1 << 20;
const RING_BYTES = 4 * MIB;
const FLAGS = ['--interface', 'va', '--segment-bytes', `${MIB}`, '--ring-bytes', `${RING_BYTES}`, '--queue-bytes', `${8 * MIB}`];

/** The ring overflows by then: what is behind it is counted as lost. */
const STALL_BYTES = 2 * RING_BYTES;
/** No machine is so busy that the sender needs longer. */
const STALL_MS_MAX = 20_000;
const STALL_STEP_MS = 100;
/** By then a loss in the ring is counted and recorded. */
const LOSS_TOLD_MS = 700;

const RECOVERY_MS_MAX = 1000;
/** Tools of others look at every so many lives. */
const CAPINFOS_EVERY = 10;
const TSHARK_EVERY = 25;

export async function campaign(options: CampaignOptions): Promise<Tally> {
  const running = new Campaign(options);
  let life = 0;
  try {
    for (; life < options.lives && Date.now() < (options.until ?? Infinity); life++) await running.live(life);
    return await running.end();
  } catch (error) {
    throw new Error(`life ${life} of the campaign ${JSON.stringify(options)}: ${(error as Error).message}`, { cause: error });
  }
}

class Campaign {
  readonly #random: () => number;
  readonly #network = new Network();
  readonly #folder: string;
  readonly #own: string;
  readonly #buffered: Buffered;
  readonly #sending: Sending;
  readonly #fsync: CampaignOptions['fsync'];
  readonly #flags: string[];
  readonly #tally: Tally = { lives: 0, starting: 0, visible: 0, beyond: 0, withStale: 0, lost: 0, recoveries: 0, slowestRecoveryMs: 0 };
  /** What was seen last. */
  #before: Run[] = [];
  #losses = 0;
  /** Packets that were counted as lost, and of which no hole was seen. */
  #unseen = 0;
  /** Whether packets of the last life were visible when it was killed. */
  #visible = false;

  constructor({ seed, frameBytes, packetsPerSecond, fsync, diskMebibytes }: CampaignOptions) {
    this.#random = chance(seed);
    this.#fsync = fsync;
    this.#folder = diskMebibytes === undefined ? freshFolder() : memoryDisk(diskMebibytes);
    this.#own = join(this.#folder, '0-va');
    const retain = diskMebibytes === undefined ? ['--retain-bytes', `${8 * MIB}`] : [];
    this.#flags = ['netns', 'exec', this.#network.name, CAPTURE, '--folder', this.#folder, '--foreground', ...FLAGS, ...retain, '--fsync', fsync];
    this.#buffered = new Buffered(this.#own, new Frames(frameBytes));
    this.#sending = new Sending(this.#network, { size: frameBytes, rate: packetsPerSecond, count: 2 ** 40 });
  }

  async live(life: number): Promise<void> {
    const kind = kindOf(life, this.#random());
    const starting = kind === 'starting';
    const stalled = kind === 'stalled';
    const afterReady = stalled ? LOSS_TOLD_MS : 20 + 380 * this.#random();
    await this.#killed(starting ? { afterStart: 60 * this.#random() } : { afterReady, stalled });
    this.#tally.lives++;
    this.#tally.starting += starting ? 1 : 0;
    const look = this.#buffered.look();
    this.#check(look, starting);
    this.#before = look.runs;
    // Else the next life begins with it. Where every commit is to be durable, it finds packets that no look has seen.
    if (this.#random() < 0.7 || this.#fsync === 'commit') await this.#recover();
    if (life % CAPINFOS_EVERY === CAPINFOS_EVERY - 1) this.#readByOthers(life % TSHARK_EVERY === TSHARK_EVERY - 1);
  }

  async end(): Promise<Tally> {
    await this.#sending.stop();
    this.#network.remove();
    await this.#recover();
    this.#readByOthers(true);
    this.#readByExport();
    return this.#tally;
  }

  /** `stalled`: first it does not get to run until its ring overflows. */
  async #killed({ afterStart = 0, afterReady, stalled = false }: { afterStart?: number; afterReady?: number; stalled?: boolean }): Promise<void> {
    const child = spawn('ip', this.#flags, { stdio: ['ignore', 'pipe', 'pipe'] });
    let told = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (told += text));
    const ended = endOf(child);
    const ready = new Promise<void>((resolve) => {
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        expect(text).not.toContain('"failed"');
        if (text.includes('"ready"')) resolve();
      });
    });
    if (afterReady !== undefined) await Promise.race([ready, ended]);
    if (stalled) {
      child.kill('SIGSTOP');
      await this.#sendPast(STALL_BYTES);
      child.kill('SIGCONT');
    }
    await pause(afterReady ?? afterStart);
    expect(child.exitCode, told).toBeNull();
    child.kill('SIGKILL');
    await ended;
  }

  async #sendPast(bytes: number): Promise<void> {
    const from = this.#network.sentBytes();
    const until = performance.now() + STALL_MS_MAX;
    do await pause(STALL_STEP_MS);
    while (this.#network.sentBytes() - from < bytes && performance.now() < until);
  }

  /** Of what was seen before the newest are there, perhaps with some more behind them; then come those of this life. */
  #check({ runs, marks, stale }: Look, starting: boolean): void {
    const first = runs[0]?.first ?? 0;
    const kept = this.#before.filter(({ end }) => end > first).map((run) => ({ ...run, first: Math.max(run.first, first) }));
    kept.forEach((run, i) => {
      expect(runs[i]?.first).toBe(run.first);
      if (i < kept.length - 1) expect(runs[i]?.end).toBe(run.end);
      else expect(runs[i]?.end).toBeGreaterThanOrEqual(run.end);
    });
    const own = runs.slice(kept.length);
    const missing = own.length === 0 ? 0 : own.at(-1)!.end - own[0]!.first - countOf(own);
    const lost = this.#lostSince();
    expect(missing, 'missing among the visible').toBeLessThanOrEqual(lost);
    this.#visible = own.length > 0;
    this.#unseen = lost - missing;
    // Nothing of this life was let go of: then the marks count to the packet. Where every commit is to be durable, a
    // segment may have its name before the marks tell of it.
    if (!starting && kept.length > 0) {
      if (this.#fsync === 'commit') expect(countOf(own)).toBeGreaterThanOrEqual(Number(marks.packetsStored));
      else expect(countOf(own)).toBe(Number(marks.packetsStored));
    }
    this.#tally.visible += countOf(own);
    this.#tally.lost += lost;
    this.#tally.withStale += stale > 0 ? 1 : 0;
  }

  #lostSince(): number {
    const losses = lossesOf(this.#own);
    const fresh = losses.slice(this.#losses);
    this.#losses = losses.length;
    for (const { start, end } of fresh) expect(start).toBeLessThanOrEqual(end);
    return fresh.reduce((sum, { packets }) => sum + (packets ?? 0), 0);
  }

  async #recover(): Promise<void> {
    const args = ['--recover', '--folder', this.#folder];
    if (this.#random() < 0.2) {
      const child = spawn(CAPTURE, args, { stdio: 'ignore' });
      const ended = endOf(child);
      await pause(8 * this.#random());
      child.kill('SIGKILL');
      await ended;
    }
    const begun = performance.now();
    const { status, stdout, stderr } = spawnSync(CAPTURE, args, { encoding: 'utf8' });
    const took = performance.now() - begun;
    expect(status, stderr + stdout).toBe(0);
    expect(took).toBeLessThan(RECOVERY_MS_MAX);
    this.#tally.recoveries++;
    this.#tally.slowestRecoveryMs = Math.max(this.#tally.slowestRecoveryMs, took);
    expect(readdirSync(this.#own).filter((name) => name.endsWith('.part'))).toEqual([]);
    this.#checkKept(this.#buffered.look().runs);
  }

  /** What was visible is there, and what came right behind it may be; a hole there was counted, too. */
  #checkKept(runs: Run[]): void {
    const at = this.#before.length - 1;
    const last = this.#before[at];
    expect(runs.slice(0, Math.max(at, 0))).toEqual(this.#before.slice(0, -1));
    expect(runs[at]?.first).toBe(last?.first);
    expect(runs[at]?.end ?? 0).toBeGreaterThanOrEqual(last?.end ?? 0);
    const beyond = countOf(runs) - countOf(this.#before);
    if (last) {
      const grown = runs[at]!.end > last.end;
      // Where nothing of the killed life was visible, what was sent between it and the one before is no hole of its.
      const from = this.#visible || grown || beyond === 0 ? last.end : runs[at + 1]!.first;
      expect(runs.at(-1)!.end - from - beyond, 'missing among those behind the visible').toBeLessThanOrEqual(this.#unseen);
    }
    this.#tally.beyond += beyond;
    this.#before = runs;
  }

  /** Wireshark's tools count the same packets, where they are installed. */
  #readByOthers(tshark: boolean): void {
    const names = sealedNames(this.#own);
    if (names.length === 0 || !hasProgram('capinfos') || !hasProgram('tshark')) return;
    const counts = execFileSync('capinfos', ['-Trmc', ...names], { cwd: this.#own, encoding: 'utf8' })
      .trim()
      .split('\n')
      .map((row) => Number(row.split(',')[1]));
    expect(counts).toEqual(names.map((name) => countOf(this.#buffered.sealed(name))));
    if (!tshark) return;
    const rows = execFileSync('tshark', ['-r', names.at(-1)!, '-T', 'fields', '-e', 'frame.len'], { cwd: this.#own, encoding: 'utf8' });
    expect(rows.trim().split('\n')).toHaveLength(counts.at(-1)!);
  }

  #readByExport(): void {
    const names = sealedNames(this.#own);
    const out = join(freshFolder(), 'out.pcap');
    execFileSync(fromRoot('bin', 'spillway'), ['export', ...names, '-F', 'pcap_ns', '-o', out], { cwd: this.#own, stdio: 'pipe' });
    const records = countOf(this.#before) * (16 + this.#buffered.frames.size);
    expect(statSync(out).size).toBe(24 + records);
  }
}

type Kind = 'starting' | 'stalled' | 'capturing';

/** By chance, and now and then for certain: even a short campaign has each of them. */
function kindOf(life: number, chosen: number): Kind {
  if (life % 7 === 6) return 'stalled';
  if (life % 9 === 4) return 'starting';
  if (life > 0 && chosen < 0.15) return 'starting';
  return chosen > 0.9 ? 'stalled' : 'capturing';
}

const endOf = (child: ChildProcess): Promise<void> => new Promise((resolve) => child.once('close', () => resolve()));
