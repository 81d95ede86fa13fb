/** `spillway capture`: captures into a job's buffer until it is ended. */
import type { FsyncPolicy, Job, JobSettings } from '../buffer/jobs.js';
import type { CaptureStatus } from '../capture/control.js';
import { SpillwayError } from '../errors.js';
import { formatSize, NS_PER_SECOND, parseCount, parseDuration, parseSize } from '../units.js';
import { DATA_FLAG, dataFolder } from './data-flag.js';
import { naming, note } from './fail.js';
import { commandLine, parseCommand, type CommandSpec, type Parsed } from './flags.js';
import { helpText } from './help.js';
import type { Io } from './io.js';

const FSYNC: readonly FsyncPolicy[] = ['never', 'seal', 'commit'];
const STATUS_MS = 1000;
/** What the capture takes at most (native/capture/limits.h). */
const MAX_SNAP_BYTES = 262_144n;

export const CAPTURE: CommandSpec = {
  name: 'capture',
  operands: null,
  about: `Captures packets of network interfaces into a job's buffer, until Ctrl-C or SIGTERM ends it. The packets can be
exported at any time, also while it runs: spillway export jobs/NAME. It needs root or CAP_NET_RAW, and gives up
everything else.`,
  flags: [
    { name: 'interface', short: 'i', value: 'IF', many: true, about: 'a network interface; needed; several are captured side by side' },
    { name: 'job', value: 'NAME', about: 'what the job is called; default: the interfaces, joined by dashes' },
    { name: 'filter', short: 'f', value: 'BPF', many: true, about: 'keep what this pcap-filter expression accepts; several are and-ed' },
    { name: 'snap', short: 's', value: 'BYTES', about: 'cut packets to so many bytes; 0: as much as there is (default)' },
    { name: 'retain-bytes', value: 'N', about: 'let the oldest packets go when the buffer is larger (10GB, 10GiB); 0: never (default)' },
    { name: 'retain-age', value: 'T', about: 'let packets go when they are older (90m, 7d); default: never' },
    { name: 'segment-bytes', value: 'N', about: 'the size of one file of the buffer; default: 256 MiB, or a 32nd of --retain-bytes' },
    { name: 'fsync', value: 'WHEN', about: 'what survives a power cut: commit (all but 0.5 s), seal (finished files; default) or never' },
    { name: 'hardware-timestamps', about: "the network adapter's own times, where it has them" },
    { name: 'libpcap', about: 'by libpcap, also where the system’s packet sockets would do; it costs more and filters later' },
    DATA_FLAG,
  ],
  notes: `The buffer is a folder of ordinary pcapng files in the data folder, each with its index beside it. A job that is there
already goes on with the settings given now, and keeps its packets.

Examples:
  spillway capture -i eth0 --retain-bytes 100GB
  spillway capture -i eth0 -i eth1 --job uplinks -f 'not port 22' -s 128
  spillway export jobs/uplinks --from -10m -f 'host 10.0.0.1' -o last-ten-minutes.pcap

Exit codes:
  0    ended by Ctrl-C or SIGTERM; everything captured is in the buffer
  1    the command line is wrong
  2    it could not start, or the capture ended by itself`,
};

export async function captureCommand(args: readonly string[], io: Io): Promise<number> {
  const parsed = parseCommand(CAPTURE, args);
  if (parsed.help) {
    io.stdout.write(helpText(CAPTURE));
    return 0;
  }
  const settings = captureSettings(parsed);
  const data = dataFolder(parsed, io);
  const { runAsOwner } = await import('../privileged/owner.js');
  const asOwner = await runAsOwner(data, (real) => commandLine(CAPTURE, parsed, { data: [real] }), 'net_raw');
  if (asOwner !== null) return asOwner;
  const { Jobs } = await import('../buffer/jobs.js');
  const { startCapture } = await import('../capture/start.js');
  const name = parsed.values.get('job')?.[0] ?? settings.interfaces.join('-');
  const jobs = new Jobs(data);
  const known = await jobs.find(name);
  if (known) await refuseRunning(known);
  const job = await jobs.put(name, settings);
  const signal = io.interrupt();
  const { child, ended, repairs } = await startCapture(job).catch(async (error: unknown) => {
    if (!known) await jobs.remove(job);
    throw error;
  });
  const { repairText } = await import('../capture/repairs.js');
  for (const repair of repairs) note(io, repairText(repair));
  note(io, `capturing on ${settings.interfaces.join(', ')} into jobs/${name}; Ctrl-C ends it`);
  // A terminal's Ctrl-C reaches the capture by itself; other signals have to be handed on.
  signal.addEventListener('abort', () => child.kill('SIGTERM'));
  if (signal.aborted) child.kill('SIGTERM');
  const { captureStatus } = await import('../capture/control.js');
  let last: CaptureStatus | null = null;
  const timer = setInterval(() => {
    void captureStatus(job.folder)
      .catch(() => null)
      .then((status) => {
        last = status ?? last;
        if (status && io.stderr.isTerminal) io.stderr.write(`\r\u001b[K${statusLine(status)}`.slice(0, io.stderr.columns + 3));
      });
  }, STATUS_MS);
  const exitCode = await ended;
  clearInterval(timer);
  if (last && io.stderr.isTerminal) io.stderr.write('\n');
  if (exitCode !== 0) throw new SpillwayError('CAPTURE_FAILED', `the capture ended with exit code ${exitCode}`);
  return 0;
}

/** The settings of a running capture are not changed behind its back. */
async function refuseRunning({ folder, name }: Job): Promise<void> {
  const { captureStatus } = await import('../capture/control.js');
  if ((await captureStatus(folder)) !== null)
    throw new SpillwayError('CAPTURE_FOLDER_LOCKED', `the job ${name} is captured already: end that first (spillway jobs stop ${name})`);
}

export function captureSettings({ values }: Parsed): JobSettings {
  const one = (name: string): string | undefined => values.get(name)?.[0];
  const interfaces = values.get('interface') ?? [];
  if (interfaces.length === 0) throw new SpillwayError('REQUEST_INVALID', 'no interface is given: -i IF (see spillway capture --help)');
  const size = (name: string): number => Number(naming(`--${name}`, () => parseSize(one(name) ?? '0')));
  const fsync = FSYNC.find((known) => known === (one('fsync') ?? 'seal'));
  if (!fsync) throw new SpillwayError('REQUEST_INVALID', `--fsync: ${JSON.stringify(one('fsync'))} is not one of ${FSYNC.join(', ')}`);
  const filters = values.get('filter') ?? [];
  const age = one('retain-age');
  return {
    interfaces,
    filter: filters.length === 0 ? null : filters.length === 1 ? filters[0]! : filters.map((text) => `(${text})`).join(' and '),
    snapLengthBytes: Number(naming('--snap', () => parseCount(one('snap') ?? '0', MAX_SNAP_BYTES))),
    segmentBytes: size('segment-bytes'),
    retainBytes: size('retain-bytes'),
    retainAgeSeconds: age === undefined ? 0 : Number(naming('--retain-age', () => parseDuration(age)) / NS_PER_SECOND),
    fsync,
    ...(values.has('hardware-timestamps') ? { hardwareTimestamps: true } : {}),
    ...(values.has('libpcap') ? { libpcap: true } : {}),
  };
}

export function statusLine(status: CaptureStatus): string {
  const sum = (of: (each: CaptureStatus['interfaces'][number]) => number): number => status.interfaces.reduce((all, each) => all + of(each), 0);
  const lost = sum(({ lost: { ring, queue, disk } }) => ring + queue + disk);
  const states = status.interfaces.filter(({ state }) => state !== 'capturing').map(({ name, state }) => `${name}: ${state.replace('_', ' ')}`);
  return [`${sum(({ packets }) => packets)} packets`, `${lost} lost`, `buffer ${formatSize(status.stored_bytes)}`, ...states].join('  ');
}
