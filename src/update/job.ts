/** What an update job is: one package for many members, from its draft to its end. */
import { NO_STEP, type DownloadStep, type InstallError, type InstallProgress, type InstallStep } from '../peer/install.js';
import type { JobState } from './job-states.js';

export type JobType = 'NOW' | 'SCHEDULED' | 'NOT_SET';

/** How far a member is: what it says itself, and what is found out about one that says nothing. */
export type MemberProgress = InstallProgress | 'NOT_SET' | 'SWITCH_UNREACHABLE' | 'SWITCH_REACHABILITY_TIMED_OUT';

export interface JobMember {
  /** Of a peer, as it is listed. */
  readonly address: string;
  readonly name: string;
  /** It was, or is about to be, asked to install. */
  isAsked: boolean;
  /** Id of the update that was its last one before; an answer that got lost is told from it by that. */
  before: string | null;
  /** Id of this update there; null: not known yet. */
  install: string | null;
  progress: MemberProgress;
  error: InstallError;
  download: DownloadStep;
  installing: InstallStep;
}

/** How carefully members are updated. */
export interface JobLimits {
  /** Members that are updated at once. */
  maxConcurrent: number;
  /** The first member is updated alone; unless that succeeds no other is. */
  canary: boolean;
  /** After so many failures no other member is begun; null: whatever fails. */
  stopAfterFailures: number | null;
}

export interface UpdateJob {
  /** 24 hex digits. */
  readonly id: string;
  readonly name: string;
  readonly description: string;
  /** Id of the package. */
  readonly package: string;
  readonly version: string;
  readonly fileName: string;
  /** Address of the peer whose repository members download from; null: this probe's. */
  readonly imageServer: string | null;
  /** Its members were all peers that there were. */
  readonly isForAll: boolean;
  readonly limits: JobLimits;
  readonly createdMs: number;
  readonly createdBy: string;
  approvedBy: string | null;
  deployedBy: string | null;
  state: JobState;
  type: JobType;
  /** By the clock on the wall, as all times of it. */
  scheduledMs: number | null;
  startMs: number | null;
  endMs: number | null;
  /** It was told to end: no member is begun any more. */
  isStopped: boolean;
  /** Why it failed as a whole, or waits though its time has come. */
  detail: string;
  readonly members: readonly JobMember[];
}

/** A member that nothing was asked of. */
export function newMember(address: string, name: string): JobMember {
  return {
    address,
    name,
    isAsked: false,
    before: null,
    install: null,
    progress: 'NOT_SET',
    error: 'NOT_SET',
    download: { status: 'NOT_SET', ...NO_STEP },
    installing: { status: 'NOT_SET', ...NO_STEP },
  };
}

const ENDS: readonly MemberProgress[] = ['SUCCESS', 'FAILED', 'SWITCH_UNREACHABLE', 'SWITCH_REACHABILITY_TIMED_OUT'];

/** Nothing happens to the member any more. */
export const isOver = ({ progress }: JobMember): boolean => ENDS.includes(progress);
export const isUpdated = ({ progress }: JobMember): boolean => progress === 'SUCCESS';
export const hasFailed = (member: JobMember): boolean => isOver(member) && !isUpdated(member);

/** Percent of the whole; a download takes longer than what follows. */
export function percentOf(member: JobMember): number {
  if (isOver(member)) return 100;
  if (member.progress === 'REBOOT_IN_PROGRESS') return 90;
  return 0.6 * member.download.progress + 0.3 * member.installing.progress;
}
