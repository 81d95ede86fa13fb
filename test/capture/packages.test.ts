/** Diagnostic packages beside a capture that goes on: it loses nothing. `npm run crash` makes more of them. */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { chownSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Jobs } from '../../src/buffer/jobs.js';
import { fromRoot } from '../../src/root.js';
import { requireOrSkip } from '../setup/require.js';
import { canCapture, freshFolder, Network, pause, until } from './live.js';
import { lossesOf } from './segments.js';
import { Sending } from './sending.js';

const SPILLWAY = fromRoot('bin', 'spillway');
const PACKAGES = Number(process.env['SPILLWAY_CRASH_MINUTES'] ?? 0) > 0 ? 20 : 3;
const FRAME_BYTES = 500;
const PACKETS_PER_SECOND = 20_000;
const NOBODY = 65534;
const RPC = '/cgi-bin/rpc.cgi';
const ALL = { configuration: true, event_logs: true, statistics: true, status: true, system_log: true, user_credentials: false };

interface Listed {
  capture: { pid: number; interfaces: { packets: number; received: number; lost: Record<string, number> }[] } | null;
}
const jobs = (data: string): Listed => JSON.parse(execFileSync(SPILLWAY, ['jobs', '--json', '--data', data], { encoding: 'utf8' })) as Listed;

/** Starts a command; resolves with all that it said until it has said `word`. */
async function starting(command: string, args: string[], word: string): Promise<string> {
  const child: ChildProcess = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = new Promise((resolve) => child.once('close', resolve));
  // Its folder goes next: nobody may write there any more.
  onTestFinished(async () => {
    child.kill('SIGTERM');
    await ended;
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream!.setEncoding('utf8').on('data', (text: string) => (said += text));
  await until(() => {
    if (child.exitCode !== null) throw new Error(said);
    return said.includes(word);
  }, 20_000);
  return said;
}

/** Makes a package, and leaves it where it is. */
async function makePackage(address: string): Promise<void> {
  const call = async (method: string, params: object): Promise<Record<string, unknown>> => {
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(`${address}${RPC}`, { method: 'POST', headers, body: JSON.stringify({ method, params }) });
    const { result, error } = (await response.json()) as { result?: Record<string, unknown>; error?: unknown };
    expect(error).toBeUndefined();
    return result!;
  };
  const { process_id } = await call('diagnostic_package_start', { verbosity: 'base', ...ALL });
  let told: Record<string, unknown>;
  do {
    await pause(10);
    told = await call('diagnostic_package_status_get', { process_id });
  } while (told['return_code'] === undefined);
  expect(told['return_code']).toBe('success');
}

describe.runIf(requireOrSkip('root and network namespaces', canCapture()))('a capture', () => {
  it(`loses nothing while ${PACKAGES} packages are made`, { timeout: 60_000 + PACKAGES * 10_000 }, async () => {
    const network = new Network();
    const data = freshFolder();
    // The probe serves as another user than root, and that user's capture is the one that it finds.
    chownSync(data, NOBODY, NOBODY);
    const flags = ['--retain-bytes', '2GB', '--job', 'load', '--data', data];
    await starting('ip', ['netns', 'exec', network.name, SPILLWAY, 'capture', '-i', 'va', ...flags], 'capturing on va');
    const [address] = /http:\/\/\S+:\d+/.exec(await starting(SPILLWAY, ['serve', '--port', '0', '--data', data], '\n\nB='))!;

    const packets = (): number => jobs(data).capture?.interfaces[0]?.packets ?? 0;
    const sending = new Sending(network, { size: FRAME_BYTES, rate: PACKETS_PER_SECOND, count: Number.MAX_SAFE_INTEGER });
    await until(() => packets() > 0);
    const before = packets();
    for (let n = 0; n < PACKAGES; n++) await makePackage(address);
    const after = packets();
    await sending.stop();
    // It went on all the while.
    expect(after - before).toBeGreaterThan(PACKAGES * 1000);
    const counts = (): NonNullable<Listed['capture']>['interfaces'][number] => jobs(data).capture!.interfaces[0]!;
    // What was received is stored a moment later.
    await until(() => {
      const { received, packets: stored } = counts();
      return received === stored;
    });
    expect(counts().lost).toEqual({ ring: 0, queue: 0, disk: 0 });
    execFileSync(SPILLWAY, ['jobs', 'stop', 'load', '--data', data]);
    expect(lossesOf(join((await new Jobs(data).get('load')).folder, '0-va'))).toEqual([]);
    console.log(`${PACKAGES} packages, ${after - before} packets meanwhile, none lost`);
  });
});
