/** The bench's command line. */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { BenchRefusal } from './refusal.js';

export interface Options {
  quick: boolean;
  /** Cases to run, by the beginning of their name; none: all. */
  cases: string[];
  /** File for the result as JSON. */
  json: string | null;
  /** Where traffic and the helper are kept. */
  dir: string;
  spillway: string;
  repeats: number;
  seed: number;
  /** Size of a traffic file. */
  bytes: number;
  /** Size of the file that the slow peers read; their time is scaled up by packets. */
  sliceBytes: number;
  /** Sizes of the exports whose memory is sampled, and of the download. */
  memoryBytes: number[];
  restBytes: number;
  /** A goal that is missed fails the run. */
  gate: boolean;
  list: boolean;
}

const MEBI = 1 << 20;
const ROOT = resolve(import.meta.dirname, '..');

export const USAGE = `usage: npm run bench -- [--quick] [--case NAME]... [--json FILE] [--dir DIR] [--repeats N] [--mib N] [--seed N] [--spillway PATH] [--gate] [--list]

  --quick          256 MiB of traffic and 3 repeats instead of 4 GiB and 5
  --case NAME      only the cases whose name begins so; --list shows them
  --json FILE      write the result there as well
  --dir DIR        where traffic is kept between runs (default bench/out)
  --repeats N      runs of each command
  --mib N          size of a traffic file, for trying things out
  --seed N         seed of the traffic (default 1)
  --spillway PATH  the launcher to measure (default bin/spillway)
  --gate           exit with 1 when a goal is missed`;

function whole(name: string, text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise;
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new BenchRefusal(`--${name} takes a whole number from 1 on, not ${JSON.stringify(text)}.`);
  return Number(text);
}

export function readOptions(words: string[]): Options {
  let values;
  try {
    ({ values } = parseArgs({
      args: words,
      options: {
        quick: { type: 'boolean', default: false },
        case: { type: 'string', multiple: true, default: [] },
        json: { type: 'string' },
        dir: { type: 'string', default: resolve(ROOT, 'bench/out') },
        repeats: { type: 'string' },
        mib: { type: 'string' },
        seed: { type: 'string' },
        spillway: { type: 'string', default: resolve(ROOT, 'bin/spillway') },
        gate: { type: 'boolean', default: false },
        list: { type: 'boolean', default: false },
      },
    }));
  } catch (error) {
    throw new BenchRefusal(`${error instanceof Error ? error.message : String(error)}\n${USAGE}`);
  }
  const { quick } = values;
  return {
    quick,
    cases: values.case,
    json: values.json === undefined ? null : resolve(values.json),
    dir: resolve(values.dir),
    spillway: resolve(values.spillway),
    repeats: whole('repeats', values.repeats, quick ? 3 : 5),
    seed: whole('seed', values.seed, 1),
    bytes: whole('mib', values.mib, quick ? 256 : 4096) * MEBI,
    sliceBytes: (quick ? 32 : 256) * MEBI,
    memoryBytes: (quick ? [1024] : [1024, 8192]).map((mib) => mib * MEBI),
    restBytes: (quick ? 256 : 1024) * MEBI,
    gate: values.gate,
    list: values.list,
  };
}
