/** `spillway update jobs`: update jobs of the probe that runs on a data folder, from their drafts to their ends. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { DownloadStep, InstallError, InstallStep } from '../peer/install.js';
import type { JobState } from '../update/job-states.js';
import { SpillwayError } from '../errors.js';
import { formatRate, formatSize, NS_PER_MS, NS_PER_SECOND, parseTime } from '../units.js';
import { ask, isServed } from './door.js';
import { naming, note, oneLine } from './fail.js';
import type { Parsed } from './flags.js';
import type { Io } from './io.js';

/** As the server shows both. */
interface ShownJob {
  id: string;
  name: string;
  job_type: string;
  scheduled_at: number;
  os_image_version: string;
  job_state: JobState;
  switch_members: Named[];
  detail: string;
}
interface Named {
  id: string;
  name: string;
}
interface ShownMember {
  switch_member: Named;
  update_progress_status: string;
  error: InstallError;
  download_status: DownloadStep;
  install_status: InstallStep;
}
interface ShownStatus {
  status: string;
  data: ShownMember[];
}

export type JobWord = 'create' | 'approve' | 'deploy' | 'status' | 'delete';

const JOBS = '/lcm/update-jobs';
/** A member is asked every other second how far it is. */
const FOLLOW_MS = 1000;
/** A coordinator that updates itself restarts within seconds, or goes back to the release before, which takes minutes. */
const RESTART_MS = 10 * 60_000;

export interface JobsCall {
  dataFolder: string;
  /** Null: they are listed. */
  word: JobWord | null;
  /** An id, or the name of one to be. */
  what: string;
  parsed: Parsed;
  io: Io;
}

export async function updateJobs({ dataFolder, word, what, parsed, io }: JobsCall): Promise<void> {
  const { values } = parsed;
  const isJson = values.has('json');
  const draft = word === 'create' ? draftOf(what, values) : null;
  const at = word === 'deploy' ? scheduledAt(values) : null;
  if (!(await isServed(dataFolder)))
    throw new SpillwayError(
      'NOT_READY',
      `no probe runs on the data folder ${dataFolder}: update jobs are those of a running one, see spillway serve`,
    );
  const to = <T>(method: string, path = '', body?: object): Promise<T> => ask<T>(dataFolder, method, `${JOBS}${path}`, body);
  const item = (id: string): string => `/${encodeURIComponent(id)}`;
  const say = (line: string): void => io.stdout.write(`${line}\n`);
  const show = (job: ShownJob): void => say(isJson ? JSON.stringify(job) : jobText(job));
  const showOne = async (id: string): Promise<void> => show(await to<ShownJob>('GET', item(id)));

  if (word === null) (await to<{ data: ShownJob[] }>('GET')).data.forEach(show);
  if (word === 'create') await showOne((await to<{ new_object_id: string }>('POST', '', draft!)).new_object_id);
  if (word === 'approve') {
    await to('POST', `${item(what)}/approve`);
    await showOne(what);
  }
  if (word === 'deploy') {
    await to('POST', `${item(what)}/deploy`, at ?? whenOf(await to<ShownJob>('GET', item(what))));
    await showOne(what);
  }
  if (word === 'status') {
    const status = (): Promise<ShownStatus> => to('POST', `${item(what)}/status`);
    const lines = (of: ShownStatus): string[] => (isJson ? [JSON.stringify(of)] : statusText(of));
    if (values.has('follow')) await follow(status, lines, say);
    else lines(await status()).forEach(say);
  }
  if (word === 'delete') {
    const { id, message } = await to<{ id: string; message: string }>('DELETE', item(what));
    // It is still there, unlike what was asked for.
    if (id === 'UPDATE_JOB_STOPPED') note(io, message);
  }
}

/** Says each line that is another one than before, until the job has ended. Throws UPDATE_FAILED unless all members were updated. */
async function follow(ask: () => Promise<ShownStatus>, lines: (status: ShownStatus) => string[], say: (line: string) => void): Promise<void> {
  let before: string[] = [];
  let heardMs = performance.now();
  for (;;) {
    const now = await ask().catch((error: unknown) => {
      if (!isGone(error) || performance.now() - heardMs > RESTART_MS) throw error;
      return null;
    });
    if (now !== null) {
      heardMs = performance.now();
      const current = lines(now);
      for (const [i, line] of current.entries()) if (line !== before[i]) say(line);
      before = current;
      if (now.status === 'SUCCESS') return;
      if (now.status === 'PARTIAL_SUCCESS' || now.status === 'FAILED')
        throw new SpillwayError(
          'UPDATE_FAILED',
          `the update job has ended, and ${now.status === 'FAILED' ? 'no member was' : 'not all members were'} updated`,
        );
    }
    await sleep(FOLLOW_MS);
  }
}

/** What a server's socket says while it restarts. */
const isGone = (error: unknown): boolean => ['ENOENT', 'ECONNREFUSED', 'ECONNRESET'].includes((error as NodeJS.ErrnoException).code ?? '');

function draftOf(name: string, values: Parsed['values']): object {
  const [id] = values.get('package') ?? [];
  const members = values.get('member') ?? [];
  const isForAll = values.has('all');
  if (id === undefined)
    throw new SpillwayError('REQUEST_INVALID', '--package is missing: which one is to be installed? (see spillway update packages)');
  if (isForAll === members.length > 0)
    throw new SpillwayError('REQUEST_INVALID', 'say who is to be updated, by --member ADDRESS, once for each, or by --all');
  const [most, failures] = [countOf(values, 'max-concurrent'), countOf(values, 'stop-after')];
  return {
    name,
    image_file_name: id,
    ...(isForAll ? { switch_group: { id: 'all' } } : { switch_members: members.map((address) => ({ id: address })) }),
    ...scheduledAt(values),
    ...(most !== null && { max_concurrent: most }),
    canary: values.has('canary'),
    ...(failures !== null && { stop_after_failures: failures }),
  };
}

/** As the draft says; now, where it does not. */
const whenOf = ({ job_type, scheduled_at }: ShownJob): object =>
  job_type === 'NOT_SET' ? { job_type: scheduled_at === 0 ? 'NOW' : 'SCHEDULED' } : {};

/** Null: it was not said. */
function scheduledAt(values: Parsed['values']): object | null {
  const text = values.get('at')?.[0];
  if (text === undefined) return null;
  const time = naming('--at', () => parseTime(text));
  const ns = 'ns' in time ? time.ns : BigInt(Date.now()) * NS_PER_MS + time.relativeNs;
  // In whole seconds, and never before what was said.
  return { job_type: 'SCHEDULED', scheduled_at: Number((ns + NS_PER_SECOND - 1n) / NS_PER_SECOND) };
}

function countOf(values: Parsed['values'], flag: string): number | null {
  const text = values.get(flag)?.[0];
  if (text === undefined) return null;
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new SpillwayError('REQUEST_INVALID', `--${flag}: ${JSON.stringify(text)} is no number from 1 on`);
  return Number(text);
}

function jobText({ id, name, os_image_version, job_state, job_type, scheduled_at, switch_members: members, detail }: ShownJob): string {
  const at = job_type === 'SCHEDULED' ? `  at ${timeText(scheduled_at)}` : '';
  const many = members.length === 1 ? '1 member' : `${members.length} members`;
  return oneLine(`${id}  ${name}  ${os_image_version}  ${job_state}  ${many}${at}${detail === '' ? '' : `  ${detail}`}`);
}

/** The number itself, where no date can be made of it. */
export function timeText(epoch: number): string {
  const date = new Date(epoch * 1000);
  return Number.isNaN(date.getTime()) ? String(epoch) : date.toISOString().replace('.000', '');
}

const statusText = ({ status, data }: ShownStatus): string[] => [...data.map(memberText), status];

function memberText({
  switch_member,
  update_progress_status: progress,
  error,
  download_status: download,
  install_status: install,
}: ShownMember): string {
  const { id, name } = switch_member;
  const parts = [name === id ? id : `${id} (${name})`, progress === 'NOT_SET' ? 'not begun' : progress];
  if (progress === 'DOWNLOAD_IN_PROGRESS')
    parts.push(`${download.progress}%  ${formatSize(download.bytes)} of ${formatSize(download.total_bytes)}  ${formatRate(download.rate, 1)}`);
  if (progress === 'INSTALL_IN_PROGRESS') parts.push(`${install.progress}%`);
  if (error !== 'NOT_SET') parts.push(`${error}: ${install.detail || download.detail}`);
  return oneLine(parts.join('  '));
}
