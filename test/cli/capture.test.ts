/** `spillway capture` and `jobs`: packets of a live interface, exported while it runs, by command line and by REST. */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startProbe, type Probe } from '../../src/probe.js';
import { probeConfig } from '../../src/config.js';
import { requireOrSkip } from '../setup/require.js';
import { readCapture } from '../support/reader.js';
import { temporaryFolder } from '../support/temporary.js';
import { expectSentence, run, SPILLWAY } from './support.js';

const folder = temporaryFolder();
/** Nobody else sends there. */
const PORT = 40_123;
const FILTER = `udp dst port ${PORT}`;

function spillway(...args: string[]): string {
  return execFileSync(SPILLWAY, [...args, '--data', folder.path], { encoding: 'utf8' });
}

const exported = async (...args: string[]): Promise<Buffer[]> => {
  const file = join(folder.path, 'out.pcap');
  spillway('export', ...args, '-F', 'pcap_ns', '-o', file);
  const { readFileSync } = await import('node:fs');
  return readCapture(readFileSync(file)).packets.map(({ data }) => data.subarray(42));
};

async function send(from: number, count: number): Promise<void> {
  const socket = createSocket('udp4');
  for (let i = from; i < from + count; i++) await new Promise((resolve) => socket.send(`packet ${i}`, PORT, '127.0.0.1', resolve));
  socket.close();
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const end = Date.now() + 20_000;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error('it did not come true');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const texts = (from: number, to: number): string[] => Array.from({ length: to - from }, (_, i) => `packet ${from + i}`);

describe('what can not be captured is refused', () => {
  it.each<[string[], number, string, string]>([
    [[], 1, 'REQUEST_INVALID', 'no interface is given'],
    [['-i', 'lo', '--fsync', 'now'], 1, 'REQUEST_INVALID', '"now" is not one of'],
    [['-i', 'lo', '--snap', '300000'], 1, 'REQUEST_INVALID', '--snap'],
    [['-i', 'lo', '--retain-bytes', 'much'], 1, 'REQUEST_INVALID', '--retain-bytes'],
    [['-i', 'lo', '--retain-age', '7'], 1, 'TIME_INVALID', '--retain-age'],
    [['-i', 'lo', '--job', '../x'], 1, 'REQUEST_INVALID', 'is no name of a job'],
    [['-i', 'lo', '-f', 'tcp port'], 1, 'FILTER_INVALID', ''],
  ])('%j', async (args, exit, code, sentence) => {
    const outcome = await run(['capture', ...args, '--data', folder.path]);
    expect(outcome.exit).toBe(exit);
    expectSentence(outcome.stderr, code);
    expect(outcome.stderr).toContain(sentence);
  });

  it('a job that is not there', async () => {
    for (const args of [
      ['export', 'jobs/none', '-o', join(folder.path, 'x')],
      ['jobs', 'stop', 'none'],
      ['jobs', 'delete', 'none'],
    ]) {
      const outcome = await run([...args, '--data', folder.path]);
      expect(outcome.exit).toBe(2);
      expectSentence(outcome.stderr, 'SOURCE_NOT_FOUND');
    }
    expect((await run(['jobs', 'delete', '--data', folder.path])).exit).toBe(1);
  });
});

describe.runIf(requireOrSkip('root, to capture', process.getuid?.() === 0))('a capture', () => {
  let capture: ChildProcess;
  let told = '';
  let probe: Probe | undefined;

  const start = async (...args: string[]): Promise<void> => {
    told = '';
    capture = spawn(SPILLWAY, ['capture', '-i', 'lo', '--job', 'loop', '-f', FILTER, '--data', folder.path, ...args], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    capture.stderr!.setEncoding('utf8').on('data', (text: string) => (told += text));
    await until(() => told.includes('capturing on lo'));
  };
  const stop = async (): Promise<number | null> => {
    capture.kill('SIGTERM');
    if (capture.exitCode === null && capture.signalCode === null) await once(capture, 'exit');
    return capture.exitCode;
  };

  beforeAll(() => start(), 30_000);
  afterAll(async () => {
    await stop();
    await probe?.close();
  });

  it('of an interface that is not there is refused, with one sentence', async () => {
    const outcome = await run(['capture', '-i', 'none0', '--data', folder.path]);
    expect(outcome.exit).toBe(2);
    expectSentence(outcome.stderr, 'INTERFACE_NOT_FOUND');
  });

  it('before its first packet has nothing to export', async () => {
    const outcome = await run(['export', 'jobs/loop', '-o', join(folder.path, 'x'), '--data', folder.path]);
    expect(outcome.exit).toBe(2);
    expectSentence(outcome.stderr, 'SOURCE_EMPTY');
  });

  it('is exported from while it runs, within a second', async () => {
    await send(0, 100);
    await new Promise((resolve) => setTimeout(resolve, 1000));
    expect((await exported('jobs/loop')).map(String)).toEqual(texts(0, 100));
    expect((await exported('jobs/loop', '--from', '-1m', '-c', '10')).map(String)).toEqual(texts(0, 10));
    expect(await exported('jobs/loop', '--to', '-1m')).toEqual([]);
  }, 30_000);

  it('is listed, and not started twice', async () => {
    expect(spillway('jobs')).toMatch(/^jobs\/loop {2}lo {2}filter: udp dst port 40123 .*capturing \(pid \d+\) {2}100 packets {2}0 lost/);
    expect(JSON.parse(spillway('jobs', '--json'))).toMatchObject({ name: 'loop', settings: { interfaces: ['lo'], filter: FILTER }, segments: 1 });
    const outcome = await run(['capture', '-i', 'lo', '--job', 'loop', '--data', folder.path]);
    expect(outcome.exit).toBe(2);
    expectSentence(outcome.stderr, 'CAPTURE_FOLDER_LOCKED');
  });

  it('is exported over REST', async () => {
    probe = await startProbe(probeConfig({ dataFolder: folder.path, port: 0, logLevel: 'silent' }));
    const base = `${probe.address}/api/npm.packet_export/1.3`;
    const create = (path: string): Promise<Response> =>
      fetch(`${base}/exports`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ config: { path, output_format: 'PCAP_NS' } }),
      });
    const response = await create('jobs/loop');
    expect(response.status).toBe(201);
    const { id } = (await response.json()) as { id: string };
    const packets = await fetch(`${base}/packets/items/${id}`);
    const { packets: seen } = readCapture(Buffer.from(await packets.arrayBuffer()));
    expect(seen.map(({ data }) => String(data.subarray(42)))).toEqual(texts(0, 100));
    expect((await create('jobs/none')).status).toBe(400);
  }, 30_000);

  it('that ends and starts again goes on in the same buffer', async () => {
    expect(await stop()).toBe(0);
    expect(spillway('jobs')).toContain('not captured at the moment');
    await start('--segment-bytes', '1MiB');
    await send(100, 20_000);
    await new Promise((resolve) => setTimeout(resolve, 1000));
    // Several segments, one of them under construction, and one interface in the output.
    expect((await exported('jobs/loop')).map(String)).toEqual(texts(0, 20_100));
    const file = join(folder.path, 'out.pcapng');
    spillway('export', 'jobs/loop', '-f', FILTER, '-F', 'pcapng_ns', '-o', file);
    const { readFileSync } = await import('node:fs');
    const { interfaces, packets } = readCapture(readFileSync(file));
    expect([interfaces.length, packets.length]).toEqual([1, 20_100]);
    expect(Number(/(\d+) segments/.exec(spillway('jobs'))?.[1])).toBeGreaterThan(1);
  }, 60_000);

  it('that was killed is put right by the next, which says what was done', async () => {
    const pid = Number(/capturing \(pid (\d+)\)/.exec(spillway('jobs'))?.[1]);
    process.kill(pid, 'SIGKILL');
    await until(() => capture.exitCode !== null);
    expect(capture.exitCode).toBe(2);
    await start();
    expect(told).toMatch(/repaired 0-lo\/\d{16}\.pcapng(\.part)?: [1-9]\d* packets kept/);
    expect(told).not.toContain('{');
    expect((await exported('jobs/loop')).map(String)).toEqual(texts(0, 20_100));
  }, 30_000);

  it('is ended and deleted by name', async () => {
    spillway('jobs', 'stop', 'loop');
    await until(() => capture.exitCode !== null);
    expect(capture.exitCode).toBe(0);
    spillway('jobs', 'delete', 'loop');
    expect(spillway('jobs')).toBe('');
  }, 30_000);
});
