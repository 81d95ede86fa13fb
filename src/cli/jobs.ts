/** `spillway jobs`: the capture jobs of a data folder. */
import type { Job, Jobs } from '../buffer/jobs.js';
import type { CaptureStatus } from '../capture/control.js';
import { SpillwayError } from '../errors.js';
import { formatSize } from '../units.js';
import { DATA_FLAG, dataFolder } from './data-flag.js';
import { note } from './fail.js';
import { commandLine, parseCommand, type CommandSpec } from './flags.js';
import { EXIT_HELP, helpText } from './help.js';
import type { Io } from './io.js';
import { statusLine } from './capture.js';

export const JOBS: CommandSpec = {
  name: 'jobs',
  operands: { value: '[stop|delete NAME]', many: true, optional: true },
  about: `Lists the capture jobs of a data folder; ends the capture of one (stop); or lets go of one with all its packets (delete).`,
  flags: [
    { name: 'json', about: 'print one line of JSON for each job' },
    { name: 'clips', about: 'with delete: also let go of what clips hold of the job' },
    DATA_FLAG,
  ],
  notes: `Examples:
  spillway jobs
  spillway jobs stop uplinks
  spillway jobs delete uplinks

${EXIT_HELP}`,
};

interface Listed {
  job: Job;
  status: CaptureStatus | null;
  segments: number;
}

export async function jobsCommand(args: readonly string[], io: Io): Promise<number> {
  const parsed = parseCommand(JOBS, args);
  if (parsed.help) {
    io.stdout.write(helpText(JOBS));
    return 0;
  }
  const { Jobs } = await import('../buffer/jobs.js');
  const data = dataFolder(parsed, io);
  const jobs = new Jobs(data);
  const [action, name, ...more] = parsed.operands;
  if (parsed.values.has('clips') && action !== 'delete') throw new SpillwayError('REQUEST_INVALID', '--clips goes with spillway jobs delete');
  if (action === undefined) {
    const listed = await Promise.all((await jobs.list()).map(look));
    io.stdout.write(listed.map((each) => (parsed.values.has('json') ? jobJson(each) : jobText(each))).join(''));
    return 0;
  }
  if ((action !== 'stop' && action !== 'delete') || name === undefined || more.length > 0)
    throw new SpillwayError('REQUEST_INVALID', 'say spillway jobs, spillway jobs stop NAME or spillway jobs delete NAME');
  if (action === 'delete' || (await jobs.get(name)).settings.enabled === true) {
    const { runAsOwner } = await import('../privileged/owner.js');
    const asOwner = await runAsOwner(data, (real) => commandLine(JOBS, parsed, { data: [real] }));
    if (asOwner !== null) return asOwner;
  }
  const job = await jobs.get(name);
  if (action === 'delete' && !parsed.values.has('clips')) await refuseWhileHeld(job, jobs);
  const { stopCapture } = await import('../capture/control.js');
  const ran = await stopCapture(job.folder);
  if (action === 'stop' && !ran) note(io, `the job ${job.name} is not captured at the moment`);
  if (action === 'delete') await jobs.remove(job);
  // A probe that starts would capture it again.
  else if (job.settings.enabled === true) await jobs.replace(job, job.name, { ...job.settings, enabled: false });
  return 0;
}

/** Before the capture is ended: a refusal changes nothing. */
async function refuseWhileHeld(job: Job, jobs: Jobs): Promise<void> {
  const { Clips } = await import('../buffer/clips.js');
  const { length } = await new Clips(jobs).list(job);
  if (length === 0) return;
  const held = `${length === 1 ? 'a clip holds' : `${length} clips hold`} packets of the job ${job.name}`;
  throw new SpillwayError('JOB_HAS_CLIPS', `${held}: spillway jobs delete ${job.name} --clips lets go of them, too`);
}

async function look(job: Job): Promise<Listed> {
  const { interfaceFolders } = await import('../buffer/jobs.js');
  const { listSegments } = await import('../buffer/catalog.js');
  const { captureStatus } = await import('../capture/control.js');
  const folders = await interfaceFolders(job);
  const segments = (await Promise.all(folders.map(({ path }) => listSegments(path)))).flat().length;
  return { job, status: await captureStatus(job.folder).catch(() => null), segments };
}

function jobText({ job: { name, settings }, status, segments }: Listed): string {
  const { interfaces, filter, retainBytes } = settings;
  const state = status ? `capturing (pid ${status.pid})  ${statusLine(status)}` : 'not captured at the moment';
  const kept = retainBytes > 0 ? `  keeps ${formatSize(retainBytes)}` : '';
  return `jobs/${name}  ${interfaces.join(', ')}${filter === null ? '' : `  filter: ${filter}`}${kept}  ${segments} segments  ${state}\n`;
}

function jobJson({ job: { id, name, settings }, status, segments }: Listed): string {
  return `${JSON.stringify({ id, name, settings, segments, capture: status })}\n`;
}
