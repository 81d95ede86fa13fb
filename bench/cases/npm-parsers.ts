/** Against what a Node user would pick today: the npm packages pcap-parser and cap's decoders. */
import { fileURLToPath } from 'node:url';
import type { Case, Context } from '../context.js';
import { atLeast, extrapolated, figures, ratioOf, type Row } from '../row.js';
import { PROFILES, type ProfileName } from '../traffic/profile.js';

const LEAST_RATIO = 15;
const SCRIPT = fileURLToPath(new URL('../peers/npm-parsers.cjs', import.meta.url));
/** pcap-parser uses a constructor of Buffer that Node warns of. */
const peer = (...words: string[]): string[] => [process.execPath, '--no-deprecation', SCRIPT, ...words];

async function measure(context: Context, profile: ProfileName): Promise<Row> {
  const input = context.traffic(profile);
  const slice = context.traffic(profile, Math.min(context.options.sliceBytes, context.options.bytes));
  const ours = (path: string): string[] => context.spillway('export', path, '-f', 'tcp port 443', '-o', '-');
  context.say(`${input.label}: npm parsers, on ${slice.label}`);
  await context.mustAgree(ours(slice.path), peer(slice.path, '--forward'));
  const theirs = peer(slice.path);
  const [a, b] = await context.interleave(input, [() => context.drain.run(ours(input.path)), () => context.drain.run(theirs)]);
  const scale = input.packets / slice.packets;
  const [own, others] = [figures('spillway', a!), extrapolated(figures('pcap-parser + cap', b!), scale)];
  const ratio = ratioOf(own, others);
  return {
    case: 'npm-parsers',
    what: 'tcp port 443',
    input: input.label,
    ours: own,
    peer: others,
    ratio,
    goal: atLeast(ratio, LEAST_RATIO),
    inMean: false,
    note: `peer measured on ${slice.label}, time × ${scale.toFixed(2)} (packets); it counts, we write`,
  };
}

export const npmParsersCase: Case = {
  name: 'npm-parsers',
  about: 'packets of tcp port 443, by pcap-parser and the decoders of cap',
  needs: [],
  async run(context) {
    const rows: Row[] = [];
    for (const profile of PROFILES) rows.push(await measure(context, profile));
    return rows;
  },
};
