/**
 * Live captures: network namespaces with a pair of virtual interfaces, a sender of numbered frames, and the capture
 * executable on them. Needs root.
 */
import { execFile, execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll } from 'vitest';
import { fromRoot } from '../../src/root.js';
import { hasProgram } from '../setup/require.js';
import { compiled } from './compiled.js';

export const CAPTURE = fromRoot('build', 'Release', 'spillway-capture');
export const run = promisify(execFile);

/** Root that may make network namespaces and virtual interfaces. */
export function canCapture(): boolean {
  if (process.platform !== 'linux' || process.getuid?.() !== 0 || !hasProgram('ip')) return false;
  const name = `spw-try-${process.pid}`;
  const made = spawnSync('ip', ['netns', 'add', name]).status === 0;
  const linked = made && spawnSync('ip', ['-n', name, 'link', 'add', 'name', 'va', 'type', 'veth', 'peer', 'name', 'vb']).status === 0;
  if (made) spawnSync('ip', ['netns', 'del', name]);
  return linked;
}

export const sender = (): string => compiled('bench', 'native', 'send.cc');

let namespaces = 0;

interface LinkCounters {
  stats64: { tx: { bytes: number } };
}

/** A namespace with the interfaces `va` and `vb`, which are each other's ends; it goes with the suite. */
export class Network {
  readonly name = `spw-${process.pid}-${namespaces++}`;

  constructor() {
    execFileSync('ip', ['netns', 'add', this.name]);
    networks.push(this.name);
    this.ip('link', 'set', 'lo', 'up');
    this.addPair();
  }
  ip(...args: string[]): void {
    execFileSync('ip', ['-n', this.name, ...args]);
  }
  addPair(): void {
    this.ip('link', 'add', 'name', 'va', 'type', 'veth', 'peer', 'name', 'vb');
    // No address, no neighbour discovery: nothing but the frames of the test.
    for (const name of ['va', 'vb']) execFileSync('ip', ['netns', 'exec', this.name, 'sysctl', '-qw', `net.ipv6.conf.${name}.disable_ipv6=1`]);
    for (const name of ['va', 'vb']) this.ip('link', 'set', name, 'up');
  }
  /** What `va` has sent by now. */
  sentBytes(): number {
    const [link] = JSON.parse(execFileSync('ip', ['-n', this.name, '-s', '-j', 'link', 'show', 'va'], { encoding: 'utf8' })) as [LinkCounters];
    return link.stats64.tx.bytes;
  }
  /** Sooner than at the end of the suite. */
  remove(): void {
    execFileSync('ip', ['netns', 'del', this.name]);
  }
  /** Sends frames on `va`, and tells how many. */
  async send(options: { count: number; first?: number; size?: number; rate?: number; vlan?: number; outer?: number; on?: string }): Promise<number> {
    const { on = 'va', ...rest } = options;
    const flags = Object.entries(rest).flatMap(([name, value]) => [`--${name}`, String(value)]);
    const { stdout } = await run('ip', ['netns', 'exec', this.name, sender(), '--interface', on, ...flags]);
    return (JSON.parse(stdout) as { sent: number }).sent;
  }
}

export interface InterfaceStatus {
  name: string;
  state: string;
  packets: number;
  received: number;
  lost: { ring: number; queue: number; disk: number };
  segment_id: number;
  visible_bytes: number;
  kernel_filter: boolean;
  hardware_timestamps: boolean;
  method: string;
  link_type: number;
}
export interface Status {
  ok: boolean;
  pid: number;
  stored_bytes: number;
  segments: number;
  segments_freed: number;
  interfaces: InterfaceStatus[];
}

/** One command, one answer. */
export function command(folder: string, line: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const socket = connect(join(folder, 'control.sock'));
    let answer = '';
    socket.setEncoding('utf8').on('data', (text: string) => {
      answer += text;
      if (!answer.endsWith('\n')) return;
      socket.destroy();
      resolve(JSON.parse(answer));
    });
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('the socket was closed without an answer')));
    socket.write(`${line}\n`);
  });
}

export const status = async (folder: string): Promise<Status> => (await command(folder, 'status')) as Status;
export const interfaceStatus = async (folder: string, position = 0): Promise<InterfaceStatus> => {
  const found = (await status(folder)).interfaces[position];
  if (found === undefined) throw new Error(`no interface ${position}`);
  return found;
};

/** A capture in the foreground; what is not stopped by the test is killed when the suite ends. */
export class Capture {
  private constructor(
    readonly child: ChildProcess,
    readonly folder: string,
    /** The lines of JSON before it was ready: repairs. */
    readonly lines: Record<string, unknown>[],
    readonly stderr: () => string,
  ) {}

  static start(network: Network, folder: string, flags: string[]): Promise<Capture> {
    const args = ['netns', 'exec', network.name, CAPTURE, '--folder', folder, '--foreground', ...flags];
    const child = spawn('ip', args, { stdio: ['ignore', 'pipe', 'pipe'] });
    started.push(child);
    return new Promise((resolve, reject) => {
      let out = '';
      let err = '';
      child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
      child.once('close', (code) => reject(new Error(`the capture ended with ${code}: ${err}`)));
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        out += text;
        if (!out.includes('"ready"') || !out.endsWith('\n')) return;
        const lines = out
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line) as Record<string, unknown>);
        resolve(new Capture(child, folder, lines.slice(0, -1), () => err));
      });
    });
  }
  /** `ip netns exec` becomes the program, so this is the capture's own. */
  get pid(): number {
    return this.child.pid ?? 0;
  }
  signal(name: NodeJS.Signals): void {
    process.kill(this.pid, name);
  }
  ended(): Promise<number | null> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return Promise.resolve(this.child.exitCode);
    return new Promise((resolve) => this.child.once('close', resolve));
  }
  async stop(): Promise<number | null> {
    this.signal('SIGTERM');
    return this.ended();
  }
}

/** A fresh folder; it goes with the suite. */
export function freshFolder(): string {
  const path = mkdtempSync(join(tmpdir(), 'spillway-capture-'));
  folders.push(path);
  return path;
}

const started: ChildProcess[] = [];
const networks: string[] = [];
const folders: string[] = [];

afterAll(() => {
  for (const child of started) if (child.exitCode === null) child.kill('SIGKILL');
  for (const name of networks) spawnSync('ip', ['netns', 'del', name]);
  for (const path of folders) rmSync(path, { recursive: true, force: true });
});

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Waits until `what` gives something true; fails after `ms`. */
export async function until(what: () => boolean | Promise<boolean>, ms = 10_000): Promise<void> {
  const end = Date.now() + ms;
  while (!(await what())) {
    if (Date.now() > end) throw new Error(`it did not come to pass within ${ms} ms: ${what.toString()}`);
    await pause(10);
  }
}
