/** The REST interface under many requests: how soon an export begins, many exports at once, and many in a row. */
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { atOnce } from '../api/at-once.js';
import { firstBytes } from '../api/first-byte.js';
import { percentile } from '../api/http.js';
import { inARow, type Holding } from '../api/in-a-row.js';
import type { Case, Context } from '../context.js';
import { Pair } from '../live/pair.js';
import { BenchRefusal } from '../refusal.js';
import type { Goal, Row } from '../row.js';
import { Server } from '../server.js';
import { spread } from '../stats.js';

/** Connections: those of one client with a pool, and one for each export. */
const CLIENTS = [64, 1000];
const EXPORTS = { firstByte: 200, atOnce: 1000, inARow: 10_000, quick: 1000 };
const FIRST_BYTE_MS = 50;
const AT_ONCE_MS = 250;
/** Behind a warm-up: threads, caches and the heap are as large as they get. */
const WARM_UP = 300;
const FILE_BYTES = 24 << 20;
/** Descriptors and memory breathe; what grows with every export would be thousands, and far more. */
const MORE_DESCRIPTORS = 4;
const MORE_MEMORY = 1.15;
/** What comes and goes with the collector: of five thousand exports, three kilobytes each. */
const BREATH_BYTES = 16e6;

const NAME = 'bench.pcap';

interface Measured {
  case: string;
  what: string;
  input: string;
  ms: number[];
  cpuSeconds: number;
  goal: Goal;
  note: string;
}

function rowOf({ ms, cpuSeconds, ...told }: Measured): Row {
  const wallSeconds = spread(ms.map((each) => each / 1000));
  const ours = { tool: 'spillway serve', wallSeconds, cpuSeconds: spread([cpuSeconds]), outputBytes: 0, peakAnonBytes: null };
  return { ...told, ours, peer: null, ratio: null, inMean: false };
}

function percentiles(ms: number[]): { p50: number; p99: number; text: string } {
  const sorted = [...ms].sort((a, b) => a - b);
  const [p50, p99] = [percentile(sorted, 0.5), percentile(sorted, 0.99)];
  return { p50, p99, text: `p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms` };
}

/** With a server on a data folder that holds one file. */
async function serving<T>(context: Context, work: (server: Server, dataFolder: string) => Promise<T>): Promise<T> {
  const input = context.traffic('imix', FILE_BYTES);
  const dataFolder = mkdtempSync(join(context.options.dir, 'data-'));
  const place = join(dataFolder, 'fs', 'admin');
  mkdirSync(place, { recursive: true, mode: 0o700 });
  copyFileSync(input.path, join(place, NAME));
  let server: Server | null = null;
  try {
    server = await Server.start(context.spillway('serve', '--port', '0', '--data', dataFolder));
    return await work(server, dataFolder);
  } finally {
    await server?.stop();
    rmSync(dataFolder, { recursive: true, force: true });
  }
}

export const firstByteCase: Case = {
  name: 'api-first-byte',
  about: 'from creating an export of rare packets of a running capture to its first byte; needs root',
  needs: ['ip', 'g++'],
  async run(context) {
    if (process.getuid?.() !== 0) throw new BenchRefusal('The case api-first-byte needs root.');
    context.say('REST: the first byte of rare packets');
    const place = mkdtempSync(join(context.options.dir, 'live-'));
    const pair = new Pair(place);
    try {
      const { ms, packets, cpuSeconds } = await firstBytes(context, pair, place, EXPORTS.firstByte);
      const { p99, text } = percentiles(ms);
      const what = 'from POST to the first byte, rare packets of a running capture';
      const goal = { text: `p99 ≤ ${FIRST_BYTE_MS} ms`, reached: p99 <= FIRST_BYTE_MS };
      return [rowOf({ case: 'api', what, input: `${packets} packets`, ms, cpuSeconds, goal, note: `${text} of ${ms.length}, a new filter each` })];
    } finally {
      pair.remove();
      rmSync(place, { recursive: true, force: true });
    }
  },
};

export const atOnceCase: Case = {
  name: 'api-at-once',
  about: `${EXPORTS.atOnce} exports created in the same moment`,
  needs: [],
  async run(context) {
    context.say(`REST: ${EXPORTS.atOnce} exports at once`);
    const config = { path: `fs/admin/${NAME}`, filters: { items: [{ id: 'f', type: 'BPF', value: 'tcp port 443' }] } };
    return serving(context, async (server) => {
      const rows: Row[] = [];
      for (const clients of CLIENTS) {
        const all: number[] = [];
        const cpuBefore = server.cpuSeconds();
        for (let n = 0; n < context.options.repeats; n++) all.push(...(await atOnce(server.address, EXPORTS.atOnce, clients, config)));
        const cpuSeconds = (server.cpuSeconds() - cpuBefore) / context.options.repeats;
        const { p99, text } = percentiles(all);
        const goal = { text: `p99 < ${AT_ONCE_MS} ms`, reached: p99 < AT_ONCE_MS };
        const note = `${text}, ${context.options.repeats} times, none lost; CPU with their removal`;
        const what = `POST of ${EXPORTS.atOnce} exports over ${clients} connections`;
        rows.push(rowOf({ case: 'api', what, input: 'imix 24 MiB', ms: all, cpuSeconds, goal, note }));
      }
      return rows;
    });
  },
};

export const inARowCase: Case = {
  name: 'api-in-a-row',
  about: `${EXPORTS.inARow} exports in a row, a third of them broken off: descriptors, files and memory`,
  needs: [],
  async run(context) {
    const count = context.options.quick ? EXPORTS.quick : EXPORTS.inARow;
    context.say(`REST: ${count} exports in a row`);
    return serving(context, async (server, dataFolder) => {
      const place = { address: server.address, dataFolder, path: `fs/admin/${NAME}` };
      await inARow(place, WARM_UP);
      const [began, cpuBefore] = [performance.now(), server.cpuSeconds()];
      const holdings = await inARow(place, count);
      const ms = [(performance.now() - began) / count];
      const cpuSeconds = (server.cpuSeconds() - cpuBefore) / count;
      const goal = { text: 'no growth', reached: !hasGrown(holdings) };
      return [rowOf({ case: 'api', what: `${count} exports in a row, each`, input: 'imix 24 MiB', ms, cpuSeconds, goal, note: told(holdings) })];
    });
  },
};

/** From the middle to the end: before that, the heap finds its size. */
export function hasGrown(holdings: readonly Holding[]): boolean {
  const [before, middle, after] = holdings as [Holding, Holding, Holding];
  const isMore = (of: keyof Holding): boolean => after[of] > MORE_MEMORY * middle[of] + BREATH_BYTES;
  return (
    after.descriptors > before.descriptors + MORE_DESCRIPTORS || after.files > before.files || isMore('residentBytes') || isMore('externalBytes')
  );
}

function told(holdings: readonly Holding[]): string {
  const row = (of: keyof Holding, unit = 1): string => holdings.map((each) => (each[of] / unit).toFixed(0)).join(' → ');
  const memory = `RSS ${row('residentBytes', 1e6)} MB, heap ${row('heapBytes', 1e6)} MB, external ${row('externalBytes', 1e6)} MB`;
  return `before, in the middle, after: ${row('descriptors')} descriptors, ${row('files')} temporary files, ${memory}`;
}
