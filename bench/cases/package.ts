/** Diagnostic packages of a probe that has a large buffer and many exports: time, memory, and whether others are kept waiting. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Verbosity } from '../../src/bundle/collector.js';
import { Connection, create, fetchPackets } from '../api/http.js';
import { makePackage, type PackageMade } from '../api/package.js';
import type { Case, Context } from '../context.js';
import { BenchRefusal } from '../refusal.js';
import type { Goal, Row } from '../row.js';
import { Server } from '../server.js';
import { spread } from '../stats.js';
import { largeBuffer } from '../traffic/large-buffer.js';

const BUFFER_BYTES = 10e9;
const SEGMENT_BYTES = 256 << 20;
const EXPORTS = 1000;
/** Indexes let an export of a few packets pass by the rest. */
const EXPORT = { path: 'jobs/bench', stop_rule: { packet_limit: 100 }, filters: { items: [{ id: 'f', type: 'BPF', value: 'tcp port 443' }] } };
const MOST_SECONDS = 3;
const MOST_BYTES = 64e6;
/** For what a start leaves behind to be let go of. */
const SETTLE_MS = 3000;

/** Fails where exports are not there afterwards as finished ones: a package of less would cost less. */
async function makeExports(server: Server): Promise<void> {
  const connection = await Connection.open(server.address);
  try {
    for (let i = 0; i < EXPORTS; i++) await fetchPackets(server.address, await create(connection, EXPORT));
  } finally {
    connection.close();
  }
}

/** A server of its own, so that no memory is left over from what was before, and packages one after another. */
async function packages(context: Context, dataFolder: string, verbosity: Verbosity): Promise<PackageMade[]> {
  const server = await Server.start(context.spillway('serve', '--port', '0', '--data', dataFolder));
  try {
    await pause(SETTLE_MS);
    const anonymous = server.anonymous();
    const idle = anonymous();
    const made: PackageMade[] = [];
    for (let n = 0; n < context.options.repeats; n++) made.push(await makePackage(server, anonymous, idle, verbosity));
    return made;
  } finally {
    await server.stop();
  }
}

function rowOf(verbosity: Verbosity, input: string, made: readonly PackageMade[]): Row {
  const most = (of: (one: PackageMade) => number): number => Math.max(...made.map(of));
  const [bytes, stallMs] = [most((one) => one.anonymousBytes), most((one) => one.stallMs)];
  const wallSeconds = spread(made.map((one) => one.ms / 1000));
  const goal: Goal = { text: '≤ 3 s and 64 MB', reached: wallSeconds.median <= MOST_SECONDS && bytes <= MOST_BYTES };
  const entries = made.at(-1)!.manifest.entries;
  const noted = entries.filter(({ note }) => note !== undefined).map(({ name, note }) => `${name}: ${note}`);
  const told = [
    `at most ${(bytes / 1e6).toFixed(0)} MB above the idle server`,
    `/health/live at most ${stallMs.toFixed(0)} ms`,
    `${entries.length} parts, ${(made.at(-1)!.bytes / 1e6).toFixed(2)} MB`,
    ...noted,
  ];
  return {
    case: 'package',
    what: `a diagnostic package, ${verbosity}`,
    input,
    ours: {
      tool: 'spillway serve',
      wallSeconds,
      cpuSeconds: spread(made.map((one) => one.cpuSeconds)),
      outputBytes: made.at(-1)!.bytes,
      peakAnonBytes: null,
    },
    peer: null,
    ratio: null,
    goal: verbosity === 'base' ? goal : null,
    inMean: false,
    note: told.join(', '),
  };
}

export const packageCase: Case = {
  name: 'package',
  about: `diagnostic packages of a probe with a buffer of 10 GB and ${EXPORTS} exports: time, memory, stalls`,
  needs: [],
  async run(context) {
    const input = context.traffic('imix', SEGMENT_BYTES);
    mkdirSync(context.options.dir, { recursive: true });
    const dataFolder = mkdtempSync(join(context.options.dir, 'data-'));
    try {
      context.say('packages: making a buffer of 10 GB');
      const buffer = largeBuffer(context.options.spillway, input, dataFolder, BUFFER_BYTES);
      context.say(`packages: ${buffer.segments} segments; making ${EXPORTS} exports`);
      const server = await Server.start(context.spillway('serve', '--port', '0', '--data', dataFolder));
      try {
        await makeExports(server);
      } finally {
        await server.stop();
      }
      const rows: Row[] = [];
      for (const verbosity of ['base', 'verbose'] as const) {
        context.say(`packages: ${verbosity}`);
        const made = await packages(context, dataFolder, verbosity);
        const exports = made[0]!.manifest.entries.find(({ name }) => name === 'exports');
        if (!exports || exports.bytes < EXPORTS * 100) throw new BenchRefusal(`the package tells of too few exports: ${JSON.stringify(exports)}`);
        rows.push(rowOf(verbosity, `${(buffer.bytes / 1e9).toFixed(1)} GB in ${buffer.segments} segments, ${EXPORTS} exports`, made));
      }
      return rows;
    } finally {
      rmSync(dataFolder, { recursive: true, force: true });
    }
  },
};
