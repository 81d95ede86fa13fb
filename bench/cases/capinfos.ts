/** Telling what a capture holds, against capinfos. Without `-acdesu` it would also hash the file three ways. */
import { spawnSync } from 'node:child_process';
import { createReadStream } from 'node:fs';
import type { Case, Context } from '../context.js';
import { digest, type PacketDigest } from '../digest/digest.js';
import { BenchRefusal, DigestMismatch } from '../refusal.js';
import { atLeast, figures, ratioOf, type Row } from '../row.js';
import type { TrafficFile } from '../traffic/cache.js';
import { PROFILES } from '../traffic/profile.js';
import { epoch } from './editcap.js';

const LEAST_RATIO = 2.5;
const READ_BYTES = 1 << 20;

/** What both tools must tell: packets, file bytes, bytes on the wire, smallest and largest time, to the microsecond. */
interface Told {
  packets: string;
  fileBytes: string;
  wireBytes: string;
  start: string;
  end: string;
}

function outputOf(command: string[]): string {
  const { error, status, stdout, stderr } = spawnSync(command[0]!, command.slice(1), { encoding: 'utf8' });
  if (error !== undefined || status !== 0) throw new BenchRefusal(`${command.join(' ')} failed: ${error?.message ?? stderr.trim()}`);
  return stdout;
}

function toldByCapinfos(path: string): Told {
  const line = outputOf(['capinfos', '-acdesu', '-T', '-r', '-m', '-S', path]).trim();
  // File name, packets, file size, data size, duration, start, end; a name may hold commas.
  const [packets = '', fileBytes = '', wireBytes = '', , start = '', end = ''] = line.split(',').slice(-6);
  return { packets, fileBytes, wireBytes, start, end };
}

/** The times and sizes that `info --json` prints, as texts. */
function toldByUs(context: Context, path: string): Told {
  const info = JSON.parse(outputOf(context.spillway('info', path, '--json'))) as Record<string, unknown>;
  const text = (name: string): string => String(info[name] ?? `no ${name}`);
  const micros = (name: string): string => text(name).replace(/(\.\d{6})\d{3}$/, '$1');
  return {
    packets: text('packets'),
    fileBytes: text('size_bytes'),
    wireBytes: text('wire_bytes'),
    start: micros('min_time'),
    end: micros('max_time'),
  };
}

const toldByReader = (input: TrafficFile, facts: PacketDigest): Told => ({
  packets: String(facts.packets),
  fileBytes: String(input.bytes),
  wireBytes: String(facts.wireBytes),
  start: epoch(facts.firstNs ?? 0n).slice(0, -3),
  end: epoch(facts.lastNs ?? 0n).slice(0, -3),
});

/** The bench's own reader decides. */
async function mustAgree(context: Context, input: TrafficFile): Promise<void> {
  const facts = JSON.stringify(toldByReader(input, await digest(createReadStream(input.path, { highWaterMark: READ_BYTES }))));
  const theirs = JSON.stringify(toldByCapinfos(input.path));
  const ours = JSON.stringify(toldByUs(context, input.path));
  if (theirs !== facts || ours !== facts)
    throw new DigestMismatch(`${input.path}: the reader counts ${facts}, capinfos ${theirs}, spillway info ${ours}.`);
}

export const capinfosCase: Case = {
  name: 'capinfos',
  about: 'spillway info and capinfos -acdesu on both profiles',
  needs: ['capinfos'],
  async run(context) {
    const rows: Row[] = [];
    for (const profile of PROFILES) {
      const input = context.traffic(profile);
      context.say(`${input.label}: info`);
      await mustAgree(context, input);
      const mine = context.spillway('info', input.path);
      const theirs = ['capinfos', '-acdesu', input.path];
      const [a, b] = await context.interleave(input, [() => context.drain.run(mine), () => context.drain.run(theirs)]);
      const [own, peer] = [figures('spillway', a!), figures('capinfos', b!)];
      const ratio = ratioOf(own, peer);
      rows.push({
        case: 'capinfos',
        what: 'info',
        input: input.label,
        ours: own,
        peer,
        ratio,
        goal: atLeast(ratio, LEAST_RATIO),
        inMean: false,
        note: null,
      });
    }
    return rows;
  },
};
