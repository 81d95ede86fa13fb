/** Display filters on the command line: `export -Y`, `--context` and `filter -Y`. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { fakes, running } from '../dissect/fake.js';
import { hasProgram, requireOrSkip } from '../setup/require.js';
import { readCapture } from '../support/reader.js';
import { temporaryFolder } from '../support/temporary.js';
import { ended, expectSentence, run, seconds, spillway, start } from './support.js';

const folder = temporaryFolder();
const script = fakes();
const ten = folder.write('ten.pcap', seconds(10));
const out = join(folder.path, 'out.pcap');
const times = (): number[] => readCapture(readFileSync(out)).packets.map(({ timeNs }) => Number(timeNs! / 1_000_000_000n) - 1_700_000_000);

afterEach(() => delete process.env['SPILLWAY_TSHARK']);

describe.runIf(requireOrSkip('tshark', hasProgram('tshark')))('a display filter', () => {
  it('lets packets through, all of several', async () => {
    expect(await run(['export', ten, '-Y', 'frame.number > 3', '-Y', 'frame.number < 6', '-o', out])).toMatchObject({ exit: 0, stderr: '' });
    expect(times()).toEqual([3, 4]);
  });

  it('counts from the start of the range, or of the context before it', async () => {
    const range = ['--from', '1700000005', '--to', '1700000009', '-Y', 'frame.number <= 3', '-o', out];
    expect((await run(['export', ten, ...range])).exit).toBe(0);
    expect(times()).toEqual([5, 6, 7]);
    expect((await run(['export', ten, ...range, '--context', '2'])).exit).toBe(0);
    expect(times()).toEqual([5]);
    expect((await run(['export', ten, '--interval', '1700000005..1700000006', '-Y', 'frame.number <= 6', '-o', out])).exit).toBe(0);
    expect(times()).toEqual([5]);
  });

  it('is estimated as anything from none', async () => {
    const { exit, stdout } = await run(['export', ten, '-Y', 'frame.number == 1', '--dry-run', '--json']);
    expect(exit).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ packets: { low: 0, high: 10 }, bytes: { low: 24 } });
  });

  it('that has no program is checked by tshark', async () => {
    expect(await run(['filter', '-Y', 'http.request.method', '==', '"GET"'])).toMatchObject({
      exit: 0,
      stdout: expect.stringMatching(/^answered by tshark 4\./),
      stderr: '',
    });
    const { exit, stdout, stderr } = await run(['filter', '-Y', 'tcp.prt == 80']);
    expect({ exit, stdout }).toEqual({ exit: 1, stdout: '' });
    expectSentence(stderr, 'FILTER_INVALID');
  });

  it('does not read a pipe', async () => {
    const { exit, stderr } = await spillway(['export', '-', '-Y', 'ip'], seconds(3));
    expect(exit).toBe(1);
    expectSentence(stderr, 'SOURCE_UNSUPPORTED');
  });

  it.each([
    ['FILTER_INVALID', ['-Y', '']],
    ['FILTER_INVALID', ['-Y', '-r']],
    ['FILTER_INVALID', ['-Y', '$(touch x)']],
    ['REQUEST_INVALID', ['-Y', 'ip', '--context', '86401']],
    ['REQUEST_INVALID', ['-Y', 'ip', '--context', '-1']],
  ])('is refused with %s: %j', async (code, args) => {
    const { exit, stderr } = await run(['export', ten, ...args, '-o', out]);
    expect(exit).toBe(1);
    expectSentence(stderr, code);
  });
});

it('a command that is killed leaves no tshark behind', async () => {
  script('exec sleep 1002');
  const command = start(['export', ten, '-Y', 'http', '-o', out]);
  await expect.poll(() => running('sleep\x001002'), { timeout: 10_000 }).toHaveLength(1);
  command.kill('SIGKILL');
  await ended(command);
  await expect.poll(() => running('sleep\x001002'), { timeout: 5000 }).toEqual([]);
});

describe('without tshark', () => {
  it('a filter that has a program shows it, and is answered', async () => {
    process.env['SPILLWAY_TSHARK'] = '/nonexistent/tshark';
    const { exit, stdout } = await run(['filter', '-Y', 'frame.len > 1']);
    expect(exit).toBe(0);
    expect(stdout).toMatch(/^\(000\) ld {7}#pktlen$/m);
    expect((await run(['export', ten, '-Y', 'frame.len > 1', '-o', out])).exit).toBe(0);
    expect(times()).toHaveLength(10);
  });

  it('a sentence says what to install', async () => {
    process.env['SPILLWAY_TSHARK'] = '/nonexistent/tshark';
    for (const args of [
      ['export', ten, '-Y', 'dns', '-o', out],
      ['filter', '-Y', 'dns'],
    ]) {
      const { exit, stderr } = await run(args);
      expect(exit).toBe(2);
      expectSentence(stderr, 'DISSECTOR_MISSING');
    }
  });
});
