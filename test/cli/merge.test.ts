/** `spillway merge`: an export of several sources, by a name and a help text of its own. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { payload, pcapFile } from '../support/build.js';
import { readCapture } from '../support/reader.js';
import { temporaryFolder } from '../support/temporary.js';
import { expectSentence, run, seconds, spillway } from './support.js';

const folder = temporaryFolder();
const every = (step: number, offset: number): Buffer =>
  pcapFile(Array.from({ length: 20 }, (_, n) => ({ seconds: 1_700_000_000 + offset + n * step, fraction: 0, data: payload(60, offset * 100 + n) })));
const even = folder.write('even.pcap', every(2, 0));
const odd = folder.write('odd.pcap', every(2, 1));
const out = (name: string): string => join(folder.path, name);
const times = (bytes: Buffer): number[] => readCapture(bytes).packets.map(({ seconds: s }) => Number(s) - 1_700_000_000);

describe('spillway merge', () => {
  it('writes the packets of all sources in time order', async () => {
    const end = await spillway(['merge', odd, even, '-o', out('merged.pcap')]);
    expect(end).toMatchObject({ exit: 0, stderr: '' });
    expect(times(readFileSync(out('merged.pcap')))).toEqual(Array.from({ length: 40 }, (_, n) => n));
  });
  it('is export without a choice of packets', async () => {
    for (const args of [[], ['-F', 'pcapng_ns'], ['-s', '20', '--json'], ['--format', 'pcap_ns', '--snap', '30']]) {
      const [merged, exported] = [out('merge'), out('export')];
      const one = await run(['merge', odd, even, ...args, '-o', merged]);
      const other = await run(['export', odd, even, ...args, '-o', exported]);
      expect(one, args.join(' ')).toEqual(other);
      expect(one.exit).toBe(0);
      expect(readFileSync(merged).equals(readFileSync(exported))).toBe(true);
    }
  });
  it('goes to standard output, where nothing else is said', async () => {
    const { exit, stdout } = await spillway(['merge', even, odd]);
    expect(exit).toBe(0);
    expect(times(stdout)).toHaveLength(40);
  });
  it('takes one source, and the same one twice', async () => {
    expect(times((await spillway(['merge', even])).stdout)).toHaveLength(20);
    expect(times((await spillway(['merge', even, even])).stdout).slice(0, 4)).toEqual([0, 0, 2, 2]);
  });
  it('goes on behind damage, says where it is, and ends with 3', async () => {
    const cut = folder.write('cut.pcap', every(2, 1).subarray(0, -1));
    const { exit, stderr } = await run(['merge', even, cut, '-o', out('damaged.pcap')]);
    expect(exit).toBe(3);
    expect(stderr).toBe(`spillway: ${cut}: damaged at byte ${24 + 19 * 76}: the file ends inside a packet; every whole packet before it was used\n`);
    expect(times(readFileSync(out('damaged.pcap')))).toHaveLength(39);
  });
  it.each([
    ['no source', [], 'REQUEST_INVALID', /SOURCE is missing/],
    ['a filter', [even, odd, '-f', 'tcp'], 'REQUEST_INVALID', /unknown option -f/],
    ['standard input', [even, '-'], 'REQUEST_INVALID', /standard input \(-\) can not be exported together/],
    ['a missing file', [even, out('missing')], 'SOURCE_NOT_FOUND', /missing: no such file/],
    ['a format that is none', [even, odd, '-F', 'pcap'], 'REQUEST_INVALID', /pcap_us/],
    [
      'two link types in PCAP',
      [even, folder.write('raw.pcap', seconds(50, { linkType: 101 }))],
      'OUTPUT_LINK_TYPES',
      /raw\.pcap: packets of link type RAW/,
    ],
  ])('refuses %s', async (_, args, code, sentence) => {
    const { exit, stderr } = await run(['merge', ...args, '-o', out('refused.pcap')]);
    expectSentence(stderr, code);
    expect(stderr).toMatch(sentence);
    expect(exit).toBeGreaterThan(0);
    expect(() => readFileSync(out('refused.pcap'))).toThrow(/ENOENT/);
  });
  it('teaches itself', async () => {
    const { exit, stdout } = await run(['merge', '--help']);
    expect(exit).toBe(0);
    expect(stdout).toMatch(/^Usage: spillway merge SOURCE\.\.\. \[options\]\n/);
    for (const word of ['in time order', '--format', '--output', 'spillway merge east.pcap west.pcap -o both.pcap', 'export'])
      expect(stdout).toContain(word);
    expect((await run(['--help'])).stdout).toMatch(/^ {2}merge +\w/m);
  });
});
