/** A pair of virtual interfaces of this machine, each the other's end, for captures that a probe of this process starts. */
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { afterAll } from 'vitest';
import { run, sender } from '../capture/live.js';
import { hasProgram } from '../setup/require.js';

let count = 0;
const made: string[] = [];
afterAll(() => {
  for (const name of made.splice(0)) spawnSync('ip', ['link', 'del', name]);
});

/** Root that may make interfaces beside its own. */
export function canWire(): boolean {
  if (process.platform !== 'linux' || process.getuid?.() !== 0 || !hasProgram('ip')) return false;
  const name = `spwt${process.pid}`;
  const ok = spawnSync('ip', ['link', 'add', 'name', name, 'type', 'veth', 'peer', 'name', `${name}x`]).status === 0;
  if (ok) spawnSync('ip', ['link', 'del', name]);
  return ok;
}

export class Wire {
  /** Frames are sent here. */
  readonly from: string;
  /** And come in here. */
  readonly to: string;

  constructor() {
    const name = `spw${process.pid}${'abcdefghij'[count++]}`;
    [this.from, this.to] = [`${name}s`, `${name}r`];
    execFileSync('ip', ['link', 'add', 'name', this.from, 'type', 'veth', 'peer', 'name', this.to]);
    made.push(this.from);
    for (const end of [this.from, this.to]) {
      // Nothing but the frames of the test.
      execFileSync('sysctl', ['-qw', `net.ipv6.conf.${end}.disable_ipv6=1`]);
      execFileSync('ip', ['link', 'set', end, 'up']);
    }
  }

  /** As the system numbers the receiving end, which is the number of its group. */
  get number(): number {
    return Number(readFileSync(`/sys/class/net/${this.to}/ifindex`, 'latin1'));
  }

  /** Numbered UDP frames from 10.0.0.1 to 10.0.0.2. */
  async send(options: { count: number; first?: number; size?: number; rate?: number }): Promise<number> {
    const flags = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
    const { stdout } = await run(sender(), ['--interface', this.from, ...flags]);
    return (JSON.parse(stdout) as { sent: number }).sent;
  }
}

export const SENT = { from: '10.0.0.1', to: '10.0.0.2' };
