/** `curl -N …/packets/items/ID | tshark -r -` over a live stream shows packets as they arrive. */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BASE, TestProbe } from '../api/server.js';
import { until } from '../export/fakes.js';
import { hasProgram, requireOrSkip } from '../setup/require.js';
import { Wire, canWire } from './wire.js';

const CAPTURE = '/api/npm.packet_capture/3.0';
/** From the packet on the wire to its line. */
const LATEST_MS = 2000;

const canWatch = requireOrSkip('root and virtual interfaces', canWire()) && requireOrSkip('curl', hasProgram('curl'));

/** Both ends of a pipe, as a shell makes it: what `spawn` makes is a socket, which tshark does not read. */
function pipe(path: string): { reading: number; writing: number } {
  execFileSync('mkfifo', [path]);
  // Either end would wait for the other to be opened.
  const both = openSync(path, 'r+');
  const ends = { reading: openSync(path, 'r'), writing: openSync(path, 'w') };
  closeSync(both);
  return ends;
}

describe.runIf(canWatch && requireOrSkip('tshark', hasProgram('tshark')))('a live stream through a pipe', () => {
  let probe: TestProbe;
  let wire: Wire;
  let job: string;
  const children: ChildProcess[] = [];

  beforeAll(async () => {
    probe = await TestProbe.start();
    wire = new Wire();
    const made = await probe.json<{ id: string }>(`${CAPTURE}/jobs`, { body: { config: { name: 'tail', vifgs: [wire.number] } } });
    job = made.id;
    // What is compiled when it is first asked for is compiled now. These are history, which nobody asks for.
    await wire.send({ count: 3, size: 90 });
  });
  afterAll(async () => {
    for (const child of children) child.kill('SIGKILL');
    await probe.ask(`${CAPTURE}/jobs/items/${job}`, { method: 'DELETE' });
    await probe.stop();
  });

  it.each([
    ['jobs', 'PCAP_US'],
    ['interfaces', 'PCAPNG_NS'],
  ])('of %s/… in %s shows each packet soon', async (kind, format) => {
    const path = kind === 'jobs' ? `jobs/${job}` : `interfaces/${wire.to}`;
    const id = await probe.create({ path, mode: 'LIVE_STREAM', output_format: format });
    const state = async (): Promise<string> => (await probe.json<{ status: { state: string } }>(`${BASE}/exports/items/${id}`)).status.state;
    const { reading, writing } = pipe(join(probe.data.path, '..', id));
    const curl = spawn('curl', ['-sN', `${probe.probe.address}${BASE}/packets/items/${id}`], { stdio: ['ignore', writing, 'inherit'] });
    const tshark = spawn('tshark', ['-n', '-l', '-r', '-', '-T', 'fields', '-e', 'frame.len'], { stdio: [reading, 'pipe', 'ignore'] });
    for (const fd of [reading, writing]) closeSync(fd);
    children.push(curl, tshark);
    let lines: string[] = [];
    tshark.stdout!.setEncoding('utf8').on('data', (text: string) => (lines = [...lines, ...text.split('\n').filter((line) => line !== '')]));
    await until(async () => (await state()) === 'STREAMING');
    // Its first line says that tshark has started, which may take longer than a packet.
    await wire.send({ count: 1, size: 100 });
    for (let i = 0; i < 4 && lines.length === 0; i++) await until(() => lines.length > 0).catch(() => undefined);
    expect(lines).toEqual(['100']);
    for (const size of [101, 102, 103]) {
      const at = performance.now();
      await wire.send({ count: 1, size });
      await until(() => lines.includes(String(size)), `the packet of ${size} bytes`);
      expect(performance.now() - at).toBeLessThan(LATEST_MS);
    }
    expect(lines).toEqual(['100', '101', '102', '103']);
    expect([curl.exitCode, await state()]).toEqual([null, 'STREAMING']);
    const ended = once(curl, 'exit');
    curl.kill('SIGINT');
    await ended;
    await until(async () => (await state()) === 'DONE');
  });
});
