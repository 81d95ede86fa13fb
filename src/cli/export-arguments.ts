/** The command line of `export`: its table, and from texts to checked values. Nothing is opened here. */
import { EXPORT_FORMATS, type ExportFormat, type FilterText, type StopRules } from '../engine/types.js';
import { SpillwayError } from '../errors.js';
import { NS_PER_SECOND, parseCount, parseSize } from '../units.js';
import { DATA_FLAG } from './data-flag.js';
import { naming } from './fail.js';
import { suggestion, type CommandSpec, type FlagSpec, type Parsed } from './flags.js';
import { EXIT_HELP, FORMATS_HELP, TIMES_HELP } from './help.js';
import { parseInterval, parseOuterRange, type TimeRange } from './windows.js';

/** What an export writes and where; also for other commands that are one. */
export const SNAP: FlagSpec = { name: 'snap', short: 's', value: 'BYTES', about: 'cut packets to so many bytes; 0: no cut (default)' };
export const OUTPUT: readonly FlagSpec[] = [
  { name: 'format', short: 'F', value: 'FORMAT', about: 'pcap_us (default), pcap_ns, pcapng_us or pcapng_ns' },
  { name: 'output', short: 'o', value: 'FILE', about: 'write to FILE, which appears when it is whole; - for standard output (default)' },
  { name: 'json', about: 'print the receipt as JSON: on stdout, or on stderr when the capture goes to stdout' },
  DATA_FLAG,
];

export const EXPORT: CommandSpec = {
  name: 'export',
  operands: { value: 'SOURCE', many: true },
  about: `Writes the packets you ask for into a capture file or a pipe.

SOURCE is a capture file (pcap or pcapng, also inside gzip or zstd), several of them (their packets come out in time
order, as of one file), - for standard input, or captured traffic: jobs/NAME, the buffer of a capture (also while it
runs), clips/ID, a kept part of one, or interfaces/NAME, what comes from now on.`,
  flags: [
    { name: 'filter', short: 'f', value: 'BPF', many: true, about: 'keep what this pcap-filter expression accepts; several are and-ed' },
    { name: 'steel', value: 'TEXT', many: true, about: 'keep what this STEELFILTER accepts; and-ed with all other filters' },
    {
      name: 'display-filter',
      short: 'Y',
      value: 'TEXT',
      many: true,
      about: 'keep what this display filter of Wireshark accepts, which tshark answers',
    },
    { name: 'context', value: 'SECONDS', about: 'let tshark also see the packets of so many seconds before --from' },
    { name: 'from', value: 'T', about: 'keep packets from this time on' },
    { name: 'to', value: 'T', about: 'keep packets before this time' },
    { name: 'interval', value: 'T..T', many: true, about: 'keep packets in this range; several are a union, inside --from and --to' },
    { name: 'follow', about: 'go on with what a job captures, until --to, a limit or Ctrl-C; without --from: from now on' },
    SNAP,
    { name: 'count', short: 'c', value: 'PACKETS', about: 'stop after so many packets; 0: no limit (default)' },
    { name: 'max-bytes', value: 'N', about: 'stop before the packet bytes pass N (1500, 10MB, 10MiB)' },
    { name: 'max-seconds', value: 'N', about: 'stop N seconds of capture time after the first packet kept' },
    { name: 'dry-run', about: 'tell how many packets and bytes that would be, from indexes and a sample, and write nothing' },
    ...OUTPUT,
  ],
  notes: `${TIMES_HELP}

${FORMATS_HELP}

Examples:
  spillway export big.pcap -f 'host 10.0.0.1 and tcp port 443' -o https.pcap
  spillway export big.pcap --steel 'ip.addr == 10.0.0.1 && tcp.port == 443' -o https.pcap
  spillway export big.pcap -Y 'http.request.method == "POST"' -o posts.pcap
  spillway export day.pcapng --from 2026-05-01T12:00:00Z --to 2026-05-01T12:05:00Z -F pcapng_ns -o noon.pcapng
  spillway export big.pcap --from -10m -s 96 | tcpdump -r - -n
  spillway export east.pcap west.pcap.gz -f 'host 10.0.0.1' -F pcapng_ns -o both.pcapng
  spillway export jobs/eth0 --from -10m -f 'port 53' -o dns.pcap
  spillway export jobs/eth0 --from -10m --follow | wireshark -k -i -
  spillway export interfaces/eth0 -c 100 -o first.pcap
  spillway export jobs/eth0 --from -1h -f 'port 53' --dry-run
  zcat old.pcap.gz | spillway export - -c 1000 -o first.pcap --json

${EXIT_HELP}`,
};

export interface ExportArguments {
  /** As they were named; `-` is standard input. */
  sources: string[];
  filters: FilterText[];
  outer: TimeRange;
  /** What display filters see before it. */
  contextNs: bigint;
  intervals: TimeRange[];
  snapLengthBytes: number;
  limits: StopRules;
  format: ExportFormat;
  /** `-`: standard output. */
  output: string;
  json: boolean;
  /** Go on with what is captured. */
  isFollowed: boolean;
  /** Only tell what it would give. */
  isDryRun: boolean;
}

/** As over REST. */
const MAX_CONTEXT_SECONDS = 86_400n;
const UINT32_MAX = 0xffff_ffffn;
/** Seconds that still are int64 nanoseconds. */
const MAX_SECONDS = ((1n << 63n) - 1n) / NS_PER_SECOND;

export function exportArguments({ operands, values }: Parsed): ExportArguments {
  const one = (name: string): string | undefined => values.get(name)?.[0];
  const count = (name: string, max?: bigint): bigint => naming(`--${name}`, () => parseCount(one(name) ?? '0', max));
  return {
    sources: checkedSources(operands),
    filters: [
      ...(values.get('filter') ?? []),
      ...(values.get('steel') ?? []).map((text) => ({ language: 'steelfilter' as const, text })),
      ...(values.get('display-filter') ?? []).map((text) => ({ language: 'wireshark' as const, text })),
    ],
    outer: parseOuterRange(one('from'), one('to')),
    contextNs: count('context', MAX_CONTEXT_SECONDS) * NS_PER_SECOND,
    intervals: (values.get('interval') ?? []).map((text) => naming('--interval', () => parseInterval(text))),
    snapLengthBytes: Number(count('snap', UINT32_MAX)),
    limits: {
      packets: count('count'),
      capturedBytes: naming('--max-bytes', () => parseSize(one('max-bytes') ?? '0')),
      durationNs: count('max-seconds', MAX_SECONDS) * NS_PER_SECOND,
    },
    format: checkedFormat(one('format') ?? 'pcap_us'),
    output: checkedOutput(one('output') ?? '-'),
    json: values.has('json'),
    isFollowed: values.has('follow'),
    isDryRun: values.has('dry-run'),
  };
}

function checkedSources(operands: readonly string[]): string[] {
  if (operands.includes('')) throw new SpillwayError('REQUEST_INVALID', 'the name of a source is empty');
  if (operands.length > 1 && operands.includes('-'))
    throw new SpillwayError('REQUEST_INVALID', 'standard input (-) can not be exported together with other sources');
  return [...operands];
}

function checkedFormat(name: string): ExportFormat {
  const format = EXPORT_FORMATS.find((known) => known === name);
  if (format !== undefined) return format;
  throw new SpillwayError(
    'REQUEST_INVALID',
    `--format: ${JSON.stringify(name)} is not one of ${EXPORT_FORMATS.join(', ')}${suggestion(name, EXPORT_FORMATS, '')}`,
  );
}

function checkedOutput(name: string): string {
  if (name === '' || name.includes('\0')) throw new SpillwayError('OUTPUT_INVALID', '--output: the file name is empty or holds a NUL character');
  return name;
}
