/** `filter --explain`: who answers, how much that is, what indexes are asked; over files and over a job's buffer. */
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { Jobs, KEEP_ALL } from '../../src/buffer/jobs.js';
import { pcap, udpFrame } from '../api/captures.js';
import { FakeBuffer } from '../support/buffer.js';
import { temporaryFolder } from '../support/temporary.js';
import { run } from './support.js';

const S = 1_000_000_000n;
const folder = temporaryFolder();
const frames = [53, 53, 443].map((port, i) => ({ ns: BigInt(i) * S, bytes: udpFrame(1000 + i, port) }));
const path = folder.write('x.pcap', pcap(frames));

it.each<[args: string[], lines: (string | RegExp)[]]>([
  [['udp port 53'], ['answer   by a program', 'packets  2', /^needs {4}.*port 53/, 'program  for EN10MB', /^\(000\) ldh/]],
  [
    ['--steel', 'udp.port == 443'],
    ['answer   by a program', 'packets  1', /^needs {4}.*port 443/],
  ],
  [
    ['-Y', 'udp.port == 53'],
    [/^answer {3}by a program, where .*; else tshark/, 'packets  about 2; at least 0, at most 3', /^needs {4}.*port 53/],
  ],
  [
    ['-Y', 'frame.len > 10'],
    [/^answer {3}by a program, where /, 'needs    nothing that an index knows', /^\(000\) ld {7}#pktlen/],
  ],
])('%j over a file', async (args, lines) => {
  const { exit, stdout, stderr } = await run(['filter', '--explain', path, ...args]);
  expect([exit, stderr]).toEqual([0, '']);
  const told = stdout.split('\n');
  for (const line of lines) expect(told).toContainEqual(typeof line === 'string' ? line : expect.stringMatching(line));
});

it('over a job: blocks that are read, and blocks that are skipped', async () => {
  const data = join(folder.path, 'data');
  const job = await new Jobs(data).put('uplink', { ...KEEP_ALL, interfaces: ['va'] });
  const buffer = new FakeBuffer(join(job.folder, '0-va'));
  for (const { ns, bytes } of frames) {
    buffer.store([{ ticks: ns, data: bytes }]);
    buffer.seal();
  }
  const { exit, stdout, stderr } = await run(['filter', '--explain', 'jobs/uplink', '--data', data, 'udp port 443']);
  expect([exit, stderr]).toEqual([0, '']);
  expect(stdout).toMatch(/^packets {2}.*at most 1$/m);
  expect(stdout).toMatch(/^blocks {3}1 to read, 2 skipped$/m);
});

it.each<[args: string[], exit: number, code: string]>([
  [['--explain', join(folder.path, 'none.pcap'), 'udp'], 2, 'SOURCE_NOT_FOUND'],
  [['--explain', path, 'udp prot 53'], 1, 'FILTER_INVALID'],
  [['--explain', path, '-Y', '(udp'], 1, 'FILTER_INVALID'],
  [['--explain', path, '--steel', 'app.id == 1'], 1, 'FILTER_INVALID'],
  [['--explain', '', 'udp'], 1, 'REQUEST_INVALID'],
  [['--explain'], 1, 'REQUEST_INVALID'],
])('%j is refused', async (args, exit, code) => {
  const outcome = await run(['filter', ...args]);
  expect(outcome.stderr).toContain(`[${code}]`);
  expect(outcome.exit).toBe(exit);
  expect(outcome.stdout).toBe('');
});
