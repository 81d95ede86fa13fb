/** editcap cuts, slices and converts; an export gives the same packets. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ExportFormat, ExportRequest } from '../../src/engine/types.js';
import { formatEpoch } from '../../src/units.js';
import { hasProgram, requireOrSkip } from '../setup/require.js';
import { request, runExport } from '../support/engine.js';
import { plain, plainFile, run, samples } from '../support/oracle.js';
import { readCapture } from '../support/reader.js';
import { temporaryFolder } from '../support/temporary.js';

const folder = temporaryFolder();
const files = samples(folder.write);

const ours = async (path: string, wish: Omit<Partial<ExportRequest>, 'sources'>): Promise<string[]> =>
  plain(readCapture((await runExport(request(path, wish))).bytes));

/** Null where editcap can not do it: it does not know some link types. */
function theirs(path: string, args: string[]): string[] | null {
  const to = join(folder.path, 'editcap.out');
  const { ok, stderr } = run('editcap', [...args, path, to]);
  if (ok) return plainFile(to);
  expect(stderr, path).toMatch(/doesn't support/);
  return null;
}

const TYPES: [type: string, format: ExportFormat][] = [
  ['pcap', 'pcap_us'],
  ['nsecpcap', 'pcap_ns'],
  ['pcapng', 'pcapng_ns'],
];

describe.runIf(requireOrSkip('editcap', hasProgram('editcap')))('editcap', () => {
  it.each(TYPES)(
    '-F %s converts as we do',
    async (type, format) => {
      let compared = 0;
      for (const [name, path] of files) {
        const wanted = theirs(path, ['-F', type]);
        if (wanted === null) continue;
        expect(await ours(path, { format }), name).toEqual(wanted);
        compared += 1;
      }
      console.log(`editcap -F ${type}: ${compared} of ${files.length} files are the same`);
      expect(compared).toBeGreaterThan(files.length * 0.9);
    },
    120_000,
  );

  it.each([1, 96, 2000])(
    '-s %i cuts as we do',
    async (size) => {
      for (const [name, path] of files) {
        const wanted = theirs(path, ['-F', 'pcapng', '-s', String(size)]);
        if (wanted !== null) expect(await ours(path, { format: 'pcapng_ns', snapLengthBytes: size }), name).toEqual(wanted);
      }
    },
    60_000,
  );

  it('-A and -B slice as we do: the first moment is in, the last is not', async () => {
    let inside = 0;
    for (const [name, path] of files) {
      const times = readCapture(readFileSync(path)).packets.map(({ timeNs }) => timeNs!);
      const [startNs, endNs] = [times[Math.floor(times.length / 4)]!, times[Math.floor((3 * times.length) / 4)]!];
      if (startNs >= endNs) continue;
      const wanted = theirs(path, ['-F', 'pcapng', '-A', formatEpoch(startNs), '-B', formatEpoch(endNs)]);
      if (wanted === null) continue;
      expect(await ours(path, { format: 'pcapng_ns', windows: [{ startNs, endNs }] }), name).toEqual(wanted);
      inside += wanted.length;
    }
    expect(inside).toBeGreaterThan(1000);
  }, 60_000);

  it('reads what we write', async () => {
    for (const [, format] of TYPES) {
      for (const [name, path] of files.slice(0, 12)) {
        const { bytes } = await runExport(request(path, { format }));
        expect(theirs(folder.write('ours', bytes), ['-F', 'pcapng']), name).toEqual(plain(readCapture(bytes)));
      }
    }
  }, 60_000);
});
