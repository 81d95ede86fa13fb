/** `spillway clips`: kept time ranges of capture jobs. */
import { userInfo } from 'node:os';
import type { Clip } from '../buffer/clip-file.js';
import type { Clips, HeldByClip } from '../buffer/clips.js';
import type { Job, Jobs } from '../buffer/jobs.js';
import { SpillwayError } from '../errors.js';
import { formatEpoch, formatRfc3339, formatSize, NS_PER_MS, parseDuration } from '../units.js';
import { DATA_FLAG, dataFolder } from './data-flag.js';
import { naming, note, oneLine } from './fail.js';
import { commandLine, parseCommand, type CommandSpec, type Parsed } from './flags.js';
import { EXIT_HELP, helpText } from './help.js';
import type { Io } from './io.js';
import { parseOuterRange, timeWindows } from './windows.js';

export const CLIPS: CommandSpec = {
  name: 'clips',
  operands: { value: '[create jobs/NAME|delete ID]', many: true, optional: true },
  about: `Lists the clips of a data folder; keeps a time range of a job's packets, whatever its retention lets go of (create); or
gives one back to retention (delete).`,
  flags: [
    { name: 'from', value: 'T', about: 'with create: keep packets from this time on; default: from the first' },
    { name: 'to', value: 'T', about: 'with create: keep packets before this time; default: up to now' },
    { name: 'reason', value: 'TEXT', about: 'with create: what it is kept for' },
    { name: 'owner', value: 'NAME', about: 'with create: whose it is; default: the user who runs the command' },
    { name: 'keep-for', value: 'T', about: 'with create: let go of it after so long (90m, 7d); default: never' },
    { name: 'json', about: 'print one line of JSON for each clip' },
    DATA_FLAG,
  ],
  notes: `A clip holds whole files of the buffer, which count as part of it. It ends with what is captured: no packet that is yet to
come is kept.

Times (T):
  1613657410.054126           seconds since 1970, up to nine decimals
  2026-05-01T12:00:00+02:00   date and time with an offset (RFC 3339), up to nine decimals
  -10m                        before now: 250ms, 10s, 5m, 2h, 1d, 1h30m

Examples:
  spillway clips
  spillway clips create jobs/uplinks --from -10m --reason 'the outage of this morning' --keep-for 30d
  spillway clips delete 525994eb-48c9-463d-9363-b7f2b4f0c1d7a03f

${EXIT_HELP}`,
};

const OF_CREATE = ['from', 'to', 'reason', 'owner', 'keep-for'];

export async function clipsCommand(args: readonly string[], io: Io): Promise<number> {
  const parsed = parseCommand(CLIPS, args);
  if (parsed.help) {
    io.stdout.write(helpText(CLIPS));
    return 0;
  }
  const [action = 'list', name, ...more] = parsed.operands;
  const isUsed = action === 'list' ? parsed.operands.length === 0 : (action === 'create' || action === 'delete') && name !== undefined;
  if (!isUsed || more.length > 0)
    throw new SpillwayError('REQUEST_INVALID', 'say spillway clips, spillway clips create jobs/NAME or spillway clips delete ID');
  const stray = OF_CREATE.find((flag) => action !== 'create' && parsed.values.has(flag));
  if (stray !== undefined) throw new SpillwayError('REQUEST_INVALID', `--${stray} goes with spillway clips create`);
  const data = dataFolder(parsed, io);
  const { runAsOwner } = await import('../privileged/owner.js');
  const owner = action === 'create' ? { owner: parsed.values.get('owner') ?? [userName()] } : {};
  const asOwner = await runAsOwner(data, (real) => commandLine(CLIPS, parsed, { data: [real], ...owner }));
  if (asOwner !== null) return asOwner;
  const { Jobs } = await import('../buffer/jobs.js');
  const { Clips } = await import('../buffer/clips.js');
  const jobs = new Jobs(data);
  const clips = new Clips(jobs);
  if (action === 'create') return create(name!, parsed, jobs, clips, io);
  await clips.sweep();
  if (action === 'delete') await clips.remove(idNamed(name!));
  else for (const clip of await clips.list()) await print(clip, clips, parsed, io);
  return 0;
}

async function create(name: string, parsed: Parsed, jobs: Jobs, clips: Clips, io: Io): Promise<number> {
  const { values } = parsed;
  const one = (flag: string): string | undefined => values.get(flag)?.[0];
  if (!name.startsWith('jobs/')) throw new SpillwayError('REQUEST_INVALID', `${JSON.stringify(name)} is no job: write jobs/NAME`);
  const nowNs = BigInt(Date.now()) * NS_PER_MS;
  const [range] = timeWindows(parseOuterRange(one('from'), one('to')), [], nowNs);
  const keepFor = one('keep-for');
  const keptNs = keepFor === undefined ? null : naming('--keep-for', () => parseDuration(keepFor));
  const job = await jobs.get(name.slice('jobs/'.length));
  const clip = await clips.create({
    job,
    startNs: range?.startNs ?? null,
    endNs: range?.endNs ?? null,
    owner: one('owner') ?? userName(),
    reason: one('reason') ?? '',
    expiresNs: keptNs === null ? null : nowNs + keptNs,
  });
  await print(clip, clips, parsed, io);
  await noteShare(job, clips, io);
  return 0;
}

/** What clips hold is missing for what is yet to come. */
async function noteShare(job: Job, clips: Clips, io: Io): Promise<void> {
  const { retainBytes } = job.settings;
  const bytes = await clips.bytesHeld(job);
  if (retainBytes > 0 && bytes > retainBytes / 2)
    note(io, `clips hold ${formatSize(bytes)} of the ${formatSize(retainBytes)} that jobs/${job.name} keeps`);
}

/** `clips/ID`, as it is listed, or the id alone. */
function idNamed(name: string): string {
  return name.startsWith('clips/') ? name.slice('clips/'.length) : name;
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.()}`; // without an entry in the system's list of users
  }
}

async function print(clip: Clip, clips: Clips, { values }: Parsed, io: Io): Promise<void> {
  const held = await clips.held(clip);
  io.stdout.write(values.has('json') ? clipJson(clip, held) : clipText(clip, held));
}

function clipText({ id, job, owner, reason, startNs, endNs, expiresNs }: Clip, { segments, bytes, missing }: HeldByClip): string {
  const from = startNs === null ? 'the beginning' : formatRfc3339(startNs);
  const size = `${formatSize(bytes)} in ${segments} ${segments === 1 ? 'segment' : 'segments'}${missing > 0 ? ` (${missing} missing)` : ''}`;
  const until = expiresNs === null ? 'until it is deleted' : `until ${formatRfc3339(expiresNs)}`;
  const why = reason === '' ? '' : `  ${reason}`;
  return `${oneLine(`clips/${id}  jobs/${job.name}  from ${from} to ${formatRfc3339(endNs)}  ${size}  kept by ${owner} ${until}${why}`)}\n`;
}

function clipJson(
  { id, job, owner, reason, createdNs, startNs, endNs, expiresNs }: Clip,
  { segments, bytes, missing, fromNs, toNs }: HeldByClip,
): string {
  const time = (ns: bigint | null): string | null => (ns === null ? null : formatEpoch(ns));
  return `${JSON.stringify({
    id,
    job: { id: job.id, name: job.name },
    owner,
    reason,
    created: time(createdNs),
    start: time(startNs),
    end: time(endNs),
    expires: time(expiresNs),
    held: { segments, bytes, missing_segments: missing, from: time(fromNs), to: time(toNs) },
  })}\n`;
}
