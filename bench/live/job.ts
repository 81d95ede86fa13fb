/** A job that is captured by the command line, as a user starts it. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Context } from '../context.js';
import type { Pair } from './pair.js';

export class CapturedJob {
  private constructor(
    readonly dataFolder: string,
    private readonly child: ChildProcess,
  ) {}

  static async start(context: Context, pair: Pair, place: string): Promise<CapturedJob> {
    const dataFolder = join(place, 'data');
    const command = pair.inside(context.spillway('capture', '-i', 'vb', '--job', 'bench', '--data', dataFolder));
    const child = spawn(command[0]!, command.slice(1), { stdio: ['ignore', 'ignore', 'pipe'] });
    let told = '';
    await new Promise<void>((resolve, reject) => {
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        told += text;
        if (told.includes('capturing on')) resolve();
      });
      child.once('close', () => reject(new Error(`the capture ended: ${told}`)));
    });
    return new CapturedJob(dataFolder, child);
  }

  async end(): Promise<void> {
    const ended = once(this.child, 'close');
    this.child.kill('SIGTERM');
    await ended;
    rmSync(this.dataFolder, { recursive: true });
  }
}
