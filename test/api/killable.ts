/** A server as its users start it, that can be killed: `bin/spillway serve`, below root as a user of its own. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { lstatSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { fromRoot } from '../../src/root.js';

const isRoot = process.getuid?.() === 0;
/** Nobody else's, so that its files are told from those of others. */
const UID = 3_999_000_000 + process.pid;

const servers = new Set<KillableServer>();
afterAll(() => {
  for (const server of servers) server.signal('SIGKILL');
});

export class KillableServer {
  /** What it said on both streams. */
  said = '';

  private constructor(
    private readonly child: ChildProcess,
    private readonly ended: Promise<unknown>,
  ) {}

  /** Resolves when it listens. `tmp`: its folder for temporary files, where it is not root who starts it. */
  static async start(data: string, tmp: string): Promise<KillableServer> {
    mkdirSync(tmp, { recursive: true });
    const user = isRoot ? ['--user', `${UID}:${UID}`] : [];
    const args = [fromRoot('bin', 'spillway'), 'serve', '--port', '0', '--log-level', 'debug', '--data', data, ...user];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, TMPDIR: tmp } });
    const server = new KillableServer(child, once(child, 'close'));
    servers.add(server);
    await new Promise<void>((resolve, reject) => {
      const hear = (text: string): void => {
        server.said += text;
        if (/http:\/\/\S+:\d+[^]*\n/.test(server.said)) resolve();
      };
      for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', hear);
      child.once('close', (code) => reject(new Error(`the server ended with ${code}: ${server.said}`)));
    });
    return server;
  }

  get port(): number {
    return Number(/http:\/\/\S+?:(\d+)/.exec(this.said)![1]);
  }

  /** To the process that serves, not to the one above it. */
  signal(name: NodeJS.Signals): void {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    process.kill(isRoot ? servingBelow(this.child.pid!) : this.child.pid!, name);
  }

  /** Resolves when it is gone. */
  async kill(name: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    this.signal(name);
    await this.ended;
    servers.delete(this);
  }
}

/** Root passes no TMPDIR on: its server's temporary files are those of its user. */
export function temporaryFiles(tmp: string): string[] {
  if (!isRoot) return readdirSync(tmp);
  return readdirSync('/tmp').filter((name) => lstatSync(join('/tmp', name), { throwIfNoEntry: false })?.uid === UID);
}

function servingBelow(parent: number): number {
  const child = readFileSync(`/proc/${parent}/task/${parent}/children`, 'utf8').split(' ').filter(Boolean).map(Number)[0];
  if (child === undefined) throw new Error(`nobody serves below process ${parent}`);
  return child;
}
