/**
 * The update of one member: asked for, followed through the member's restart, and ended whatever the member does or does not.
 * What is written down on the way is enough for another run of the server to go on.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { coded, type ErrorCode } from '../errors.js';
import type { DownloadStep, InstallError, InstallStep, InstallWish } from '../peer/install.js';
import { Refusal, type Install, type UpdateClient } from '../peer/update.js';
import { isOver, type JobMember, type MemberProgress } from './job.js';
import type { FollowPatience } from './limits.js';

export type MemberClient = Pick<UpdateClient, 'last' | 'begin' | 'look'>;

export interface MemberUpdate {
  member: JobMember;
  /** Id of the package. */
  package: string;
  /** How the member is reached. Throws where that is not known. */
  reach: () => MemberClient;
  /** What it is to install: only a member that is about to be asked needs that. Rejects where it is not known. */
  wish: () => Promise<InstallWish>;
  /** It may still be asked: the job has not come to an end meanwhile. */
  mayBegin: () => boolean;
  /** Writes down that the member is about to be asked. Throws where that can not be done: then it must not be. */
  keep: () => void;
  /** Hears that what is known of the member has changed; `matters`: it is to survive the server. */
  changed: (matters: boolean) => void;
  /** The clock on the wall. */
  wallMs: () => number;
  /** Aborts when the server ends: the member is left as it is. */
  signal: AbortSignal;
  patience: FollowPatience;
}

/** Resolves when the member is over, or is not to be asked any more; rejects with why the signal aborted. */
export async function updateMember(update: MemberUpdate): Promise<void> {
  const { member, signal } = update;
  try {
    await follow(update, update.reach());
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    give(update, endOf(error, member));
  }
}

/** Asks the member to install, then how far it is, and bears what may pass. */
async function follow(update: MemberUpdate, client: MemberClient): Promise<void> {
  const { member, signal, patience } = update;
  const began = performance.now();
  let heard = began;
  let wait = patience.pollMs.first;
  while (!isOver(member) && (member.isAsked || update.mayBegin())) {
    try {
      take(update, await (member.install === null ? ask(update, client) : client.look(member.install, signal)));
      heard = performance.now();
    } catch (error) {
      if (signal.aborted || !mayPass(error, member)) throw error;
      // A server that installs and falls silent restarts; one that refuses does not.
      if (member.progress === 'INSTALL_IN_PROGRESS' && !(error instanceof Refusal)) {
        member.progress = 'REBOOT_IN_PROGRESS';
        update.changed(true);
      }
      if (performance.now() - heard > (member.isAsked ? patience.silentMs : patience.reachMs)) throw error;
    }
    if (isOver(member)) return;
    if (performance.now() - began > patience.memberMs) return give(update, tooLong(member, patience));
    await sleep(wait, undefined, { signal });
    wait = Math.min(wait * 1.5, patience.pollMs.most);
  }
}

async function ask(update: MemberUpdate, client: MemberClient): Promise<Install> {
  const { member, signal } = update;
  const last = await client.last(signal);
  // It has heard, and its answer was lost.
  if (member.isAsked && last !== null && last.id !== member.before && last.package === update.package) return last;
  const wish = await update.wish();
  Object.assign(member, { isAsked: true, before: last?.id ?? null });
  update.keep();
  return client.begin(wish, signal);
}

/** Of a member that has the update everything but that it knows nothing of it; else that it is not there, or too busy to answer. */
function mayPass(error: unknown, { install }: JobMember): boolean {
  if (error instanceof Refusal) return install === null ? error.status === 429 || error.status === 503 : error.status !== 404;
  const { code } = coded(error);
  return code === 'PEER_UNREACHABLE' || code === 'PEER_FAILED';
}

/** What the member says of itself. */
function take({ member, changed }: MemberUpdate, { id, progress, error, detail, download, install }: Install): void {
  const matters = member.install !== id || member.progress !== progress;
  const isFailed = progress === 'FAILED';
  Object.assign(member, { install: id, progress, download, installing: install });
  member.error = !isFailed ? 'NOT_SET' : error === 'NOT_SET' ? 'IMAGE_INSTALL_FAILED' : error;
  if (isFailed) halfOf(member).detail ||= detail;
  changed(matters);
}

interface End {
  progress: MemberProgress;
  error: InstallError;
  detail: string;
}

/** What is decided here: what the member said it was at has come to nothing. */
function give({ member, changed, wallMs }: MemberUpdate, { progress, error, detail }: End): void {
  Object.assign(member, { progress, error });
  halfOf(member).detail = detail;
  const { download, installing } = member;
  const end = ({ start_time }: { start_time: number }): number => Math.max(start_time, Math.floor(wallMs() / 1000));
  if (download.status === 'DOWNLOAD_IN_PROGRESS') Object.assign(download, { status: 'DOWNLOAD_FAILED', end_time: end(download) });
  if (installing.status === 'INSTALL_IN_PROGRESS') Object.assign(installing, { status: 'INSTALL_FAILED', end_time: end(installing) });
  changed(true);
}

/** Of a member that has failed: the half of the update that says why. */
const halfOf = ({ error, download, installing }: JobMember): DownloadStep | InstallStep =>
  OF_DOWNLOAD.includes(error) || download.status === 'DOWNLOAD_IN_PROGRESS' ? download : installing;

const OF_DOWNLOAD: readonly InstallError[] = ['MALFORMED_IMAGE_URL', 'IMAGE_URL_NOT_REACHABLE', 'DOWNLOAD_FAILED', 'DOWNLOAD_VALIDATION_FAILED'];

/** What members refuse with, or what is found out before they are asked, in the words of the API. */
const WORDS: Partial<Record<ErrorCode, InstallError>> = { TASK_RUNNING: 'ANOTHER_INSTALL_IN_PROGRESS', UPDATE_URL: 'MALFORMED_IMAGE_URL' };

function endOf(thrown: unknown, { install, progress }: JobMember): End {
  const { code, message } = coded(thrown);
  if (thrown instanceof Refusal) {
    const isForgotten = install !== null && thrown.status === 404;
    const error = (thrown.refused && WORDS[thrown.refused]) ?? 'IMAGE_INSTALL_FAILED';
    return { progress: 'FAILED', error, detail: isForgotten ? 'the member does not know of its update any more' : message };
  }
  if (code === 'PEER_UNREACHABLE' || code === 'PEER_FAILED' || code === 'PEER_NOT_FOUND') {
    const isRestarting = progress === 'REBOOT_IN_PROGRESS';
    return { progress: isRestarting ? 'SWITCH_REACHABILITY_TIMED_OUT' : 'SWITCH_UNREACHABLE', error: 'SWITCH_UNREACHABLE', detail: message };
  }
  const detail = code === 'INTERNAL' ? 'the probe failed in a way it does not know' : message;
  return { progress: 'FAILED', error: WORDS[code] ?? 'IMAGE_INSTALL_FAILED', detail };
}

function tooLong({ progress }: JobMember, { memberMs }: FollowPatience): End {
  const detail = `the update did not come to an end within ${memberMs / 1000} s`;
  if (progress === 'REBOOT_IN_PROGRESS') return { progress: 'SWITCH_REACHABILITY_TIMED_OUT', error: 'SWITCH_UNREACHABLE', detail };
  const isLoading = progress === 'DOWNLOAD_IN_PROGRESS' || progress === 'INSTALL_REQUEST_RECEIVED';
  return { progress: 'FAILED', error: isLoading ? 'DOWNLOAD_FAILED' : 'IMAGE_INSTALL_FAILED', detail };
}
