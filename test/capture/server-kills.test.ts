/**
 * The capture does not notice what becomes of the probe: kill -9 of the server again and again, of whoever started the
 * capture, too, and not one packet is lost. `npm run crash -- --minutes N` takes N minutes for it.
 */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chownSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Jobs } from '../../src/buffer/jobs.js';
import { fromRoot } from '../../src/root.js';
import { requireOrSkip } from '../setup/require.js';
import { canCapture, freshFolder, Network, pause, until } from './live.js';
import { lossesOf, sealedNames, sealedPackets, upTo } from './segments.js';
import { Frames, Sending } from './sending.js';

const SPILLWAY = fromRoot('bin', 'spillway');
const SECONDS = 60 * Number(process.env['SPILLWAY_CRASH_MINUTES'] ?? 0) || 10;
const FRAME_BYTES = 200;
const PACKETS_PER_SECOND = 10_000;
const SNAP_BYTES = 64;
const NOBODY = 65534;
const PCAP_HEADER = 24;
const PCAP_RECORD = 16;
/** Of the frame's number, in the frame. */
const NUMBER_AT = 42;
const EXPORTS = '/api/npm.packet_export/1.3';

interface Listed {
  capture: { pid: number; interfaces: { packets: number }[] } | null;
}
const jobs = (data: string): Listed => JSON.parse(execFileSync(SPILLWAY, ['jobs', '--json', '--data', data], { encoding: 'utf8' })) as Listed;

/** Starts `spillway` with these words; resolves when it has said `word`, with all that it said until then. */
async function starting(command: string, args: string[], word: string): Promise<{ child: ChildProcess; said: string }> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (said += text));
  await until(() => {
    if (child.exitCode !== null) throw new Error(said);
    return said.includes(word);
  }, 20_000);
  return { child, said };
}

async function killed(child: ChildProcess): Promise<void> {
  const exit = once(child, 'exit');
  child.kill('SIGKILL');
  await exit;
}

/** Asks for the job's packets, and gives the response; the body is still to come. */
async function exporting(address: string): Promise<Response> {
  const config = { path: 'jobs/load', output_format: 'PCAP_NS', snap_length: SNAP_BYTES };
  const headers = { 'content-type': 'application/json' };
  const made = await fetch(`${address}${EXPORTS}/exports`, { method: 'POST', headers, body: JSON.stringify({ config }) });
  const { id, error_text } = (await made.json()) as { id: string; error_text?: string };
  expect(made.status, error_text).toBe(201);
  return fetch(`${address}${EXPORTS}/packets/items/${id}`);
}

/** How many packets the job gives, all from the first on, in order, whole. */
async function exported(address: string): Promise<number> {
  const response = await exporting(address);
  expect(response.status).toBe(200);
  const file = Buffer.from(await response.arrayBuffer());
  let count = 0;
  for (let at = PCAP_HEADER; at < file.length; at += PCAP_RECORD + file.readUInt32LE(at + 8), count++)
    if (file.readUInt32LE(at + PCAP_RECORD + NUMBER_AT) !== count) throw new Error(`packet ${count} is not where it should be`);
  expect(file.length).toBe(PCAP_HEADER + count * (PCAP_RECORD + SNAP_BYTES));
  return count;
}

describe.runIf(requireOrSkip('root and network namespaces', canCapture()))('a probe that is killed again and again', () => {
  it(`for ${SECONDS} s costs the capture nothing, and each time exports all there is`, { timeout: (SECONDS + 120) * 1000 }, async () => {
    const network = new Network();
    const data = freshFolder();
    // The probe serves as another user than root, and that user's capture is the one that it finds.
    chownSync(data, NOBODY, NOBODY);
    const command = ['netns', 'exec', network.name, SPILLWAY, 'capture', '-i', 'va', '--job', 'load', '--data', data];
    const starter = await starting('ip', command, 'capturing on va');
    const pid = jobs(data).capture?.pid ?? 0;
    onTestFinished(() => {
      if (jobs(data).capture?.pid === pid) process.kill(pid, 'SIGKILL');
    });
    const sending = new Sending(network, { size: FRAME_BYTES, rate: PACKETS_PER_SECOND, count: PACKETS_PER_SECOND * SECONDS });
    await killed(starter.child);

    let most = 0;
    let kills = 0;
    for (const end = Date.now() + SECONDS * 1000; Date.now() < end; kills++) {
      const { child, said } = await starting(SPILLWAY, ['serve', '--port', '0', '--data', data], '\n\nB=');
      const address = /http:\/\/\S+:\d+/.exec(said)![0];
      await until(() => (jobs(data).capture?.interfaces[0]?.packets ?? 0) > 0);
      const packets = await exported(address);
      expect(packets).toBeGreaterThanOrEqual(most);
      most = packets;
      // And in the middle of another one.
      const cut = exporting(address)
        .then((response) => response.arrayBuffer())
        .catch(() => undefined);
      await pause(30 * Math.random());
      await killed(child);
      await cut;
    }
    // Each export is of all there is, and takes longer.
    expect(kills).toBeGreaterThan(Math.min(SECONDS / 10, 20));
    expect(most).toBeGreaterThan((PACKETS_PER_SECOND * SECONDS) / 2);

    const sent = await sending.sent;
    expect(sent).toBe(PACKETS_PER_SECOND * SECONDS);
    await until(() => jobs(data).capture?.interfaces[0]?.packets === sent);
    expect(jobs(data).capture?.pid).toBe(pid);
    execFileSync(SPILLWAY, ['jobs', 'stop', 'load', '--data', data]);
    const own = join((await new Jobs(data).get('load')).folder, '0-va');
    expect(lossesOf(own)).toEqual([]);
    expect(sealedNames(own).length).toBeGreaterThan(0);
    const frames = new Frames(FRAME_BYTES);
    expect(sealedPackets(own).map((packet) => frames.read(packet))).toEqual(upTo(0, sent));
  });
});
