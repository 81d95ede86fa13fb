/** A server that runs while something is measured against it. */
import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { BenchRefusal } from './refusal.js';

const START_MS = 30_000;
const STOP_MS = 5_000;
const ADDRESS = /http:\/\/(?:127\.0\.0\.1|localhost|\[::1\]):\d+/;
/** The kernel's unit of CPU time in /proc, the same on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

export class Server {
  private constructor(
    private readonly child: ChildProcess,
    readonly address: string,
  ) {}

  /** Resolves as soon as the command prints an address. */
  static async start(command: string[]): Promise<Server> {
    const child = spawn(command[0]!, command.slice(1), { stdio: ['ignore', 'pipe', 'pipe'] });
    let told = '';
    try {
      const address = await new Promise<string>((resolve, reject) => {
        const refuse = (why: string): void =>
          reject(new BenchRefusal(`${command.join(' ')} ${why}: ${told.trim().slice(-2000) || 'it said nothing'}`));
        const hear = (text: string): void => {
          told += text;
          const found = ADDRESS.exec(told)?.[0];
          if (found !== undefined) resolve(found);
        };
        child.stdout.setEncoding('utf8').on('data', hear);
        child.stderr.setEncoding('utf8').on('data', hear);
        child.on('error', (error) => refuse(error.message));
        child.on('exit', (code) => refuse(`ended with exit code ${code}`));
        setTimeout(() => refuse(`printed no address within ${START_MS / 1000} s`), START_MS).unref();
      });
      return new Server(child, address);
    } catch (error) {
      child.kill('SIGKILL');
      throw error;
    }
  }

  /** User and system time so far of all its threads, and of its children's: what root starts may serve from a process below. */
  cpuSeconds(): number {
    return cpuSecondsOf(this.child.pid!);
  }

  /** Tells the anonymous memory of the processes that there are now; a tool that the server starts later does not count. */
  anonymous(): () => number {
    const pids = treeOf(this.child.pid!);
    return () => pids.reduce((sum, pid) => sum + anonymousOf(pid), 0);
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = new Promise((resolve) => this.child.once('exit', resolve));
    this.child.kill('SIGTERM');
    const timer = setTimeout(() => this.child.kill('SIGKILL'), STOP_MS);
    await ended;
    clearTimeout(timer);
  }
}

function cpuSecondsOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The name, in parentheses, may hold anything; utime and stime are fields 14 and 15.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const own = (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
  return childrenOf(pid).reduce((sum, child) => sum + cpuSecondsOf(child), own);
}

function anonymousOf(pid: number): number {
  const told = /^RssAnon:\s*(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(told) * 1024;
}

const treeOf = (pid: number): number[] => [pid, ...childrenOf(pid).flatMap(treeOf)];
const childrenOf = (pid: number): number[] => readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
