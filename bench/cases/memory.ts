/** The largest anonymous and shared memory of an export, sampled over the whole process tree: the page cache is not ours. */
import type { Case, Context } from '../context.js';
import { figures, type Row } from '../row.js';
import { warm } from '../traffic/cache.js';

const MOST_BYTES = 200e6;
const SAMPLE_MS = 5;
/** Memory varies little, and each run of the large file is long. */
const RUNS = 2;

const FILTERS = [
  { what: 'peak memory, no filter', words: [] },
  { what: 'peak memory, PCAPNG, tcp port 443', words: ['-f', 'tcp port 443', '-F', 'pcapng_us'] },
];

async function measure(context: Context, bytes: number): Promise<Row[]> {
  const input = context.traffic('imix', bytes);
  warm(input.path);
  const rows: Row[] = [];
  for (const { what, words } of FILTERS) {
    context.say(`${input.label}: ${what}`);
    const command = context.spillway('export', input.path, ...words, '-o', '-');
    const runs = [];
    for (let n = 0; n < RUNS; n++) runs.push(await context.drain.run(command, { sampleMs: SAMPLE_MS }));
    const peak = Math.max(...runs.map((run) => run.peakAnonBytes));
    rows.push({
      case: 'memory',
      what,
      input: input.label,
      ours: figures('spillway', runs),
      peer: null,
      ratio: null,
      goal: { text: '≤ 200 MB', reached: peak > 0 && peak <= MOST_BYTES },
      inMean: false,
      note: `${(peak / 1e6).toFixed(0)} MB, sampled every ${SAMPLE_MS} ms`,
    });
  }
  return rows;
}

export const memoryCase: Case = {
  name: 'memory',
  about: 'peak RssAnon + RssShmem of exports of 1 GiB and 8 GiB',
  needs: [],
  async run(context) {
    const rows: Row[] = [];
    for (const bytes of context.options.memoryBytes) rows.push(...(await measure(context, bytes)));
    if (context.options.quick) context.say('not measured in quick mode: memory on 8 GiB');
    return rows;
  },
};
