/** capinfos -acdesu and a walk over the file tell the same. */
import { describe, expect, it } from 'vitest';
import { inspect } from '../../src/engine/inspect.js';
import { NS_PER_SECOND, parseEpoch } from '../../src/units.js';
import { hasProgram, requireOrSkip } from '../setup/require.js';
import { fileSource } from '../support/engine.js';
import { run, samples } from '../support/oracle.js';
import { temporaryFolder } from '../support/temporary.js';

const folder = temporaryFolder();
const files = samples(folder.write);

describe.runIf(requireOrSkip('capinfos', hasProgram('capinfos')))('capinfos', () => {
  it.each(files)('%s', async (_, path) => {
    // One line: name, packets, file size, bytes on the wire, duration, earliest and latest time.
    const { ok, stdout, stderr } = run('capinfos', ['-TMSrm', '-acdesu', path]);
    // Some link types it does not know, and says nothing then.
    if (!ok) expect(stderr).toMatch(/network type \d+ unknown or unsupported/);
    if (!ok) return;
    const [packets, size, wire, duration, earliest, latest] = stdout.trim().split(',').slice(1);
    const report = await inspect(fileSource(path));
    expect(report.packets).toBe(BigInt(packets!));
    expect(report.sizeBytes).toBe(Number(size));
    expect(report.wireBytes).toBe(BigInt(wire!));
    expect(report.damage).toBe(null);
    if (earliest === 'n/a') return;
    // It prints as many decimals as the file has.
    const tick = 10n ** BigInt(9 - (earliest!.split('.')[1]?.length ?? 0));
    expect((report.minTimeNs! / tick) * tick).toBe(parseEpoch(earliest!));
    expect((report.maxTimeNs! / tick) * tick).toBe(parseEpoch(latest!));
    const seconds = Number(report.maxTimeNs! - report.minTimeNs!) / Number(NS_PER_SECOND);
    expect(Math.abs(seconds - Number(duration))).toBeLessThan(2e-6);
  });
});
