/** Two virtual interfaces in a network namespace of their own, and a sender of numbered frames at a steady rate. Needs root. */
import { execFile, execFileSync, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface Sent {
  packets: number;
  /** As it was reached, a second. */
  rate: number;
}

export class Pair {
  readonly #name = `spw-bench-${process.pid}`;
  readonly #sender: string;

  /** `place`: where the sender is compiled to. */
  constructor(place: string) {
    this.#sender = join(place, 'send');
    execFileSync('g++', ['-std=c++20', '-O2', '-o', this.#sender, join(import.meta.dirname, '..', 'native', 'send.cc')]);
    execFileSync('ip', ['netns', 'add', this.#name]);
    execFileSync('ip', ['-n', this.#name, 'link', 'add', 'name', 'va', 'type', 'veth', 'peer', 'name', 'vb']);
    for (const name of ['va', 'vb']) {
      // Nothing but the sender's frames.
      execFileSync('ip', ['netns', 'exec', this.#name, 'sysctl', '-qw', `net.ipv6.conf.${name}.disable_ipv6=1`]);
      execFileSync('ip', ['-n', this.#name, 'link', 'set', name, 'up']);
    }
  }

  /** A command that sees the pair: frames are sent on `va` and come out of `vb`. */
  inside(command: readonly string[]): string[] {
    return ['ip', 'netns', 'exec', this.#name, ...command];
  }

  /** The sender goes before everything else: what it is asked for is what comes. */
  async send({ size, rate, seconds, vlan }: { size: number; rate: number; seconds: number; vlan?: number }): Promise<Sent> {
    const flags = { interface: 'va', size, rate, seconds, count: Math.ceil(rate * seconds), ...(vlan !== undefined && { vlan }) };
    const words = Object.entries(flags).flatMap(([name, value]) => [`--${name}`, String(value)]);
    const [program, ...rest] = this.inside(['nice', '-n', '-20', this.#sender, ...words]);
    const { stdout } = await run(program!, rest);
    const told = JSON.parse(stdout) as { sent: number; packets_per_second: number };
    return { packets: told.sent, rate: told.packets_per_second };
  }

  remove(): void {
    spawnSync('ip', ['netns', 'del', this.#name]);
  }
}
