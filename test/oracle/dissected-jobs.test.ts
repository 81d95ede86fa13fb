/** Exports of a captured job with display filters against `tshark -r` of the packets of their range: over REST, and on the command line. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Jobs, KEEP_ALL } from '../../src/buffer/jobs.js';
import { packetsOf, pcap, udpFrame, type TestPacket } from '../api/captures.js';
import { BASE, TestProbe } from '../api/server.js';
import { run as spillway } from '../cli/support.js';
import { hasProgram, requireOrSkip } from '../setup/require.js';
import { FakeBuffer } from '../support/buffer.js';
import { run } from '../support/oracle.js';
import { temporaryFolder } from '../support/temporary.js';

const folder = temporaryFolder();
const T0 = 1_700_000_000n;
const S = 1_000_000_000n;
/** Between two packets. */
const STEP = (2n * S) / 5n;

/** What a client and a server say to each other, again and again behind the handshake. */
const SAID = ['GET /x HTTP/1.1\r\nHost: a\r\n\r\n', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'];
const [SYN, ACK] = [0x02, 0x10];

/** The `turn`-th packet of a connection from the port 4000 + n to 80. */
function tcpFrame(n: number, turn: number): Buffer {
  const isClient = turn % 2 === 0;
  const said = Buffer.from(turn < 2 ? '' : SAID[turn % 2]!);
  const rounds = Math.max(0, Math.ceil((turn - 2) / 2));
  const clientSaid = (turn < 2 ? turn : 1) + Math.max(0, isClient ? rounds : Math.ceil((turn - 1) / 2)) * SAID[0]!.length;
  const serverSaid = (turn < 2 ? 0 : 1) + Math.max(0, Math.floor((turn - 2) / 2)) * SAID[1]!.length;
  const frame = Buffer.alloc(54 + said.length);
  frame.set([8, 0, 0x45], 12);
  frame.writeUInt16BE(40 + said.length, 16);
  frame.set([64, 6], 22);
  frame.set(isClient ? [192, 0, 2, 1, 192, 0, 2, 2] : [192, 0, 2, 2, 192, 0, 2, 1], 26);
  frame.writeUInt16BE(isClient ? 4000 + n : 80, 34);
  frame.writeUInt16BE(isClient ? 80 : 4000 + n, 36);
  frame.writeUInt32BE(isClient ? clientSaid : serverSaid, 38);
  frame.writeUInt32BE(isClient ? serverSaid : clientSaid, 42);
  frame.set([0x50, turn === 0 ? SYN : turn === 1 ? SYN | ACK : ACK, 0xff, 0xff], 46);
  frame.set(said, 54);
  return frame;
}

/** Three connections and some datagrams, in turn. */
const packets: TestPacket[] = Array.from({ length: 40 }, (_, i) => ({
  ns: T0 * S + BigInt(i) * STEP,
  bytes: i % 4 === 3 ? udpFrame(5000, 5001, 100 + i) : tcpFrame(i % 4, Math.floor(i / 4)),
}));
/** Of a pcap file. */
const HEADER_BYTES = 24;
/** In each segment; the last one is open. */
const SEGMENTS = [12, 12, 8, 8];

interface Range {
  from?: number;
  to?: number;
  context?: number;
}
const timeOf = (seconds: number): bigint => (T0 + BigInt(seconds)) * S;
const between = (startNs: bigint, endNs: bigint): TestPacket[] => packets.filter(({ ns }) => ns >= startNs && ns < endNs);

/** Packets of the range that tshark shows of those of the range and of the context before it. */
function shown(filter: string, { from = 0, to = 100, context = 0 }: Range): bigint[] {
  const seen = between(timeOf(from - context), timeOf(to));
  const path = folder.write('seen.pcap', pcap(seen));
  const { ok, stdout, stderr } = run('tshark', ['-r', path, '-n', '-Y', filter, '-T', 'fields', '-e', 'frame.number']);
  if (!ok) throw new Error(stderr);
  const numbers = stdout.split('\n').filter(Boolean).map(Number);
  return numbers.map((number) => seen[number - 1]!.ns).filter((ns) => ns >= timeOf(from));
}

interface Receipt {
  packets_read: number;
  packets_processed: number;
  packets_exported: number;
  left_out: Record<string, number>;
  [more: string]: unknown;
}

describe.runIf(requireOrSkip('tshark', hasProgram('tshark')))('a captured job and tshark', () => {
  let probe: TestProbe;
  beforeAll(async () => {
    probe = await TestProbe.start();
    const job = await new Jobs(probe.data.path).put('up', { ...KEEP_ALL, interfaces: ['eth0'] });
    const buffer = new FakeBuffer(join(job.folder, '0-eth0'));
    let at = 0;
    for (const [i, count] of SEGMENTS.entries()) {
      buffer.store(packets.slice(at, (at += count)).map(({ ns, bytes }) => ({ ticks: ns, data: bytes })));
      if (i < SEGMENTS.length - 1) buffer.seal();
    }
  });
  afterAll(() => probe.stop());

  async function overRest(filter: string, { from, to, context }: Range): Promise<{ bytes: Buffer; receipt: Receipt }> {
    const times = {
      ...(from !== undefined && { start_time: String(T0 + BigInt(from)) }),
      ...(to !== undefined && { end_time: String(T0 + BigInt(to)) }),
    };
    const config = { path: 'jobs/up', output_format: 'PCAP_NS', filters: { items: [{ id: 'f', type: 'WIRESHARK', value: filter }] }, ...times };
    const made = await probe.ask(`${BASE}/exports`, { body: { config, ...(context !== undefined && { filter_context_sec: context }) } });
    expect(made.status, made.body.toString()).toBe(201);
    const { id } = JSON.parse(made.body.toString()) as { id: string };
    const { status, complete, body } = await probe.ask(`${BASE}/packets/items/${id}`);
    expect([status, complete]).toEqual([200, true]);
    const { receipt, status: state } = await probe.json<{ receipt: Receipt; status: { state: string } }>(`${BASE}/exports/items/${id}`);
    expect(state.state).toBe('DONE');
    return { bytes: body, receipt };
  }

  async function onCommandLine(filter: string, { from, to, context }: Range): Promise<{ bytes: Buffer; receipt: Receipt }> {
    const out = join(folder.path, 'out.pcap');
    const range = [
      ...(from !== undefined ? ['--from', String(T0 + BigInt(from))] : []),
      ...(to !== undefined ? ['--to', String(T0 + BigInt(to))] : []),
      ...(context !== undefined ? ['--context', String(context)] : []),
    ];
    const asked = ['export', 'jobs/up', '--data', probe.data.path, '-Y', filter, ...range, '-F', 'pcap_ns', '-o', out, '--json'];
    const { exit, stdout, stderr } = await spillway(asked);
    expect([exit, stderr]).toEqual([0, '']);
    return { bytes: readFileSync(out), receipt: JSON.parse(stdout) as Receipt };
  }

  it.each<[filter: string, range: Range, count: number, ways: ('rest' | 'line')[]]>([
    ['http', {}, 24, ['rest', 'line']],
    ['frame.number > 5', { from: 3, to: 13, context: 2 }, 25, ['rest', 'line']],
    ['tcp.stream == 1', { from: 3, to: 13 }, 6, ['line']],
    ['frame.time_relative < 1', { from: 3, to: 13 }, 3, ['rest']],
    ['frame.time_relative < 3', { from: 3, to: 13, context: 2 }, 3, ['line']],
    ['http.request.uri == "/none"', { from: 3 }, 0, ['rest']],
  ])('agree on %s in %j', async (filter, range, count, ways) => {
    const wanted = shown(filter, range);
    expect(wanted).toHaveLength(count);
    const outputs: string[] = [];
    for (const way of ways) {
      const { bytes, receipt } = await (way === 'rest' ? overRest : onCommandLine)(filter, range);
      expect(packetsOf(bytes).map(({ ns }) => ns)).toEqual(wanted);
      const inside = between(timeOf(range.from ?? 0), timeOf(range.to ?? 100)).length;
      expect(receipt).toMatchObject({ packets_processed: inside, packets_exported: count, left_out: { filter: inside - count, damaged: 0 } });
      expect(receipt.packets_read).toBe(inside + receipt.left_out['time']!);
      // Headers differ: over REST packets are cut at 65535 bytes where nothing else is said.
      outputs.push(bytes.toString('latin1', HEADER_BYTES));
    }
    expect(new Set(outputs).size).toBe(1);
  });
});
