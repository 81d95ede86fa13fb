/** Display filters, against tshark: one that becomes a program, and one that tshark answers for us, too. */
import type { Case, Context } from '../context.js';
import { atLeast, figures, ratioOf, type Row } from '../row.js';
import type { TrafficFile } from '../traffic/cache.js';

interface Work {
  what: string;
  filter: string;
  /** Of traffic. */
  bytes: number;
  least: number;
}

/** About so many packets of IMIX; and fewer, where tshark answers for both after a program could not. */
const MILLION_BYTES = 384 << 20;
const THREE_MILLION_BYTES = 1 << 30;
const BYTES = 32 << 20;

const WORKS: Work[] = [
  { what: 'a program answers: frame.len > 1000', filter: 'frame.len > 1000', bytes: THREE_MILLION_BYTES, least: 100 },
  { what: 'tshark answers: tls or dns', filter: 'tls or dns', bytes: MILLION_BYTES, least: 1 },
  // UDP on port 443, mail, and ports of some protocol: not every packet is certain.
  { what: 'a program could not: tcp.port == 443', filter: 'tcp.port == 443', bytes: BYTES, least: 1 },
];

async function measure(context: Context, input: TrafficFile, { what, filter, least }: Work): Promise<Row> {
  const mine = context.spillway('export', input.path, '-Y', filter, '-o', '-');
  const theirs = ['tshark', '-n', '-r', input.path, '-Y', filter, '-F', 'pcap', '-w', '-'];
  const agreed = await context.mustAgree(mine, theirs);
  const [a, b] = await context.interleave(input, [() => context.drain.run(mine), () => context.drain.run(theirs)]);
  const [own, peer] = [figures('spillway', a!), figures('tshark', b!)];
  const ratio = ratioOf(own, peer);
  const note = `${agreed.packets} of ${input.packets} packets`;
  return { case: 'display', what, input: input.label, ours: own, peer, ratio, goal: atLeast(ratio, least), inMean: false, note };
}

export const displayCase: Case = {
  name: 'display',
  about: 'display filters, translated and through tshark, to a pipe',
  needs: ['tshark'],
  async run(context) {
    const rows: Row[] = [];
    for (const work of WORKS) {
      const input = context.traffic('imix', context.options.quick ? BYTES : work.bytes);
      context.say(`${input.label}: ${work.what}`);
      rows.push(await measure(context, input, work));
    }
    return rows;
  },
};
