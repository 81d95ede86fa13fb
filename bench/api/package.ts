/** One diagnostic package, as a client sees it: how long it takes, and what the server takes meanwhile. */
import { BlobReader, TextWriter, ZipReader, type FileEntry } from '@zip.js/zip.js';
import type { Manifest } from '../../src/bundle/manifest.js';
import type { Verbosity } from '../../src/bundle/collector.js';
import { BenchRefusal } from '../refusal.js';
import type { Server } from '../server.js';
import { Connection } from './http.js';

const POLL_MS = 10;
const SAMPLE_MS = 5;
const RPC = '/cgi-bin/rpc.cgi';
const ALL = { configuration: true, event_logs: true, statistics: true, status: true, system_log: true, user_credentials: false };

export interface PackageMade {
  /** From the start until its status has a return code. */
  ms: number;
  cpuSeconds: number;
  /** The most that the server's processes have had, above what they have when nothing is asked of them. */
  anonymousBytes: number;
  /** The longest that GET /health/live took meanwhile. */
  stallMs: number;
  /** Of the ZIP. */
  bytes: number;
  manifest: Manifest;
}

interface Told {
  result?: { process_id?: string; return_code?: string };
  error?: unknown;
  base64?: string;
}

/** `idleBytes`: what the server's processes have when nothing is asked of them. */
export async function makePackage(server: Server, anonymous: () => number, idleBytes: number, verbosity: Verbosity): Promise<PackageMade> {
  const [client, other] = [await Connection.open(server.address), await Connection.open(server.address)];
  const call = async (method: string, params: object): Promise<Told> => {
    const { status, body } = await client.ask('POST', RPC, { method, params });
    if (status !== 200) throw new BenchRefusal(`${method} answered ${status}: ${body.slice(0, 500)}`);
    return JSON.parse(body) as Told;
  };
  let [most, stallMs] = [0, 0];
  const sampling = setInterval(() => (most = Math.max(most, anonymous())), SAMPLE_MS);
  let isOver = false;
  const looking = (async () => {
    while (!isOver) stallMs = Math.max(stallMs, (await other.ask('GET', '/health/live')).ms);
  })();
  try {
    const [began, cpuBefore] = [performance.now(), server.cpuSeconds()];
    const { result, error } = await call('diagnostic_package_start', { ...ALL, verbosity });
    const process_id = result?.process_id;
    if (process_id === undefined) throw new BenchRefusal(`no package was begun: ${JSON.stringify(error)}`);
    let ended: Told;
    do {
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      ended = await call('diagnostic_package_status_get', { process_id });
    } while (ended.result?.return_code === undefined);
    const [ms, cpuSeconds] = [performance.now() - began, server.cpuSeconds() - cpuBefore];
    if (ended.result.return_code !== 'success') throw new BenchRefusal(`the package failed: ${JSON.stringify(ended.error)}`);
    isOver = true;
    await looking;
    clearInterval(sampling);
    const { base64 } = await call('diagnostic_package_file_get', { process_id });
    const zip = Buffer.from(base64!, 'base64');
    return { ms, cpuSeconds, anonymousBytes: most - idleBytes, stallMs, bytes: zip.length, manifest: await manifestOf(zip) };
  } finally {
    isOver = true;
    clearInterval(sampling);
    await looking;
    client.close();
    other.close();
  }
}

async function manifestOf(zip: Buffer): Promise<Manifest> {
  const reader = new ZipReader(new BlobReader(new Blob([new Uint8Array(zip)])), { useWebWorkers: false });
  const entry = (await reader.getEntries()).find(({ filename }) => filename === 'manifest.json') as FileEntry;
  return JSON.parse(await entry.getData(new TextWriter())) as Manifest;
}
