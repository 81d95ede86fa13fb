/** Filtering a capture file, against tcpdump: to a pipe that is read and thrown away, and to a new file on tmpfs. */
import { existsSync, rmSync, statfsSync } from 'node:fs';
import type { Case, Context, Side } from '../context.js';
import { atLeast, figures, ratioOf, type Row } from '../row.js';
import type { TrafficFile } from '../traffic/cache.js';
import { PROFILES, RARE } from '../traffic/profile.js';

interface Expression {
  what: string;
  text: string | null;
  /** Also measured with a file as output: those that write much. */
  toFile: boolean;
}

export const EXPRESSIONS: readonly Expression[] = [
  { what: 'no filter', text: null, toFile: true },
  { what: 'tcp port 443', text: 'tcp port 443', toFile: true },
  { what: 'rare host and port', text: `host ${RARE.host} and port ${RARE.port}`, toFile: false },
  {
    what: 'ten terms',
    text:
      '(tcp port 443 or tcp port 80 or tcp port 22 or udp port 53 or udp port 123)' +
      ` and (net 10.4.0.0/14 or net 10.8.0.0/15 or host ${RARE.host} or net 203.0.120.0/22) and less 1000`,
    toFile: false,
  },
];

const TMPFS = '/dev/shm';
const LEAST_RATIO = 1.5;

/** Debian's tcpdump changes to a user of its own when root starts it, who may not read the traffic. */
const asItself = process.getuid?.() === 0 ? ['-Z', 'root'] : [];

/** `-n`: no name look-ups. */
const tcpdump = (input: string, output: string, { text }: Expression): string[] => [
  'tcpdump',
  ...asItself,
  '-n',
  ...['-r', input, '-w', output],
  ...(text === null ? [] : [text]),
];

const ours = (context: Context, input: string, output: string, { text }: Expression): string[] =>
  context.spillway('export', input, ...(text === null ? [] : ['-f', text]), '-o', output);

async function toPipe(context: Context, input: TrafficFile, expression: Expression): Promise<Row> {
  const mine = ours(context, input.path, '-', expression);
  const theirs = tcpdump(input.path, '-', expression);
  const agreed = await context.mustAgree(mine, theirs);
  const [a, b] = await context.interleave(input, [() => context.drain.run(mine), () => context.drain.run(theirs)]);
  const [own, peer] = [figures('spillway', a!), figures('tcpdump', b!)];
  const ratio = ratioOf(own, peer);
  return {
    case: 'tcpdump',
    what: `${expression.what} → pipe`,
    input: input.label,
    ours: own,
    peer,
    ratio,
    goal: atLeast(ratio, LEAST_RATIO),
    inMean: true,
    note: `${agreed.packets} of ${input.packets} packets`,
  };
}

/** No goal: allocating the pages of the new file takes most of the time, whoever writes it. */
async function toFile(context: Context, input: TrafficFile, expression: Expression): Promise<Row> {
  const output = `${TMPFS}/spillway-bench-${process.pid}.pcap`;
  const afresh =
    (command: string[]): Side =>
    async () => {
      rmSync(output, { force: true });
      try {
        return await context.drain.run(command);
      } finally {
        rmSync(output, { force: true });
      }
    };
  const sides = [afresh(ours(context, input.path, output, expression)), afresh(tcpdump(input.path, output, expression))];
  const [a, b] = await context.interleave(input, sides);
  const [own, peer] = [figures('spillway', a!), figures('tcpdump', b!)];
  return {
    case: 'tcpdump',
    what: `${expression.what} → tmpfs file`,
    input: input.label,
    ours: own,
    peer,
    ratio: ratioOf(own, peer),
    goal: null,
    inMean: false,
    note: null,
  };
}

/** The whole input may come out, and the pages of the next file are taken before those of the last are free. */
function hasRoom(bytes: number): boolean {
  if (!existsSync(TMPFS)) return false;
  const { bavail, bsize } = statfsSync(TMPFS);
  return bavail * bsize > bytes * 1.1;
}

export const tcpdumpCase: Case = {
  name: 'tcpdump',
  about: 'four filters on both profiles, to a pipe and to tmpfs',
  needs: ['tcpdump'],
  async run(context) {
    const rows: Row[] = [];
    for (const profile of PROFILES) {
      const input = context.traffic(profile);
      for (const expression of EXPRESSIONS) {
        context.say(`${input.label}: ${expression.what}`);
        rows.push(await toPipe(context, input, expression));
        if (!expression.toFile) continue;
        if (hasRoom(input.bytes)) rows.push(await toFile(context, input, expression));
        else context.say(`not measured: a new file on tmpfs, for ${TMPFS} is too small or missing`);
      }
    }
    return rows;
  },
};
