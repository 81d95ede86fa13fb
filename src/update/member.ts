/**
 * The update of one member: asked for, followed through the member's restart, and ended whatever the member does or does not.
 * What is written down on the way is enough for another run of the server to go on.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { coded, type ErrorCode } from '../errors.js';
import type { InstallError, InstallWish } from '../peer/install.js';
import { Refusal, type Install, type UpdateClient } from '../peer/update.js';
import { isOver, type JobMember, type MemberProgress } from './job.js';
import type { FollowPatience } from './limits.js';

export interface MemberUpdate {
  member: JobMember;
  /** How the member is reached, and what it is to install. Rejects where that is not known. */
  prepare: () => Promise<{ client: Pick<UpdateClient, 'last' | 'begin' | 'look'>; wish: InstallWish }>;
  /** Hears that what is known of the member has changed; `matters`: it is to survive the server. */
  changed: (matters: boolean) => void;
  /** Aborts when the server ends: the member is left as it is. */
  signal: AbortSignal;
  patience: FollowPatience;
}

type Ready = Awaited<ReturnType<MemberUpdate['prepare']>>;

/** Resolves when the member is over; rejects with why the signal aborted. */
export async function updateMember(update: MemberUpdate): Promise<void> {
  const { member, signal } = update;
  try {
    const ready = await update.prepare();
    if (member.install === null) take(update, await begin(update, ready));
    await follow(update, ready);
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    give(update, endOf(error, member));
  }
}

async function begin(update: MemberUpdate, ready: Ready): Promise<Install> {
  try {
    return await ask(update, ready);
  } catch (error) {
    // It may have heard, and its answer been lost.
    if (error instanceof Refusal || !update.member.isAsked || update.signal.aborted) throw error;
    return ask(update, ready);
  }
}

async function ask({ member, changed, signal }: MemberUpdate, { client, wish }: Ready): Promise<Install> {
  const last = await client.last(signal);
  if (member.isAsked && last !== null && last.id !== member.before && last.package === wish.package) return last;
  member.isAsked = true;
  member.before = last?.id ?? null;
  changed(true);
  return client.begin(wish, signal);
}

async function follow(update: MemberUpdate, { client }: Ready): Promise<void> {
  const { member, signal, patience } = update;
  const began = performance.now();
  let heard = began;
  let wait = patience.pollMs.first;
  while (!isOver(member)) {
    await sleep(wait, undefined, { signal });
    wait = Math.min(wait * 1.5, patience.pollMs.most);
    try {
      take(update, await client.look(member.install!, signal));
      heard = performance.now();
    } catch (error) {
      if (signal.aborted || (error instanceof Refusal && error.status === 404)) throw error;
      // A server that installs and falls silent restarts.
      if (member.progress === 'INSTALL_IN_PROGRESS') {
        member.progress = 'REBOOT_IN_PROGRESS';
        update.changed(true);
      }
      if (performance.now() - heard > patience.silentMs) return give(update, gone(member, (error as Error).message));
    }
    if (!isOver(member) && performance.now() - began > patience.memberMs) return give(update, tooLong(member, patience));
  }
}

/** What the member says of itself. */
function take({ member, changed }: MemberUpdate, { id, progress, error, detail, download, install }: Install): void {
  const matters = member.install !== id || member.progress !== progress;
  const isFailed = progress === 'FAILED';
  Object.assign(member, { install: id, progress, download, installing: install });
  member.error = !isFailed ? 'NOT_SET' : error === 'NOT_SET' ? 'IMAGE_INSTALL_FAILED' : error;
  if (isFailed) explain(member, detail);
  changed(matters);
}

interface End {
  progress: MemberProgress;
  error: InstallError;
  detail: string;
}

function give({ member, changed }: MemberUpdate, { progress, error, detail }: End): void {
  Object.assign(member, { progress, error });
  explain(member, detail);
  changed(true);
}

/** Says why in the half of the update that failed. */
function explain(member: JobMember, detail: string): void {
  const step = OF_DOWNLOAD.includes(member.error) ? member.download : member.installing;
  if (step.detail === '') step.detail = detail;
}

const OF_DOWNLOAD: readonly InstallError[] = ['MALFORMED_IMAGE_URL', 'IMAGE_URL_NOT_REACHABLE', 'DOWNLOAD_FAILED', 'DOWNLOAD_VALIDATION_FAILED'];

/** What members refuse with, or what is found out before they are asked, in the words of the API. */
const WORDS: Partial<Record<ErrorCode, InstallError>> = { TASK_RUNNING: 'ANOTHER_INSTALL_IN_PROGRESS', UPDATE_URL: 'MALFORMED_IMAGE_URL' };

function endOf(thrown: unknown, { install }: JobMember): End {
  const { code, message } = coded(thrown);
  if (thrown instanceof Refusal) {
    const detail = install === null ? message : 'the member does not know of its update any more';
    return { progress: 'FAILED', error: (thrown.refused && WORDS[thrown.refused]) ?? 'IMAGE_INSTALL_FAILED', detail };
  }
  if (code === 'PEER_UNREACHABLE' || code === 'PEER_FAILED' || code === 'PEER_NOT_FOUND')
    return { progress: 'SWITCH_UNREACHABLE', error: 'SWITCH_UNREACHABLE', detail: message };
  const detail = code === 'INTERNAL' ? 'the probe failed in a way it does not know' : message;
  return { progress: 'FAILED', error: WORDS[code] ?? 'IMAGE_INSTALL_FAILED', detail };
}

function gone({ progress }: JobMember, detail: string): End {
  const isRestarting = progress === 'REBOOT_IN_PROGRESS';
  return { progress: isRestarting ? 'SWITCH_REACHABILITY_TIMED_OUT' : 'SWITCH_UNREACHABLE', error: 'SWITCH_UNREACHABLE', detail };
}

function tooLong({ progress }: JobMember, { memberMs }: FollowPatience): End {
  const detail = `the update did not come to an end within ${memberMs / 1000} s`;
  if (progress === 'REBOOT_IN_PROGRESS') return { progress: 'SWITCH_REACHABILITY_TIMED_OUT', error: 'SWITCH_UNREACHABLE', detail };
  const isLoading = progress === 'DOWNLOAD_IN_PROGRESS' || progress === 'INSTALL_REQUEST_RECEIVED';
  return { progress: 'FAILED', error: isLoading ? 'DOWNLOAD_FAILED' : 'IMAGE_INSTALL_FAILED', detail };
}
