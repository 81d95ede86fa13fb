/** kill -9 under load, again and again (`npm run crash -- --minutes N`: for so long, with ever other frames and seeds). */
import { describe, expect, it } from 'vitest';
import { hasProgram, requireOrSkip } from '../setup/require.js';
import { chance } from '../support/chance.js';
import { campaign, type CampaignOptions, type Tally } from './campaign.js';
import { canCapture } from './live.js';

const MINUTES = Number(process.env['SPILLWAY_CRASH_MINUTES'] ?? 0);
const SEED = Number(process.env['SPILLWAY_CRASH_SEED'] ?? Math.floor(Math.random() * 2 ** 32));
const LIVES = 30;

/** Those of `npm test`: segments full of small frames, of large ones, and a disk that is full. */
const USUAL: CampaignOptions[] = [
  { lives: LIVES, seed: SEED, frameBytes: 300, packetsPerSecond: 40_000, fsync: 'seal' },
  { lives: LIVES, seed: SEED + 1, frameBytes: 1000, packetsPerSecond: 20_000, fsync: 'commit' },
  { lives: 15, seed: SEED + 2, frameBytes: 1000, packetsPerSecond: 40_000, fsync: 'seal', diskMebibytes: 32 },
];

function any(seed: number): CampaignOptions {
  const random = chance(seed);
  const frameBytes = 60 + Math.floor(1454 * random() ** 2);
  const packetsPerSecond = Math.floor(10_000 + 40_000 * random());
  const fsync = (['never', 'seal', 'commit'] as const)[Math.floor(3 * random())]!;
  const disk = random() < 0.25 ? { diskMebibytes: 32 } : {};
  return { lives: 2 * LIVES, seed, frameBytes, packetsPerSecond, fsync, ...disk };
}

describe.runIf(requireOrSkip('root and network namespaces', canCapture()))('a capture that is killed again and again', () => {
  requireOrSkip('capinfos and tshark', hasProgram('capinfos') && hasProgram('tshark'));

  it.runIf(MINUTES === 0)('keeps every packet that was visible, each time, and takes none of before', { timeout: 300_000 }, async () => {
    for (const options of USUAL) {
      const tally = await campaign(options);
      expect(tally.lives).toBe(options.lives);
      checkMeaning(options, tally);
      expect(tally.lost, told(options, tally)).toBeGreaterThan(0);
      // On a full disk files are let go of, not written over.
      if (options.diskMebibytes === undefined) expect(tally.withStale, told(options, tally)).toBeGreaterThan(LIVES / 10);
    }
  });

  it.runIf(MINUTES > 0)(`for ${MINUTES} minutes`, { timeout: (MINUTES + 5) * 60_000 }, async () => {
    const until = Date.now() + MINUTES * 60_000;
    for (let seed = SEED; Date.now() < until; seed++) {
      const options = { ...any(seed), until };
      const tally = await campaign(options);
      console.log(JSON.stringify({ ...options, until: undefined, ...tally }));
      if (tally.lives === options.lives) checkMeaning(options, tally);
    }
  });
});

/** The kills met what they were meant to meet. */
function checkMeaning(options: CampaignOptions, tally: Tally): void {
  const { lives, starting, visible, recoveries } = tally;
  expect(starting, told(options, tally)).toBeGreaterThan(0);
  expect(visible, told(options, tally)).toBeGreaterThan((lives * options.packetsPerSecond) / 100);
  expect(recoveries, told(options, tally)).toBeGreaterThan(lives / 3);
}

const told = (options: CampaignOptions, tally: Tally): string => JSON.stringify({ ...options, ...tally });
