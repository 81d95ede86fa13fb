/** `spillway info` against capinfos: packets, sizes and times, both as users start them. */
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ended, spillway } from '../cli/support.js';
import { hasCorpora, hasProgram, requireOrSkip } from '../setup/require.js';
import { payload, pcapFile } from '../support/build.js';
import { corpus } from '../support/corpora.js';
import { temporaryFolder } from '../support/temporary.js';

const folder = temporaryFolder();
const ready = requireOrSkip('capinfos', hasProgram('capinfos'));
const readyWithCorpora = ready && requireOrSkip('the corpora', hasCorpora());

/** capinfos 4.0 knows no such link types, and refuses the file. */
const UNKNOWN_THERE = ['tcpdump__brcm-tag.pcap', 'tcpdump__brcm-tag-prepend.pcap'];
const captures = readyWithCorpora ? readdirSync(corpus('captures')).filter((name) => !UNKNOWN_THERE.includes(name)) : [];

interface Facts {
  packets: number;
  fileBytes: number;
  wireBytes: number;
  /** Nanoseconds; null: there are no packets. */
  duration: bigint | null;
  start: bigint | null;
  end: bigint | null;
}

/** Seconds with up to nine decimals, in nanoseconds. */
function nanoseconds(text: string): bigint {
  const match = /^(\d+)(?:\.(\d{1,9}))?$/.exec(text);
  if (!match) throw new Error(`not a number of seconds: ${text}`);
  return BigInt(match[1]!) * 1_000_000_000n + BigInt((match[2] ?? '').padEnd(9, '0'));
}

/** One line of a table: name, -c, -s, -d, -u, -a, -e, always in this order. */
async function theirs(file: string): Promise<Facts> {
  const args = ['-T', '-m', '-r', '-S', '-a', '-c', '-d', '-e', '-s', '-u', file];
  const { exit, stdout, stderr } = await ended(spawn('capinfos', args, { stdio: ['ignore', 'pipe', 'pipe'] }));
  expect(exit, stderr).toBe(0);
  const line = stdout.toString().trimEnd();
  expect(line.startsWith(`${file},`), line).toBe(true);
  const cells = line.slice(file.length + 1).split(',');
  expect(cells).toHaveLength(6);
  const [packets, fileBytes, wireBytes] = cells.map(Number);
  const [duration, start, end] = cells.slice(3).map((cell) => (cell === 'n/a' ? null : nanoseconds(cell)));
  return { packets: packets!, fileBytes: fileBytes!, wireBytes: wireBytes!, duration: duration!, start: start!, end: end! };
}

async function ours(file: string): Promise<Facts> {
  const { exit, stdout, stderr } = await spillway(['info', file, '--json']);
  expect(exit, stderr).toBe(0);
  const info = JSON.parse(stdout.toString()) as Record<string, string | number | null>;
  const time = (name: string): bigint | null => (info[name] === null ? null : nanoseconds(String(info[name])));
  return {
    packets: Number(info['packets']),
    fileBytes: Number(info['size_bytes']),
    wireBytes: Number(info['wire_bytes']),
    duration: time('duration_seconds'),
    start: time('min_time'),
    end: time('max_time'),
  };
}

describe.runIf(readyWithCorpora)('info says what capinfos says', () => {
  it.for(captures)('%s', async (name) => {
    const file = corpus('captures', name);
    const expected = await theirs(file);
    expect(expected.packets).toBeGreaterThan(0);
    expect(await ours(file)).toEqual(expected);
  });
});

describe.runIf(ready)('info says what capinfos says of files made here', () => {
  const data = payload(60);
  const made = {
    'no packets': pcapFile([]),
    'one packet': pcapFile([{ seconds: 1_700_000_000, fraction: 1, data }]),
    'times out of order': pcapFile(
      [5, 9, 2, 7].map((second) => ({ seconds: second, fraction: second, data })),
      { nanos: true, big: true },
    ),
    'packets cut short': pcapFile([1, 2].map((seconds) => ({ seconds, fraction: 999_999, data, wirelen: 1500 }))),
    // capinfos 4.0 takes the first for the last where they are 2^31 seconds or more apart.
    'times up to 2106': pcapFile([0x8000_0001, 0xffff_ffff].map((seconds) => ({ seconds, fraction: 0, data }))),
  };

  it.for(Object.entries(made))('%s', async ([name, bytes]) => {
    const file = folder.write(`${name.replaceAll(' ', '-')}.pcap`, bytes);
    expect(await ours(file)).toEqual(await theirs(file));
  });
});
