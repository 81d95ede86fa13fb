/** What the numbers were measured on and with. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import { TRAFFIC_REVISION } from './traffic/profile.js';

export interface Machine {
  cpu: string;
  cores: number;
  memoryBytes: number;
  kernel: string;
  system: string;
}

export function machine(): Machine {
  const [first] = cpus();
  return { cpu: first?.model.trim() ?? 'unknown', cores: cpus().length, memoryBytes: totalmem(), kernel: release(), system: systemName() };
}

function systemName(): string {
  try {
    return /^PRETTY_NAME="?(.*?)"?$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? 'unknown';
  } catch {
    return 'unknown';
  }
}

const TOOLS = ['tcpdump', 'editcap', 'capinfos', 'curl'];

/** The version each tool gives of itself; a tool that is not there is left out. */
export function versions(spillway: string): Record<string, string> {
  const found: Record<string, string> = { spillway: versionOf(spillway) ?? 'unknown', node: process.version.slice(1) };
  for (const name of TOOLS) {
    const version = versionOf(name);
    if (version !== null) found[name] = version;
  }
  const libpcap = versionOf('tcpdump', /^libpcap version (\S+)/m);
  if (libpcap !== null) found['libpcap'] = libpcap;
  for (const name of ['pcap-parser', 'cap']) {
    const file = new URL(`../node_modules/${name}/package.json`, import.meta.url);
    found[name] = (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
  }
  return { ...found, 'traffic revision': String(TRAFFIC_REVISION) };
}

function versionOf(command: string, form = /\b(\d+\.\d+[\w.+-]*)/): string | null {
  const { error, stdout, stderr } = spawnSync(command, ['--version'], { encoding: 'utf8' });
  if (error !== undefined) return null;
  return form.exec(`${stdout}${stderr}`)?.[1] ?? null;
}
