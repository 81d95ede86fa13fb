/**
 * Live capture against tcpdump and dumpcap: numbered frames at a steady rate over a pair of virtual interfaces, each
 * program with 64 MiB of buffer, what it stored and what it lost, and its processor time. Needs root, and an idle machine
 * with more cores than the sender and the capture need; figures of a busy one tell about the machine.
 *
 *   npx tsx bench/capture-rates.ts [--size BYTES] [--rates N,N,…] [--seconds N] [--rounds N] [--folder DIR]
 *
 * Every program writes over files that exist (spillway-capture: its retention's; the others: the file of a round before),
 * so that none pays for new pages of the page cache alone. The first round is not counted.
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { root } from '../scripts/lib/paths.mjs';

const { values } = parseArgs({
  options: {
    size: { type: 'string', default: '1400' },
    rates: { type: 'string', default: '100000,200000,400000' },
    seconds: { type: 'string', default: '4' },
    rounds: { type: 'string', default: '3' },
    folder: { type: 'string' },
  },
});
/** Less than a round brings, so that from the second on files are written over. */
const RETAIN_BYTES = String(Math.round(0.7 * Number(values.size) * Number(values.seconds) * Math.min(...values.rates.split(',').map(Number))));
const place = values.folder ?? mkdtempSync(join(tmpdir(), 'spillway-rates-'));
mkdirSync(place, { recursive: true });
const network = `spw-rates-${process.pid}`;
const inNetwork = (...words: string[]): string[] => ['netns', 'exec', network, ...words];
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const ticks = Number(execFileSync('getconf', ['CLK_TCK']));

/** User and system seconds of a process that runs. */
function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / ticks;
}

interface Program {
  command: string[];
  /** Packets that it says it stored, from what it wrote to standard error. */
  stored: (text: string) => number;
}
const numberIn = (text: string, form: RegExp): number => Number(form.exec(text)?.[1]);

const PROGRAMS: Record<string, Program> = {
  spillway: {
    command: [join(root, 'build', 'Release', 'spillway-capture'), '--foreground', '--interface', 'vb', '--folder', join(place, 'job')].concat(
      '--retain-bytes',
      RETAIN_BYTES,
    ),
    stored: (text) => numberIn(text, /"packets":(\d+)/),
  },
  tcpdump: {
    command: ['tcpdump', '-i', 'vb', '-B', '65536', '-Z', 'root', '-w', join(place, 'tcpdump.pcap')],
    stored: (text) => numberIn(text, /(\d+) packets? captured/),
  },
  dumpcap: {
    command: ['dumpcap', '-q', '-i', 'vb', '-B', '64', '-w', join(place, 'dumpcap.pcapng')],
    stored: (text) => numberIn(text, /Packets captured: (\d+)/),
  },
};

interface Row {
  program: string;
  /** As the sender reached it, a second. */
  rate: number;
  sent: number;
  lost: number;
  cpuSeconds: number;
}

async function measure(name: string, { command, stored }: Program, rate: number): Promise<Row> {
  const child = spawn('ip', inNetwork(...command), { stdio: ['ignore', 'ignore', 'pipe'] });
  let text = '';
  child.stderr.setEncoding('utf8').on('data', (piece: string) => (text += piece));
  const ended = new Promise((resolve) => child.once('close', resolve));
  await pause(1000);
  const pid = child.pid ?? 0;
  const before = cpuSeconds(pid);
  const flags = ['--interface', 'va', '--size', values.size, '--rate', String(rate), '--seconds', values.seconds];
  const report = JSON.parse(execFileSync('ip', inNetwork(join(place, 'send'), ...flags), { encoding: 'utf8' })) as {
    sent: number;
    packets_per_second: number;
  };
  await pause(1500);
  const cpu = cpuSeconds(pid) - before;
  child.kill('SIGINT');
  await ended;
  return { program: name, rate: report.packets_per_second, sent: report.sent, lost: report.sent - stored(text), cpuSeconds: cpu };
}

const median = (numbers: number[]): number => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? NaN;

try {
  execFileSync('g++', ['-std=c++20', '-O2', '-o', join(place, 'send'), join(root, 'bench', 'native', 'send.cc')]);
  execFileSync('ip', ['netns', 'add', network]);
  execFileSync('ip', ['-n', network, 'link', 'add', 'name', 'va', 'type', 'veth', 'peer', 'name', 'vb']);
  for (const name of ['va', 'vb']) {
    execFileSync('ip', inNetwork('sysctl', '-qw', `net.ipv6.conf.${name}.disable_ipv6=1`));
    execFileSync('ip', ['-n', network, 'link', 'set', name, 'up']);
  }
  for (const rate of values.rates.split(',').map(Number)) {
    const rows: Row[] = [];
    for (let round = 0; round <= Number(values.rounds); round++) {
      for (const [name, program] of Object.entries(PROGRAMS)) {
        const row = await measure(name, program, rate);
        if (round > 0) rows.push(row);
      }
    }
    for (const name of Object.keys(PROGRAMS)) {
      const own = rows.filter(({ program }) => program === name);
      const lost = own.map((row) => (100 * row.lost) / row.sent);
      const cpu = median(own.map((row) => (1e9 * row.cpuSeconds) / (row.sent - row.lost)));
      const reached = median(own.map((row) => row.rate));
      console.log(
        `${name.padEnd(9)} ${values.size} B at ${Math.round(reached)}/s: lost ${median(lost).toFixed(2)}% (${lost.map((l) => l.toFixed(2)).join(' ')}), ${Math.round(cpu)} ns of processor time a stored packet`,
      );
    }
  }
} finally {
  spawnSync('ip', ['netns', 'del', network]);
  if (values.folder === undefined) rmSync(place, { recursive: true, force: true });
}
