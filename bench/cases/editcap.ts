/** Cutting, converting and slicing, against editcap. */
import type { Case, Context } from '../context.js';
import { atLeast, figures, ratioOf, type Row } from '../row.js';
import type { TrafficFile } from '../traffic/cache.js';
import { PROFILES } from '../traffic/profile.js';

interface Work {
  what: string;
  ours: string[];
  editcap: string[];
}

const LEAST_RATIO = 3;
const SECOND_NS = 1_000_000_000n;

/** Epoch seconds with nine decimals; both tools read them. */
export const epoch = (ns: bigint): string => `${ns / SECOND_NS}.${String(ns % SECOND_NS).padStart(9, '0')}`;

/** The second in the middle of the capture, or all of a shorter one. */
export function middleSecond({ firstNs, lastNs }: Pick<TrafficFile, 'firstNs' | 'lastNs'>): [from: bigint, to: bigint] {
  const from = (firstNs + lastNs - SECOND_NS) / 2n;
  const whole = (from / 1000n) * 1000n; // the capture counts microseconds
  return [whole < firstNs ? firstNs : whole, whole + SECOND_NS];
}

function works(input: TrafficFile): Work[] {
  const [from, to] = middleSecond(input);
  return [
    { what: 'cut to 96 bytes', ours: ['-s', '96'], editcap: ['-F', 'pcap', '-s', '96'] },
    { what: 'pcap → PCAPNG', ours: ['-F', 'pcapng_us'], editcap: ['-F', 'pcapng'] },
    { what: 'a one-second slice', ours: ['--from', epoch(from), '--to', epoch(to)], editcap: ['-F', 'pcap', '-A', epoch(from), '-B', epoch(to)] },
  ];
}

async function measure(context: Context, input: TrafficFile, work: Work): Promise<Row> {
  const mine = context.spillway('export', input.path, ...work.ours, '-o', '-');
  const theirs = ['editcap', ...work.editcap, input.path, '-'];
  const agreed = await context.mustAgree(mine, theirs);
  const [a, b] = await context.interleave(input, [() => context.drain.run(mine), () => context.drain.run(theirs)]);
  const [own, peer] = [figures('spillway', a!), figures('editcap', b!)];
  const ratio = ratioOf(own, peer);
  return {
    case: 'editcap',
    what: work.what,
    input: input.label,
    ours: own,
    peer,
    ratio,
    goal: atLeast(ratio, LEAST_RATIO),
    inMean: false,
    note: `${agreed.packets} of ${input.packets} packets`,
  };
}

export const editcapCase: Case = {
  name: 'editcap',
  about: 'snap length, PCAPNG and a time slice on both profiles, to a pipe',
  needs: ['editcap'],
  async run(context) {
    const rows: Row[] = [];
    for (const profile of PROFILES) {
      const input = context.traffic(profile);
      for (const work of works(input)) {
        context.say(`${input.label}: ${work.what}`);
        rows.push(await measure(context, input, work));
      }
    }
    return rows;
  },
};
