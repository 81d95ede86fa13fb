/**
 * Rare questions to a capture's buffer, by REST to a running probe, against tcpdump and editcap over the same packets; and
 * full scans of it that only count.
 */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BufferLane } from '../../src/buffer/lane.js';
import { prepareExport } from '../../src/engine/export.js';
import { createPool, threadsFor } from '../../src/engine/pool.js';
import type { ExportRequest } from '../../src/engine/types.js';
import type { Case, Context } from '../context.js';
import type { Run } from '../drain.js';
import { BenchRefusal, DigestMismatch } from '../refusal.js';
import { atLeast, figures, ratioOf, type Row } from '../row.js';
import { Server } from '../server.js';
import { mebibytes, warm, type TrafficFile } from '../traffic/cache.js';
import { PROFILES, RARE, type ProfileName } from '../traffic/profile.js';
import { BRIEF, segmentedTraffic, type SegmentedTraffic } from '../traffic/segments.js';
import { epoch, middleSecond } from './editcap.js';
import { EXPRESSIONS } from './tcpdump.js';

const API = '/api/npm.packet_export/1.3';
const FIRST_BYTE_GOAL_MS = 50;
const SPARSE = `host ${RARE.host} or port ${RARE.port}`;
const asItself = process.getuid?.() === 0 ? ['-Z', 'root'] : [];

interface Question {
  what: string;
  config: Record<string, unknown>;
  peer: (list: string) => string[];
  least: Record<ProfileName, number>;
}

const bpf = (value: string): Record<string, unknown> => ({ filters: { items: [{ id: 'f', type: 'BPF', value }] } });
const tcpdump = (list: string, expression: string): string[] => ['tcpdump', ...asItself, '-n', '-V', list, '-w', '-', expression];

function questions(traffic: SegmentedTraffic): Question[] {
  const [from, to] = middleSecond(traffic);
  return [
    {
      what: 'one packet in 10,000, evenly spread',
      config: bpf(SPARSE),
      peer: (list) => tcpdump(list, SPARSE),
      least: { imix: 100, small: 50 },
    },
    {
      what: 'a host of one minute of the day',
      config: bpf(`host ${BRIEF.host}`),
      peer: (list) => tcpdump(list, `host ${BRIEF.host}`),
      least: { imix: 200, small: 200 },
    },
    {
      what: 'a one-second slice',
      config: { start_time: epoch(from), end_time: epoch(to) },
      peer: () => ['editcap', '-F', 'pcap', '-A', epoch(from), '-B', epoch(to), traffic.pcap, '-'],
      least: { imix: 500, small: 500 },
    },
  ];
}

interface Answer {
  seconds: number;
  firstByteMs: number;
  body: Buffer;
}

/** POST, GET and the whole body, as one client sees it. */
async function ask(address: string, job: string, config: Record<string, unknown>): Promise<Answer> {
  const began = performance.now();
  const post = await fetch(`${address}${API}/exports`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ config: { path: `jobs/${job}`, snap_length: 0, ...config } }),
  });
  if (post.status !== 201) throw new BenchRefusal(`POST ${API}/exports answered ${post.status}: ${await post.text()}`);
  const { id } = (await post.json()) as { id: string };
  const response = await fetch(`${address}${API}/packets/items/${id}`);
  const pieces: Uint8Array[] = [];
  let firstByteMs = NaN;
  for await (const piece of response.body!) {
    if (pieces.length === 0) firstByteMs = performance.now() - began;
    pieces.push(piece as Uint8Array);
  }
  const seconds = (performance.now() - began) / 1000;
  await fetch(`${address}${API}/exports/items/${id}`, { method: 'DELETE' });
  return { seconds, firstByteMs, body: Buffer.concat(pieces) };
}

const asRun = ({ seconds, body }: Answer, cpuSeconds: number): Run => ({ wallSeconds: seconds, cpuSeconds, bytes: body.length, peakAnonBytes: 0 });
const median = (numbers: number[]): number => [...numbers].sort((a, b) => a - b)[numbers.length >> 1]!;

async function answered(
  context: Context,
  server: Server,
  input: TrafficFile,
  traffic: SegmentedTraffic,
  list: string,
  question: Question,
): Promise<Row[]> {
  const answerFile = join(context.options.dir, 'answer.pcap');
  const theirs = question.peer(list);
  writeFileSync(answerFile, (await ask(server.address, traffic.job, question.config)).body);
  const agreed = await context.mustAgree(['cat', answerFile], theirs);
  const firsts: number[] = [];
  const own = async (): Promise<Run> => {
    const before = server.cpuSeconds();
    const answer = await ask(server.address, traffic.job, question.config);
    firsts.push(answer.firstByteMs);
    return asRun(answer, server.cpuSeconds() - before);
  };
  const [a, b] = await context.interleave(input, [own, () => context.drain.run(theirs)]);
  const rows = [
    rowOf(question, input, a!, b!, `${agreed.packets} packets, first byte ${median(firsts).toFixed(0)} ms, at most ${FIRST_BYTE_GOAL_MS} wanted`),
  ];
  if (process.getuid?.() === 0) {
    const cold: Run[][] = [[], []];
    for (const [i, side] of [own, () => context.drain.run(theirs)].entries()) {
      execFileSync('sync');
      writeFileSync('/proc/sys/vm/drop_caches', '3');
      cold[i]!.push(await side());
    }
    rows.push({ ...rowOf(question, input, cold[0]!, cold[1]!, 'caches dropped, once'), what: `${question.what}, cold`, goal: null });
    for (const file of [...traffic.files, traffic.pcap]) warm(file);
  }
  return rows;
}

function rowOf({ what, peer, least }: Question, input: TrafficFile, a: Run[], b: Run[], note: string): Row {
  const [own, other] = [figures('spillway serve', a), figures(peer('')[0]!, b)];
  const ratio = ratioOf(own, other);
  const profile = input.label.startsWith('imix') ? 'imix' : 'small';
  return { case: 'buffer', what, input: input.label, ours: own, peer: other, ratio, goal: atLeast(ratio, least[profile]), inMean: false, note };
}

/** Everything is read that the index leaves over, and nothing written. */
async function count(traffic: SegmentedTraffic, filter: string | null, pool: ReturnType<typeof createPool>): Promise<{ packets: bigint; run: Run }> {
  const folder = join(traffic.files[0]!, '..');
  const began = performance.now();
  const cpu = process.cpuUsage();
  const lane = await BufferLane.open(folder, { name: 'bench', windows: [], until: 'now', isCaptured: async () => false });
  const filters = filter === null ? [] : [filter];
  const limits = { packets: 0n, capturedBytes: 0n, durationNs: 0n };
  const request = {
    sources: [{ lane, name: 'bench' }],
    filters,
    windows: [],
    snapLengthBytes: 0,
    limits,
    format: 'none',
  } as unknown as ExportRequest;
  const prepared = await prepareExport(request, { pool });
  const receipt = await prepared.run({ write: async () => {}, finish: async () => {}, abort: async () => {} });
  const used = process.cpuUsage(cpu);
  const run = { wallSeconds: (performance.now() - began) / 1000, cpuSeconds: (used.user + used.system) / 1e6, bytes: 0, peakAnonBytes: 0 };
  return { packets: receipt.packets_exported, run };
}

async function counted(context: Context, input: TrafficFile, traffic: SegmentedTraffic, list: string): Promise<Row[]> {
  const pool = createPool(threadsFor(Infinity));
  const rows: Row[] = [];
  try {
    for (const { what, text } of EXPRESSIONS) {
      context.say(`${input.label}: counting, ${what}`);
      const theirs = ['tcpdump', ...asItself, '-n', '-V', list, '--count', ...(text === null ? [] : [text])];
      const told = execFileSync(theirs[0]!, theirs.slice(1), { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
      const { packets } = await count(traffic, text, pool);
      if (Number(/^(\d+) packets?/m.exec(told)?.[1]) !== Number(packets))
        throw new DigestMismatch(`${what}: we count ${packets}, tcpdump says ${told.trim()}`);
      const [a, b] = await context.interleave(input, [async () => (await count(traffic, text, pool)).run, () => context.drain.run(theirs)]);
      const [own, peer] = [figures('spillway', a!), figures('tcpdump --count', b!)];
      const ratio = ratioOf(own, peer);
      rows.push({
        case: 'buffer',
        what: `${what}, counted`,
        input: input.label,
        ours: own,
        peer,
        ratio,
        goal: atLeast(ratio, 4),
        inMean: false,
        note: `${packets} packets`,
      });
    }
  } finally {
    await pool.close();
  }
  return rows;
}

export const bufferCase: Case = {
  name: 'buffer',
  about: 'rare questions to a capture buffer, and full scans of it that only count',
  needs: ['tcpdump', 'editcap'],
  async run(context) {
    const rows: Row[] = [];
    for (const profile of PROFILES) {
      const input = context.traffic(profile);
      const traffic = segmentedTraffic(context.options.spillway, input, context.say);
      context.say(
        `${input.label}: ${traffic.files.length} segments, ${mebibytes(traffic.bytes)}, index ${((100 * traffic.indexBytes) / traffic.bytes).toFixed(2)} %`,
      );
      for (const file of [...traffic.files, traffic.pcap]) warm(file);
      const list = join(context.options.dir, 'segments.txt');
      writeFileSync(list, traffic.files.join('\n') + '\n');
      const server = await Server.start(context.spillway('serve', '--port', '0', '--data', traffic.dataFolder));
      try {
        for (const question of questions(traffic)) {
          context.say(`${input.label}: ${question.what}`);
          rows.push(...(await answered(context, server, input, traffic, list, question)));
        }
      } finally {
        await server.stop();
      }
      rows.push(...(await counted(context, input, traffic, list)));
    }
    return rows;
  },
};
