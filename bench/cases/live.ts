/**
 * Live capture against tcpdump, dumpcap and stenotype: the highest rate at which nothing is lost, the processor's time for a
 * packet, how soon a packet can be exported, and a capture beside eight exports. The sender needs a core of its own, and the
 * capture one: figures of a machine that is busy tell about the machine.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Case, Context } from '../context.js';
import { DUMPCAP, isThere, Running, SPILLWAY, STENOTYPE, TCPDUMP, type Contender } from '../live/contenders.js';
import { besideExports } from '../live/exports.js';
import { freshness } from '../live/freshness.js';
import { Pair } from '../live/pair.js';
import { BenchRefusal, DigestMismatch } from '../refusal.js';
import type { Figures, Goal, Row } from '../row.js';
import { spread } from '../stats.js';

const SIZES = [64, 1400];
const SECONDS = 3;
/** Rates are this times 1.05 to the power of a whole number. */
const LEAST_RATE = 50_000;
const STEP = 1.05;
/** 9.3 million a second: no sender here comes near. */
const STEPS = 107;
/** A sender that comes so near to what was asked for has sent at that rate. */
const REACHED = 0.98;
const CPU_RATE = 100_000;
const LEAST_RATIO: Record<string, number> = { tcpdump: 1, dumpcap: 1, stenotype: 0.95 };

const rateOf = (step: number): number => Math.round(LEAST_RATE * STEP ** step);
const perPacket = (tool: string, seconds: number[], cpu: number[]): Figures => ({
  tool,
  wallSeconds: spread(seconds),
  cpuSeconds: spread(cpu),
  outputBytes: 0,
  peakAnonBytes: null,
});
const thousands = (rate: number): string => Math.round(rate).toLocaleString('en-US');

interface Shot {
  sent: number;
  rate: number;
  lost: number;
  cpuSeconds: number;
}

class Range {
  constructor(
    private readonly pair: Pair,
    private readonly place: string,
  ) {}

  async shoot(contender: Contender, size: number, rate: number): Promise<Shot> {
    // Less than a shot brings, so that files are written over.
    const retainBytes = Math.max(64 << 20, Math.round(0.7 * size * rate * SECONDS));
    const running = await Running.start(contender, this.folder(contender), retainBytes, (command) => this.pair.inside(command));
    const before = running.cpuSeconds();
    const sent = await this.pair.send({ size, rate, seconds: SECONDS });
    await running.flush();
    const cpuSeconds = running.cpuSeconds() - before;
    const stored = await running.end();
    return { sent: sent.packets, rate: sent.rate, lost: sent.packets - stored, cpuSeconds };
  }

  folder(contender: Contender): string {
    return join(this.place, contender.name);
  }

  /** The highest rate of the steps that the sender reaches and the contender loses nothing at, in two shots of three. */
  async highest(contender: Contender, size: number, top: number): Promise<number> {
    const isKept = async (step: number): Promise<boolean> => {
      let kept = 0;
      for (let n = 0; n < 3 && kept < 2 && kept > n - 2; n++) if ((await this.shoot(contender, size, rateOf(step))).lost === 0) kept += 1;
      return kept === 2;
    };
    let [low, high] = [-1, top + 1];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (await isKept(middle)) low = middle;
      else high = middle;
    }
    return low < 0 ? 0 : rateOf(low);
  }

  /** The highest step that the sender reaches with nobody listening. */
  async top(size: number): Promise<number> {
    const { rate } = await this.pair.send({ size, rate: rateOf(STEPS), seconds: 1 });
    let step = Math.floor(Math.log(rate / LEAST_RATE) / Math.log(STEP));
    while (step > 0 && (await this.pair.send({ size, rate: rateOf(step), seconds: 1 })).rate < REACHED * rateOf(step)) step -= 1;
    return step;
  }

  /** Fails the bench unless all wrote the same frames. */
  async mustAgree(contenders: readonly Contender[], size: number): Promise<void> {
    const digests: string[] = [];
    for (const contender of contenders) {
      const { sent, lost } = await this.shoot(contender, size, 5000);
      if (lost !== 0) throw new DigestMismatch(`${contender.name} stored ${sent - lost} of ${sent} packets at 5,000 a second`);
      const files = contender.files(this.folder(contender));
      if (files.length === 0) continue;
      const texts = files.map((file) =>
        execFileSync('tcpdump', ['-r', file, '-n', '-t', '-xx'], { maxBuffer: 1 << 30, stdio: ['ignore', 'pipe', 'ignore'] }),
      );
      digests.push(createHash('sha256').update(Buffer.concat(texts)).digest('hex'));
    }
    if (new Set(digests).size !== 1)
      throw new DigestMismatch(`${contenders.map(({ name }) => name).join(', ')} wrote other packets of ${size} bytes`);
  }
}

const row = (what: string, input: string, ours: Figures, peer: Figures | null, goal: Goal | null, note: string): Row => ({
  case: 'live',
  what,
  input,
  ours,
  peer,
  ratio: peer === null ? null : peer.wallSeconds.median / ours.wallSeconds.median,
  goal,
  inMean: false,
  note,
});

/** Returns our median rate, too. */
async function rates(context: Context, range: Range, contenders: readonly Contender[], size: number): Promise<{ rows: Row[]; own: number }> {
  const top = await range.top(size);
  const found = new Map(contenders.map((contender) => [contender, [] as number[]]));
  for (let n = 0; n < context.options.repeats; n++) {
    for (const [contender, rates] of found) {
      rates.push(await range.highest(contender, size, top));
      context.say(`${size} B: ${contender.name} loses nothing up to ${thousands(rates.at(-1)!)} a second`);
    }
  }
  const median = (contender: Contender): number => spread(found.get(contender)!).median;
  const figuresOf = (contender: Contender): Figures => perPacket(contender.name, found.get(contender)!.map((rate) => 1 / rate), [0]); // prettier-ignore
  const rows = contenders.slice(1).map((peer) => {
    const ratio = median(SPILLWAY) / median(peer);
    const least = LEAST_RATIO[peer.name]!;
    const both = median(SPILLWAY) === rateOf(top) ? ', the most that the sender reaches' : '';
    return row(
      'time between packets at the highest rate without a loss',
      `${size} B`,
      figuresOf(SPILLWAY),
      figuresOf(peer),
      { text: `≥ ${least}×`, reached: ratio >= least },
      `${thousands(median(SPILLWAY))}/s${both}; ${thousands(median(peer))}/s`,
    );
  });
  return { rows, own: median(SPILLWAY) };
}

async function cpu(context: Context, range: Range, contenders: readonly Contender[], size: number): Promise<Row[]> {
  const shots = new Map(contenders.map((contender) => [contender, [] as Shot[]]));
  for (let n = 0; n < context.options.repeats; n++) for (const [contender, own] of shots) own.push(await range.shoot(contender, size, CPU_RATE));
  const figuresOf = (contender: Contender): Figures => {
    const each = shots.get(contender)!.map((shot) => shot.cpuSeconds / (shot.sent - shot.lost));
    return perPacket(contender.name, each, each);
  };
  return contenders.slice(1).map((peer) => {
    const [own, other] = [figuresOf(SPILLWAY), figuresOf(peer)];
    const ratio = other.wallSeconds.median / own.wallSeconds.median;
    const goal = peer === DUMPCAP && size === 64 ? { text: '≥ 5×', reached: ratio >= 5 } : null;
    const lost = [SPILLWAY, peer].map((contender) => shots.get(contender)!.reduce((sum, shot) => sum + shot.lost, 0));
    return row("processor's time for a packet", `${size} B`, own, other, goal, `at ${thousands(CPU_RATE)}/s; lost ${lost.join(' and ')}`);
  });
}

export const liveCase: Case = {
  name: 'live',
  about: 'live capture: rates without a loss, processor time, freshness, and beside eight exports; needs root',
  needs: ['tcpdump', 'dumpcap', 'ip', 'g++'],
  async run(context) {
    if (process.getuid?.() !== 0) throw new BenchRefusal('The case live needs root.');
    const place = mkdtempSync(join(context.options.dir, 'live-'));
    const pair = new Pair(place);
    const rows: Row[] = [];
    try {
      const contenders = [SPILLWAY, TCPDUMP, DUMPCAP, STENOTYPE].filter((contender) => isThere(contender));
      if (!contenders.includes(STENOTYPE)) context.say('not measured: stenotype, which is not installed (apt-get install stenographer)');
      const range = new Range(pair, place);
      for (const size of SIZES) {
        await range.mustAgree(contenders, size);
        rows.push(...(await cpu(context, range, contenders, size)));
        const { rows: found, own } = await rates(context, range, contenders, size);
        rows.push(...found);
        for (const contender of contenders) rmSync(range.folder(contender), { recursive: true });
        const beside = await besideExports(context, pair, place, { size, rate: Math.round(0.7 * own) });
        rows.push(
          row(
            'capture beside 8 exports of everything',
            `${size} B`,
            perPacket('spillway', beside.exportSeconds, [0]),
            null,
            beside.goal,
            beside.note,
          ),
        );
      }
      for (const rate of [1, 100, 10_000, 100_000]) {
        const { seconds, goal, note } = await freshness(context, pair, place, rate);
        rows.push(row('from a packet’s arrival until it is exported', `${thousands(rate)}/s`, perPacket('spillway', seconds, [0]), null, goal, note));
      }
    } finally {
      pair.remove();
      rmSync(place, { recursive: true, force: true });
    }
    return rows;
  },
};
