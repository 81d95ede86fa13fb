/** Streaming an unfiltered export over HTTP to curl, against a bare Node server that writes buffers of 1 MiB. */
import { copyFileSync, linkSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Case, Context } from '../context.js';
import type { Run } from '../drain.js';
import { BenchRefusal } from '../refusal.js';
import { figures, ratioOf, type Row } from '../row.js';
import { Server } from '../server.js';
import type { TrafficFile } from '../traffic/cache.js';

const LEAST_SHARE = 0.8;
const API = '/api/npm.packet_export/1.3';
const BARE = fileURLToPath(new URL('../peers/bare-http.cjs', import.meta.url));
const NAME = 'bench.pcap';

const curl = (url: string, output: string): string[] => ['curl', '--silent', '--show-error', '--fail', '--noproxy', '*', '--output', output, url];

/** Asks for an export of the whole file; returns its id. */
async function create(address: string): Promise<string> {
  const response = await fetch(`${address}${API}/exports`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ config: { path: `fs/admin/${NAME}` } }),
  });
  const text = await response.text();
  if (response.status !== 201) throw new BenchRefusal(`POST ${API}/exports answered ${response.status}: ${text}`);
  return (JSON.parse(text) as { id: string }).id;
}

/** Downloads one export with `use`, then removes it. */
async function withExport<T>(address: string, use: (url: string) => Promise<T>): Promise<T> {
  const id = await create(address);
  const result = await use(`${address}${API}/packets/items/${id}`);
  await fetch(`${address}${API}/exports/items/${id}`, { method: 'DELETE' });
  return result;
}

/** One download, its CPU time that of the server; curl's is the same for both. */
async function download(context: Context, server: Server, url: string, bytes: number): Promise<Run> {
  const before = server.cpuSeconds();
  // curl counts what it has read: with its output on /dev/null it still copies every byte out of the socket.
  const run = await context.drain.run([...curl(url, '/dev/null'), '--write-out', '%{size_download}\\n']);
  return { ...run, bytes, cpuSeconds: server.cpuSeconds() - before };
}

/** A data folder of its own with the traffic in the place of the first owner. */
function dataFolder(context: Context, input: TrafficFile): string {
  const folder = mkdtempSync(join(context.options.dir, 'data-'));
  const place = join(folder, 'fs', 'admin');
  mkdirSync(place, { recursive: true, mode: 0o700 });
  try {
    linkSync(input.path, join(place, NAME));
  } catch {
    copyFileSync(input.path, join(place, NAME)); // a file system without hard links
  }
  return folder;
}

async function measure(context: Context, input: TrafficFile, spillway: Server, bare: Server): Promise<Row> {
  await withExport(spillway.address, (url) => context.mustAgree(curl(url, '-'), ['cat', input.path]));
  const [a, b] = await context.interleave(input, [
    () => withExport(spillway.address, (url) => download(context, spillway, url, input.bytes)),
    () => download(context, bare, bare.address, input.bytes),
  ]);
  const [own, peer] = [figures('spillway serve', a!), figures('bare Node server', b!)];
  const ratio = ratioOf(own, peer);
  return {
    case: 'rest',
    what: 'no filter → curl',
    input: input.label,
    ours: own,
    peer,
    ratio,
    goal: { text: `≥ ${LEAST_SHARE}×`, reached: ratio >= LEAST_SHARE },
    inMean: false,
    note: `${(input.bytes / 1e6 / own.wallSeconds.median).toFixed(0)} MB/s and ${(input.bytes / 1e6 / peer.wallSeconds.median).toFixed(0)} MB/s; CPU is the server's`,
  };
}

export const restCase: Case = {
  name: 'rest',
  about: 'an unfiltered export by REST to curl, and a bare Node server',
  needs: ['curl'],
  async run(context) {
    const input = context.traffic('imix', context.options.restBytes);
    context.say(`${input.label}: REST`);
    const folder = dataFolder(context, input);
    const servers: Server[] = [];
    try {
      const spillway = await Server.start(context.spillway('serve', '--port', '0', '--data', folder));
      servers.push(spillway);
      const bare = await Server.start([process.execPath, BARE, String(input.bytes)]);
      servers.push(bare);
      return [await measure(context, input, spillway, bare)];
    } finally {
      for (const server of servers) await server.stop();
      rmSync(folder, { recursive: true, force: true });
    }
  },
};
