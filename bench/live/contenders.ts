/** The programs that capture, each with 64 MiB of the kernel's memory for packets, and how many packets each has stored. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, readSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fromRoot } from '../../src/root.js';

/** Allocating the ring takes its time where memory is in pieces. */
const READY_MS = 20_000;
const SETTLE_MS = 300;
/** A block that does not fill waits that long, in the slowest of them. */
const FLUSH_MS = 1500;
const KILL_MS = 3000;
const MEBI = 1 << 20;

export interface Contender {
  name: string;
  /** `retainBytes`: what a buffer that rolls keeps. */
  command: (place: string, retainBytes: number) => string[];
  /** What it says when it captures. */
  ready: RegExp;
  /** Packets that are in what it wrote. `told`: what it said. */
  stored: (place: string, told: string) => number;
  /** What it wrote, where tcpdump can read that. */
  files: (place: string) => string[];
}

const numberIn = (text: string, form: RegExp): number => Number(form.exec(text)?.[1]);
const listed = (folder: string): string[] => readdirSync(folder).map((name) => join(folder, name));

export const SPILLWAY: Contender = {
  name: 'spillway',
  command: (place, retainBytes) => [
    fromRoot('build', 'Release', 'spillway-capture'),
    ...['--foreground', '--interface', 'vb', '--folder', join(place, 'job'), '--retain-bytes', String(retainBytes)],
  ],
  ready: /"ready":true/,
  stored: (_, told) => numberIn(told, /"packets":(\d+)/),
  files: (place) => listed(join(place, 'job', '0-vb')).filter((name) => name.endsWith('.pcapng')),
};

export const TCPDUMP: Contender = {
  name: 'tcpdump',
  command: (place) => ['tcpdump', '-i', 'vb', '-B', '65536', '-Z', 'root', '-w', join(place, 'out.pcap')],
  ready: /listening on/,
  stored: (_, told) => numberIn(told, /(\d+) packets? captured/),
  files: (place) => [join(place, 'out.pcap')],
};

export const DUMPCAP: Contender = {
  name: 'dumpcap',
  command: (place) => ['dumpcap', '-q', '-i', 'vb', '-B', '64', '-w', join(place, 'out.pcapng')],
  ready: /^File: /m,
  stored: (_, told) => numberIn(told, /Packets captured: (\d+)/),
  files: (place) => [join(place, 'out.pcapng')],
};

/** Its files are the kernel's blocks, 1 MiB each; a block's second word behind version and offset is its number of packets. */
export const STENOTYPE: Contender = {
  name: 'stenotype',
  command: (place) => {
    for (const name of ['PKT0', 'IDX0']) mkdirSync(join(place, name), { recursive: true });
    return [
      ...['stenotype', `--dir=${place}`, '--iface=vb', '--threads=1', '--blocks=64', '--aiops=32', '--preallocate_file_mb=256'],
      ...['--blockage_sec=1', '--no_watchdogs', '--seccomp=none', '--uid=root', '--gid=root', '-v'],
    ];
  },
  ready: /starting to process packets/,
  stored: (place) => listed(join(place, 'PKT0')).reduce((sum, path) => sum + packetsInBlocks(path), 0),
  files: () => [],
};

function packetsInBlocks(path: string): number {
  const fd = openSync(path, 'r');
  const head = Buffer.alloc(16);
  let packets = 0;
  for (let at = 0; readSync(fd, head, 0, head.length, at) === head.length; at += MEBI) packets += head.readUInt32LE(12);
  closeSync(fd);
  return packets;
}

export const isThere = ({ command }: Contender): boolean =>
  command === SPILLWAY.command || spawnSync('which', [command === STENOTYPE.command ? 'stenotype' : command('', 0)[0]!]).status === 0;

/** One that captures. */
export class Running {
  readonly #contender: Contender;
  readonly #place: string;
  readonly #child: ChildProcess;
  #told = '';

  private constructor(contender: Contender, place: string, command: string[]) {
    this.#contender = contender;
    this.#place = place;
    this.#child = spawn(command[0]!, command.slice(1), { stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [this.#child.stdout!, this.#child.stderr!]) stream.setEncoding('utf8').on('data', (text: string) => (this.#told += text));
  }

  /** `inside`: makes a command one that sees the interfaces. `place` is this contender's own, and kept from run to run. */
  static async start(contender: Contender, place: string, retainBytes: number, inside: (command: string[]) => string[]): Promise<Running> {
    mkdirSync(place, { recursive: true });
    const running = new Running(contender, place, inside(contender.command(place, retainBytes)));
    for (const end = Date.now() + READY_MS; !contender.ready.test(running.#told); await pause(20))
      if (running.#child.exitCode !== null || Date.now() > end) throw new Error(`${contender.name} does not capture: ${running.#told}`);
    await pause(SETTLE_MS);
    return running;
  }

  /** User and system seconds so far. `ip netns exec` becomes the program. */
  cpuSeconds(): number {
    const text = readFileSync(`/proc/${this.#child.pid}/stat`, 'utf8');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) / 100;
  }

  /** Lets everything that came be written. */
  async flush(): Promise<void> {
    await pause(FLUSH_MS);
  }

  /** Ends it; resolves with the packets that it stored. */
  async end(): Promise<number> {
    const ended = new Promise((resolve) => this.#child.once('close', resolve));
    this.#child.kill('SIGINT');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), KILL_MS);
    await ended;
    clearTimeout(timer);
    const stored = this.#contender.stored(this.#place, this.#told);
    if (Number.isNaN(stored)) throw new Error(`${this.#contender.name} does not say what it stored: ${this.#told}`);
    if (this.#contender === STENOTYPE) rmSync(join(this.#place, 'PKT0'), { recursive: true });
    return stored;
  }
}

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
