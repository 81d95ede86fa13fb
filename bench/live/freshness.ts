/** How old packets are when an export that follows the capture gives them out: what anybody who asks at any moment can have. */
import { spawn } from 'node:child_process';
import type { Context } from '../context.js';
import type { Goal } from '../row.js';
import { pause } from './contenders.js';
import { CapturedJob } from './job.js';
import type { Pair } from './pair.js';

const SIZE = 100;
const SECONDS = 10;
const LEAST_PACKETS = 20;
const SETTLE_MS = 1500;
const GOAL_SECONDS = 1;

export async function freshness(context: Context, pair: Pair, place: string, rate: number): Promise<{ seconds: number[]; goal: Goal; note: string }> {
  context.say(`freshness at ${rate} packets a second`);
  const job = await CapturedJob.start(context, pair, place);
  try {
    const [program, ...words] = context.spillway('export', 'jobs/bench', '--follow', '-F', 'pcap_ns', '-o', '-', '--data', job.dataFolder);
    const child = spawn(program!, words, { stdio: ['ignore', 'pipe', 'ignore'] });
    const seconds: number[] = [];
    let held: Buffer = Buffer.alloc(0);
    let begun = false;
    child.stdout.on('data', (piece: Buffer) => {
      const now = performance.timeOrigin + performance.now();
      held = held.length === 0 ? piece : Buffer.concat([held, piece]);
      let at = 0;
      if (!begun && held.length >= 24) [begun, at] = [true, 24];
      while (begun && at + 16 <= held.length && at + 16 + held.readUInt32LE(at + 8) <= held.length) {
        seconds.push((now - (held.readUInt32LE(at) * 1e3 + held.readUInt32LE(at + 4) / 1e6)) / 1e3);
        at += 16 + held.readUInt32LE(at + 8);
      }
      held = held.subarray(at);
    });
    const closed = new Promise((resolve) => child.once('close', resolve));
    await pause(SETTLE_MS);
    const sent = await pair.send({ size: SIZE, rate, seconds: Math.max(SECONDS, LEAST_PACKETS / rate) });
    await pause(SETTLE_MS);
    child.kill('SIGINT');
    await closed;
    const sorted = [...seconds].sort((a, b) => a - b);
    const p99 = sorted[Math.ceil(0.99 * sorted.length) - 1] ?? Infinity;
    const all = seconds.length === sent.packets ? 'all' : `${seconds.length} of`;
    return {
      seconds,
      goal: { text: `p99 ≤ ${GOAL_SECONDS} s`, reached: p99 <= GOAL_SECONDS && seconds.length === sent.packets },
      note: `p99 ${(1000 * p99).toFixed(0)} ms, ${all} ${sent.packets} packets`,
    };
  } finally {
    await job.end();
  }
}
