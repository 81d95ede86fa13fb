/** The task that carries out an update job. A server that ends in the middle of it leaves it to the next one. */
import { setMaxListeners } from 'node:events';
import { coded, SpillwayError } from '../errors.js';
import { PATIENCE, type Patience } from '../peer/connection.js';
import { PEER_LIMITS } from '../peer/limits.js';
import type { Peers } from '../peer/peers.js';
import type { Profiles } from '../peer/profiles.js';
import type { InstallWish } from '../peer/install.js';
import { UpdateClient } from '../peer/update.js';
import type { StoredPackage } from '../state/updates.js';
import type { Ended, TaskKind, Work } from '../task/task.js';
import { hasFailed, isUpdated, percentOf, type JobMember, type UpdateJob } from './job.js';
import { FOLLOW_PATIENCE, JOB_LIMITS, type FollowPatience } from './limits.js';
import { updateMember, type MemberClient } from './member.js';
import { imageUrl, isOwn, type Own } from './own.js';
import { outcomeOf, rollOut } from './roll-out.js';

/** What a job needs to know of a package in the repository. */
export type KnownPackage = Pick<StoredPackage, 'id' | 'version' | 'platform' | 'architecture' | 'bytes' | 'sha256'>;

export interface JobInput {
  /** Id of the job. */
  job: string;
}

/** How many members came to which end. */
export interface JobResult {
  updated: number;
  failed: number;
  notBegun: number;
}

export type UpdateJobKind = TaskKind<JobInput, null, JobResult>;

export interface JobKindOptions {
  peers: Peers;
  profiles: Profiles;
  own: Own;
  /** Throws PACKAGE_NOT_FOUND. */
  packageOf(id: string): KnownPackage;
  find(id: string): UpdateJob | null;
  /** Writes down how far a member is. Throws NOT_READY. */
  keepMember(job: UpdateJob, member: JobMember): void;
  /** The same, at once or when that can be done again. */
  noteMember(job: UpdateJob, member: JobMember): void;
  /** The clock on the wall. */
  wallMs: () => number;
  settle(job: UpdateJob, event: 'succeed' | 'succeed_partly' | 'fail', detail: string): void;
  /** For tests, which have less time. */
  patience?: { exchange: Patience; follow: FollowPatience };
}

const DAY_MS = 24 * 3_600_000;

export function updateJobKind(options: JobKindOptions): UpdateJobKind {
  return {
    name: 'update-job',
    // Jobs are told to end where they are kept: members that are at it are followed to their end.
    isCancellable: false,
    outlivesServer: true,
    runningAtOnce: JOB_LIMITS.running,
    activeAtOnce: JOB_LIMITS.running,
    // As many members as there may be, one after the other, each as slow as it may be.
    runMs: PEER_LIMITS.peers * FOLLOW_PATIENCE.memberMs,
    keptMs: 7 * DAY_MS,
    artifactsKeptMs: DAY_MS,
    run: (work) => run(work, options),
  };
}

async function run({ input, signal, progress }: Work<JobInput, null>, options: JobKindOptions): Promise<Ended<JobResult>> {
  const job = options.find(input.job);
  if (job?.state !== 'IN_PROGRESS') throw new SpillwayError('UPDATE_JOB_STATE', 'the update job has ended, or was removed');
  // Each member that is updated listens.
  setMaxListeners(2 * JOB_LIMITS.maxConcurrent.most, signal);
  const { follow } = options.patience ?? { follow: FOLLOW_PATIENCE };
  const tell = (): void => {
    const { updated, failed } = resultOf(job);
    const percent = job.members.reduce((sum, member) => sum + percentOf(member), 0) / job.members.length;
    progress(percent, `${updated} of ${job.members.length} members are updated, ${failed} failed`);
  };
  const update = (member: JobMember, mayBegin: () => boolean): Promise<void> => {
    const changed = (matters: boolean): void => {
      if (matters) options.noteMember(job, member);
      tell();
    };
    const reach = (): MemberClient => clientOf(member, options);
    const wish = (): Promise<InstallWish> => wishFor(job, member, options);
    const keep = (): void => options.keepMember(job, member);
    return updateMember({ member, package: job.package, reach, wish, mayBegin, keep, changed, wallMs: options.wallMs, signal, patience: follow });
  };
  try {
    await rollOut(job, { isOwn: (address) => isOwnAddress(address, options), update });
  } catch (error) {
    const { code, message } = coded(error);
    if (code !== 'INTERRUPTED') options.settle(job, outcomeOf(job) === 'fail' ? 'fail' : 'succeed_partly', message);
    throw error;
  }
  const event = outcomeOf(job);
  const result = resultOf(job);
  options.settle(job, event, '');
  if (event !== 'fail') return { state: event === 'succeed' ? 'done' : 'partial', result };
  return { state: 'failed', result, error: { code: 'UPDATE_FAILED', message: 'no member was updated' } };
}

function clientOf({ address }: JobMember, { peers, profiles, patience }: JobKindOptions): MemberClient {
  const peer = peers.get(address);
  return new UpdateClient(peer, profiles.credentials(peer.profile), patience?.exchange ?? PATIENCE);
}

async function wishFor(job: UpdateJob, { address }: JobMember, { peers, own, packageOf }: JobKindOptions): Promise<InstallWish> {
  const { id, version, bytes, sha256 } = packageOf(job.package);
  const server = job.imageServer === null ? null : peers.find(job.imageServer);
  if (server === null && job.imageServer !== null) throw new SpillwayError('UPDATE_URL', `the image server ${job.imageServer} is no peer any more`);
  return { url: await imageUrl(own, peers.get(address), server, id), package: id, version, bytes, sha256 };
}

function isOwnAddress(address: string, { peers, own }: JobKindOptions): boolean {
  const peer = peers.find(address);
  return peer !== null && isOwn(own, peer);
}

function resultOf({ members }: UpdateJob): JobResult {
  const [updated, failed] = [members.filter(isUpdated).length, members.filter(hasFailed).length];
  return { updated, failed, notBegun: members.length - updated - failed };
}
