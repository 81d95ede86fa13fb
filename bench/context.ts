/** What every case is given: the helper, the tools, the traffic, and how often to repeat. */
import { spawnSync } from 'node:child_process';
import { type PacketDigest, digest } from './digest/digest.js';
import { DigestError } from './digest/walk.js';
import type { Drain, Run } from './drain.js';
import type { Options } from './options.js';
import { DigestMismatch } from './refusal.js';
import type { Row } from './row.js';
import { trafficFile, type TrafficFile, warm } from './traffic/cache.js';
import type { ProfileName } from './traffic/profile.js';

/** One way of doing the work, run afresh each time. */
export type Side = () => Promise<Run>;

export interface Case {
  name: string;
  about: string;
  /** Programs that must be on the PATH. */
  needs: string[];
  run(context: Context): Promise<Row[]>;
}

export class Context {
  constructor(
    readonly options: Options,
    readonly drain: Drain,
    readonly say: (line: string) => void,
  ) {}

  /** The traffic of a profile at the run's size, or at `bytes`. */
  traffic(profile: ProfileName, bytes = this.options.bytes): TrafficFile {
    return trafficFile(this.options.dir, { profile, seed: this.options.seed, bytes }, this.say);
  }

  spillway(...words: string[]): string[] {
    return [this.options.spillway, ...words];
  }

  /** Runs the sides in turn, A B A B, so that a change of the machine's pace meets both. */
  async interleave(input: TrafficFile, sides: Side[], repeats = this.options.repeats): Promise<Run[][]> {
    warm(input.path);
    const runs: Run[][] = sides.map(() => []);
    for (let n = 0; n < repeats; n++) {
      for (const [i, side] of sides.entries()) runs[i]!.push(await side());
    }
    return runs;
  }

  /** What packets a command writes to standard output. */
  async digestOf(command: string[]): Promise<PacketDigest> {
    const { pieces, run } = this.drain.output(command);
    try {
      const result = await digest(pieces);
      await run;
      return result;
    } catch (error) {
      if (!(error instanceof DigestError)) throw error;
      pieces.destroy();
      await run; // says first that the command failed, if it did
      throw new DigestMismatch(`the output of ${command.join(' ')}: ${error.message}`);
    }
  }

  /** Fails the bench unless both commands write the same packets. */
  async mustAgree(ours: string[], peer: string[]): Promise<PacketDigest> {
    const mine = await this.digestOf(ours);
    const theirs = await this.digestOf(peer);
    if (mine.sha256 === theirs.sha256) return mine;
    const told = (of: PacketDigest): string => `${of.packets} packets of ${of.capturedBytes} bytes, ${of.sha256.slice(0, 16)}`;
    throw new DigestMismatch(`${ours.join(' ')} wrote ${told(mine)}; ${peer.join(' ')} wrote ${told(theirs)}.`);
  }
}

/** The programs of `names` that cannot be started. */
export function missing(names: string[]): string[] {
  return names.filter((name) => spawnSync(name, ['--version'], { stdio: 'ignore' }).error !== undefined);
}
