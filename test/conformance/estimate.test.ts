/** Estimates over the open captures: the bounds hold, and they are tight. */
import { closeSync, openSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { estimate, type Bounds, type Estimate } from '../../src/engine/estimate.js';
import type { FileIndex } from '../../src/engine/indexes.js';
import { closeAll, makePlan } from '../../src/engine/plan.js';
import { createInlinePool } from '../../src/engine/pool.js';
import type { ExportFormat, ExportRequest, TimeWindow } from '../../src/engine/types.js';
import { type SpillwayError } from '../../src/errors.js';
import { IndexFile, probeIndex } from '../../src/native.js';
import { hasCorpora, requireOrSkip } from '../setup/require.js';
import { corpus } from '../support/corpora.js';
import { request, runExport } from '../support/engine.js';
import { temporaryFolder } from '../support/temporary.js';

const FORMATS: ExportFormat[] = ['pcap_us', 'pcap_ns', 'pcapng_us', 'pcapng_ns'];
const FILTERS = [[], ['tcp'], ['udp port 53'], ['tcp port 80'], ['host 192.168.1.1'], ['not ip']];
const LARGEST_BYTES = 3 << 20;

const folder = temporaryFolder();
let made = 0;

/** Of a file of any size: indexes of small ones are not kept otherwise. Null where it can't be indexed. */
function indexOf(path: string): FileIndex | null {
  const fd = openSync(path, 'r');
  try {
    const to = join(folder.path, `${made++}.index`);
    const file = new IndexFile(fd, statSync(path).size, to, 1n);
    for (let status = 0; status === 0;) if ((status = file.step(1 << 20)) === 2) return null;
    if (file.seal() !== 0) return null;
    const index = openSync(to, 'r');
    return { fd: index, id: 1n, close: async () => closeSync(index) };
  } finally {
    closeSync(fd);
  }
}

async function estimated(asked: ExportRequest, path: string, isIndexed: boolean): Promise<Estimate> {
  const plan = await makePlan(asked, {});
  try {
    if (isIndexed) for (const { source } of plan.sources) source!.index = indexOf(path);
    return await estimate(plan, createInlinePool());
  } finally {
    await closeAll(plan.sources);
  }
}

const holds = ({ low, likely, high }: Bounds, truth: bigint): boolean =>
  low <= truth && (high === null || truth <= high) && low <= likely && (high === null || likely <= high);
const ratio = ({ low, high }: Bounds): number => (high === low ? 1 : Number(high ?? 0n) / Math.max(1, Number(low)));

/** The middle half of what the file has. */
function middleOf(path: string): TimeWindow[] | null {
  const index = indexOf(path);
  const answer = index && probeIndex(index.fd, 1n, null, new BigInt64Array(0));
  void index?.close();
  if (!answer || typeof answer === 'string' || answer.minTime === null || answer.maxTime === null) return null;
  const quarter = (answer.maxTime - answer.minTime) / 4n;
  return quarter > 0n ? [{ startNs: answer.minTime + quarter, endNs: answer.maxTime - quarter }] : null;
}

/** Packets of blocks that lie neither inside nor outside the windows. */
function edgePackets(path: string, windows: readonly TimeWindow[]): number {
  const index = indexOf(path)!;
  const times = BigInt64Array.from(windows.flatMap(({ startNs, endNs }) => [startNs!, endNs!]));
  const around = BigInt64Array.from([-(1n << 63n), ...times, (1n << 63n) - 1n]);
  const ask = (windowsNs: BigInt64Array): { packets: number; skippedPackets: number } => {
    const answer = probeIndex(index.fd, 1n, null, windowsNs, { descriptions: false });
    if (typeof answer === 'string') throw new Error(answer);
    return answer;
  };
  const touched = ask(times);
  const inside = ask(around);
  void index.close();
  return touched.packets - touched.skippedPackets - inside.skippedPackets;
}

describe.runIf(requireOrSkip('the corpora', hasCorpora()))('estimates over the captures', () => {
  const files = readdirSync(corpus('captures'))
    .map((name) => corpus('captures', name))
    .filter((path) => statSync(path).size <= LARGEST_BYTES && statSync(path).size > 0);

  it('hold, with an index and without; without a filter they are tight', { timeout: 240_000 }, async () => {
    const widths: number[] = [];
    const wrong: string[] = [];
    let asked = 0;
    for (const [i, path] of files.entries()) {
      const format = FORMATS[i % FORMATS.length]!;
      for (const windows of [[], middleOf(path)]) {
        if (windows === null) continue;
        for (const filters of FILTERS) {
          const wish = request(path, { filters, windows, format, snapLengthBytes: i % 3 === 0 ? 65535 : 0 });
          const truth = await runExport(wish, { workers: 0 }).catch((error: unknown) => error as SpillwayError);
          // A filter that has no meaning for the link type, or packets that the format can't hold: there is nothing to estimate.
          if (truth instanceof Error) continue;
          for (const isIndexed of [true, false]) {
            const found = await estimated(wish, path, isIndexed);
            asked += 1;
            const { packets_exported: packets, bytes_exported: bytes } = truth.receipt;
            const about = `${path} ${filters.join()} ${windows.length} ${format} ${isIndexed}: ${packets} packets, ${bytes} bytes`;
            if (!holds(found.packets, packets) || !holds(found.bytes, bytes)) wrong.push(`${about}: ${show(found)}`);
            if (!isIndexed) {
              if (found.packets.low !== packets || found.packets.high !== packets) wrong.push(`${about}: was not exact`);
              continue;
            }
            if (filters.length > 0) continue;
            const edges = windows.length > 0 ? edgePackets(path, windows) : 0;
            if (found.packets.high! - found.packets.low > BigInt(edges) && truth.receipt.damage.length === 0)
              wrong.push(`${about}: ${show(found)} with ${edges} packets in edge blocks`);
            if (edges === 0 && packets > 20n && truth.receipt.damage.length === 0) {
              widths.push(ratio(found.bytes));
              if (ratio(found.bytes) > 1.05 && Number(bytes) / Number(packets) > 100) wrong.push(`${about}: ${show(found)} is wide`);
            }
          }
        }
      }
    }
    expect(wrong).toEqual([]);
    expect(asked).toBeGreaterThan(500);
    widths.sort((a, b) => a - b);
    console.log(
      `${asked} estimates; without a filter bytes are ${widths[widths.length >> 1]!.toFixed(4)} apart in the median, ${widths.at(-1)!.toFixed(4)} at most`,
    );
  });
});

function show({ packets, bytes }: Estimate): string {
  return JSON.stringify({ packets, bytes }, (_, value: unknown) => (typeof value === 'bigint' ? Number(value) : value));
}
