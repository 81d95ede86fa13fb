/** A capture while eight exports of all that it has run at once, over and over. */
import { execFileSync } from 'node:child_process';
import type { Context } from '../context.js';
import type { Goal } from '../row.js';
import { pause } from './contenders.js';
import { CapturedJob } from './job.js';
import type { Pair } from './pair.js';

const EXPORTS = 8;
const SECONDS = 15;
/** Until there is something to export. */
const HEAD_START_MS = 2000;

interface ListedJob {
  interfaces: { packets: number; lost: { ring: number; queue: number; disk: number } }[];
}

export interface BesideExports {
  /** Of each export. */
  exportSeconds: number[];
  goal: Goal;
  note: string;
}

export async function besideExports(
  context: Context,
  pair: Pair,
  place: string,
  { size, rate }: { size: number; rate: number },
): Promise<BesideExports> {
  context.say(`${size} B at ${rate} a second, beside ${EXPORTS} exports`);
  const job = await CapturedJob.start(context, pair, place);
  try {
    const exportSeconds: number[] = [];
    let bytes = 0;
    let isOver = false;
    const command = context.spillway('export', 'jobs/bench', '-F', 'pcapng_ns', '-o', '-', '--data', job.dataFolder);
    const exporting = async (): Promise<void> => {
      await pause(HEAD_START_MS);
      while (!isOver) {
        const run = await context.drain.run(command);
        exportSeconds.push(run.wallSeconds);
        bytes += run.bytes;
      }
    };
    const all = Promise.all(Array.from({ length: EXPORTS }, exporting));
    const sent = await pair.send({ size, rate, seconds: SECONDS });
    isOver = true;
    await all;
    await pause(1000);
    const [listed] = execFileSync(context.options.spillway, ['jobs', '--json', '--data', job.dataFolder], { encoding: 'utf8' }).split('\n');
    const { packets, lost } = statusOf(JSON.parse(listed!) as { capture: ListedJob });
    return {
      exportSeconds,
      goal: { text: 'no loss', reached: lost === 0 && packets === sent.packets },
      note: `${packets} of ${sent.packets} packets at ${Math.round(sent.rate)}/s, ${lost} lost; ${exportSeconds.length} exports of ${(bytes / 1e9).toFixed(1)} GB in all`,
    };
  } finally {
    await job.end();
  }
}

function statusOf({ capture: { interfaces } }: { capture: ListedJob }): { packets: number; lost: number } {
  const { packets, lost } = interfaces[0]!;
  return { packets, lost: lost.ring + lost.queue + lost.disk };
}
