/** What PCAPNG output says of itself, as tshark and capinfos read it. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { BufferLane } from '../../src/buffer/lane.js';
import { hasProgram, requireOrSkip } from '../setup/require.js';
import { FakeBuffer, lossFile, lossRecord } from '../support/buffer.js';
import { payload } from '../support/build.js';
import { request, runExport } from '../support/engine.js';
import { temporaryFolder } from '../support/temporary.js';

const folder = temporaryFolder();
const COMMENTS = { section: 'made by ann at noon – für alle', interface: 'packets that pass BPF tcp' };

async function exported(lost: boolean): Promise<string> {
  const buffer = new FakeBuffer(join(folder.path, `buffer-${lost}`));
  buffer.store(Array.from({ length: 10 }, (_, i) => ({ ticks: BigInt(1_700_000_000_000_000_000n + BigInt(i)), data: payload(60, i) })));
  buffer.seal();
  if (lost) writeFileSync(join(buffer.folder, 'losses'), lossFile([lossRecord(1, 0n, 1_800_000_000_000_000_000n, 7n)]));
  const lane = await BufferLane.open(buffer.folder, { name: 'jobs/x/eth0', windows: [], until: 'now', isCaptured: async () => true });
  const { bytes } = await runExport(request([{ lane, name: lane.name }], { format: 'pcapng_ns', comments: COMMENTS }));
  return folder.write(`out-${lost}.pcapng`, bytes);
}

/** Fields of the file's own blocks. */
const told = (path: string): string =>
  execFileSync('tshark', ['-n', '-r', path, '-X', 'read_format:MIME Files Format', '-V'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });

describe.runIf(requireOrSkip('tshark and capinfos', hasProgram('tshark') && hasProgram('capinfos')))('comments and drop counts', () => {
  it.each([
    [false, 0],
    [true, 7],
  ])('with losses %s are read by others', async (lost, drops) => {
    const path = await exported(lost);
    const facts = execFileSync('capinfos', [path], { encoding: 'utf8' });
    expect(facts).toContain(COMMENTS.section);
    expect(facts).toContain(COMMENTS.interface);
    expect(facts).toMatch(/Number of packets = 10\b/);
    expect(told(path)).toMatch(new RegExp(`Packets Dropped By Interface|ifdrop|Number of Packets Dropped`, 'i'));
    expect(told(path)).toMatch(new RegExp(`[Dd]rop[^\\n]*: ${drops}\\b`));
  });
});
