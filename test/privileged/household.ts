/** Servers below a root parent, as `npm start` and `spillway serve` start them. Needs root. */
import { spawn, type ChildProcess } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach } from 'vitest';
import { fromRoot } from '../../src/root.js';
import { hasProgram, requireOrSkip } from '../setup/require.js';

export const SPILLWAY = fromRoot('bin', 'spillway');
export const NOBODY = 65534;

export const isRoot = requireOrSkip('root and setpriv', process.getuid?.() === 0 && hasProgram('setpriv'));

const folders: string[] = [];

/** A fresh folder with this mode; it goes with the suite. */
export function folderOf(mode: 0o700 | 0o755): string {
  const path = mkdtempSync(join(tmpdir(), 'spillway-root-'));
  folders.push(path);
  chmodSync(path, mode);
  return path;
}

export interface Household {
  /** The root process. */
  parent: ChildProcess;
  /** The server's process. */
  pid: number;
  /** What it printed. */
  text: string;
  address: string;
  /** How the parent ended. */
  ended: Promise<{ code: number | null; signal: NodeJS.Signals | null; stderr: string }>;
}

const parents: ChildProcess[] = [];

/** Starts a program that becomes the parent of a server, and waits until that serves. */
export async function startHousehold(command: readonly [string, ...string[]], cwd?: string): Promise<Household> {
  const parent = spawn(command[0], command.slice(1), { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  parents.push(parent);
  let stderr = '';
  parent.stderr.setEncoding('utf8').on('data', (more: string) => (stderr += more));
  const ended: Household['ended'] = new Promise((resolve) => parent.once('close', (code, signal) => resolve({ code, signal, stderr })));
  let text = '';
  for await (const more of parent.stdout.iterator({ destroyOnReturn: false })) {
    text += String(more);
    if (/http:\S+:\d+/.test(text) && text.endsWith('\n')) break;
  }
  const address = /http:\/\/[\d.]+:\d+/.exec(text)?.[0];
  if (address === undefined) throw new Error(`it does not serve: ${text}${(await ended).stderr}`);
  return { parent, pid: descendantOf(parent.pid!), text, address, ended };
}

export const serve = (...args: string[]): Promise<Household> => startHousehold([SPILLWAY, 'serve', '--port', '0', ...args]);

/** Fields of /proc/PID/status. */
export function statusOf(pid: number): Record<string, string> {
  const lines = readFileSync(`/proc/${pid}/status`, 'utf8').trimEnd().split('\n');
  return Object.fromEntries(lines.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()]));
}

export const isAlive = (pid: number): boolean => existsSync(`/proc/${pid}`) && !statusOf(pid)['State']!.startsWith('Z');

/** The last in the line: its child's child's child. */
function descendantOf(pid: number): number {
  const [child] = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean);
  return child === undefined ? pid : descendantOf(Number(child));
}

/** Whether the process has the socket that listens on the port of 127.0.0.1. */
export function listens(pid: number, port: number): boolean {
  const place = `0100007F:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const rows = readFileSync(`/proc/${pid}/net/tcp`, 'utf8')
    .split('\n')
    .map((line) => line.trim().split(/\s+/));
  const inode = rows.find((fields) => fields[1] === place && fields[3] === '0A')?.[9];
  const open = readdirSync(`/proc/${pid}/fd`).map((fd) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${fd}`);
    } catch {
      return ''; // closed meanwhile
    }
  });
  return inode !== undefined && open.includes(`socket:[${inode}]`);
}

/** Makes a filtered export of the sample and fetches its packets: all of a probe's programs take part. */
export async function exportSample(address: string): Promise<Buffer> {
  const base = `${address}/api/npm.packet_export/1.3`;
  const config = { path: 'fs/admin/sample.pcap', filters: { items: [{ id: 'web', type: 'BPF', value: 'tcp port 443' }] } };
  const made = await fetch(`${base}/exports`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ config }) });
  const { id } = (await made.json()) as { id: string };
  return Buffer.from(await (await fetch(`${base}/packets/items/${id}`)).arrayBuffer());
}

afterEach(() => {
  for (const parent of parents.splice(0)) if (parent.exitCode === null) parent.kill('SIGKILL');
});
afterAll(() => {
  for (const path of folders) rmSync(path, { recursive: true, force: true });
});
