/** The update jobs of a probe: drafted, allowed, deployed now or at a time, and what a restart makes of them. */
import { coded, SpillwayError } from '../errors.js';
import type { Patience } from '../peer/connection.js';
import type { Peers } from '../peer/peers.js';
import type { Profiles } from '../peer/profiles.js';
import type { UpdateJobTable } from '../state/update-jobs.js';
import { newId } from '../task/artifacts.js';
import { isEnded } from '../task/states.js';
import type { Tasks } from '../task/tasks.js';
import { checkNotTooFar, draftOf, type JobWish } from './draft.js';
import type { JobMember, UpdateJob } from './job.js';
import { updateJobKind, type JobInput, type KnownPackage, type UpdateJobKind } from './job-kind.js';
import { hasEnded, nextState, type JobEvent } from './job-states.js';
import { JOB_LIMITS, type FollowPatience } from './limits.js';
import { checkSecure, type Own } from './own.js';
import type { Repository } from './repository.js';

export interface UpdateJobsOptions {
  table: UpdateJobTable;
  packages: {
    list(): readonly KnownPackage[];
    find(id: string): KnownPackage | null;
    pin: Repository['pin'];
  };
  peers: Peers;
  profiles: Profiles;
  own: Own;
  /** They know this kind. */
  tasks: () => Tasks;
  /** Hears of failures that nobody waits for. */
  report?: (error: Error) => void;
  /** The clock on the wall, which may be set at any time. */
  wallMs?: () => number;
  patience?: { exchange: Patience; follow: FollowPatience };
}

/** When a job is to be carried out. */
export type Deployment = { type: 'NOW' } | { type: 'SCHEDULED'; scheduledMs: number };

export class UpdateJobs {
  readonly kind: UpdateJobKind;
  readonly #jobs = new Map<string, UpdateJob>();
  /** Of the packages of jobs that were deployed and have not ended. */
  readonly #pins = new Map<string, () => void>();
  /** What is in memory of them could not be written down. */
  readonly #unwritten = new Set<UpdateJob>();
  readonly #wallMs;
  readonly #report;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(private readonly options: UpdateJobsOptions) {
    this.#wallMs = options.wallMs ?? Date.now;
    this.#report = options.report ?? (() => undefined);
    this.kind = updateJobKind({
      ...options,
      wallMs: this.#wallMs,
      packageOf: (id) => this.#package(id),
      find: (id) => this.find(id),
      keepMember: (job, member) => this.#write(() => this.#saveMember(job, member)),
      noteMember: (job, member) => this.#note(job, () => this.#saveMember(job, member)),
      settle: (job, event, detail) => this.#settle(job, event, detail),
    });
    for (const { id, facts, members } of options.table.all()) {
      const job = { ...(JSON.parse(facts) as UpdateJob), members: members.map((each) => JSON.parse(each) as JobMember) };
      this.#jobs.set(id, job);
      // A package that is gone is told of where it is needed.
      if (isDeployed(job)) this.#attempt(() => this.#pin(job));
    }
  }

  /** Oldest first. */
  list(): UpdateJob[] {
    return [...this.#jobs.values()];
  }

  find(id: string): UpdateJob | null {
    return this.#jobs.get(id) ?? null;
  }

  /** Throws UPDATE_JOB_NOT_FOUND. */
  get(id: string): UpdateJob {
    const job = this.find(id);
    if (job === null) throw new SpillwayError('UPDATE_JOB_NOT_FOUND', `there is no update job ${JSON.stringify(id.slice(0, 100))}`);
    return job;
  }

  /** Makes a draft. Throws REQUEST_INVALID, PACKAGE_NOT_FOUND, PEER_NOT_FOUND; as everything here NOT_READY, where it can not be written down. */
  create(wish: JobWish, createdBy: string): UpdateJob {
    const job = draftOf(wish, { ...this.options, id: newId(), createdMs: this.#wallMs(), createdBy });
    this.#makeRoom(job.members.length);
    const members = job.members.map((member) => JSON.stringify(member));
    this.#write(() => this.options.table.add({ id: job.id, facts: factsOf(job), members }));
    this.#jobs.set(job.id, job);
    return job;
  }

  /** Allows a job where `mayAllow`, else asks for that. Throws UPDATE_JOB_STATE. */
  approve(id: string, by: string, mayAllow: boolean): UpdateJob {
    const job = this.get(id);
    this.#step(job, mayAllow ? 'approve' : 'ask', mayAllow ? { approvedBy: by } : {});
    return job;
  }

  /** Throws UPDATE_JOB_STATE, REQUEST_INVALID, PACKAGE_NOT_FOUND, UPDATE_URL, TASK_RUNNING, TOO_MANY_TASKS. */
  deploy(id: string, deployment: Deployment, deployedBy: string): UpdateJob {
    const job = this.get(id);
    nextState(job.state, deployment.type === 'NOW' ? 'begin' : 'schedule');
    if (deployment.type === 'NOW') {
      this.#begin(job, 'begin', { type: 'NOW', scheduledMs: null, deployedBy });
      return job;
    }
    const { scheduledMs } = deployment;
    const now = this.#wallMs();
    if (scheduledMs <= now) throw new SpillwayError('REQUEST_INVALID', 'scheduled_at lies in the past', { field: 'scheduled_at' });
    checkNotTooFar(scheduledMs, now);
    this.#checkReady(job);
    this.#step(job, 'schedule', { type: 'SCHEDULED', scheduledMs, deployedBy });
    this.#pin(job);
    this.#plan();
    return job;
  }

  /** Forgets a job; one in progress is told to end instead, and begins no other member. */
  remove(id: string): 'removed' | 'stopped' {
    const job = this.get(id);
    if (job.state === 'IN_PROGRESS') {
      this.#change(job, { isStopped: true });
      return 'stopped';
    }
    this.#forget(job);
    return 'removed';
  }

  /** Begins what is due, and what an earlier run of the server was at; a timer does it else. To be called once at the start, behind `tasks.resume`. */
  look(): void {
    const now = this.#wallMs();
    for (const job of this.list()) {
      if (job.state === 'IN_PROGRESS') this.#attempt(() => this.#run(job, job.deployedBy!));
      if (job.state === 'SCHEDULED' && job.scheduledMs! <= now) this.#attempt(() => this.#due(job, now - job.scheduledMs!));
    }
    for (const job of this.#unwritten) this.#attempt(() => this.#writeAll(job));
    this.#plan();
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  #due(job: UpdateJob, lateMs: number): void {
    if (lateMs > JOB_LIMITS.lateMs) {
      const why = job.detail === '' ? 'the probe was off then, or its clock was set' : job.detail;
      return this.#miss(job, `it did not begin within an hour of its time: ${why}`);
    }
    try {
      this.#begin(job, 'due', { detail: '' });
    } catch (error) {
      const { code, message } = coded(error);
      if (code !== 'TASK_RUNNING' && code !== 'TOO_MANY_TASKS' && code !== 'NOT_READY') return this.#miss(job, message);
      // Whatever is in its way may end in time.
      if (job.detail === message) return;
      job.detail = message;
      this.#note(job, () => this.#save(job));
    }
  }

  #miss(job: UpdateJob, detail: string): void {
    this.#step(job, 'miss', { endMs: this.#wallMs(), detail });
  }

  #begin(job: UpdateJob, event: 'begin' | 'due', more: Partial<UpdateJob>): void {
    this.#checkReady(job);
    this.#checkFree(job);
    this.#run(job, more.deployedBy ?? job.deployedBy!);
    // The task itself begins a moment later.
    this.#step(job, event, { ...more, startMs: this.#wallMs() });
    this.#pin(job);
  }

  /** Has it carried out, unless it is already. */
  #run({ id }: UpdateJob, owner: string): void {
    const tasks = this.options.tasks();
    const runs = tasks.list(this.kind.name).some(({ state, input }) => !isEnded(state) && (input as JobInput).job === id);
    if (!runs) tasks.create(this.kind, owner, { job: id }, null);
  }

  #checkReady(job: UpdateJob): void {
    this.#package(job.package);
    if (job.imageServer === null) checkSecure(this.options.own);
    else this.options.peers.get(job.imageServer);
  }

  #checkFree(job: UpdateJob): void {
    const wanted = new Set(job.members.map(({ address }) => address));
    for (const { id, state, members } of this.list()) {
      if (state !== 'IN_PROGRESS') continue;
      const both = members.find(({ address }) => wanted.has(address));
      if (both) throw new SpillwayError('TASK_RUNNING', `the update job ${id} is updating ${both.address}`, { field: 'switch_members' });
    }
  }

  #package(id: string): KnownPackage {
    const found = this.options.packages.find(id);
    if (found === null) throw new SpillwayError('PACKAGE_NOT_FOUND', `the package ${id} is not in the repository any more`);
    return found;
  }

  #pin({ id, package: wanted }: UpdateJob): void {
    if (!this.#pins.has(id)) this.#pins.set(id, this.options.packages.pin(wanted));
  }

  #unpin({ id }: UpdateJob): void {
    this.#pins.get(id)?.();
    this.#pins.delete(id);
  }

  #step(job: UpdateJob, event: JobEvent, more: Partial<UpdateJob>): void {
    this.#change(job, { ...more, state: nextState(job.state, event) });
  }

  /** What is not written down has not happened. */
  #change(job: UpdateJob, more: Partial<UpdateJob>): void {
    this.#write(() => this.#save({ ...job, ...more }));
    Object.assign(job, more);
    if (hasEnded(job.state)) this.#unpin(job);
  }

  /** Its members are over, whether or not that can be written down. */
  #settle(job: UpdateJob, event: JobEvent, detail: string): void {
    Object.assign(job, { state: nextState(job.state, event), endMs: Math.max(job.startMs!, this.#wallMs()), detail });
    this.#unpin(job);
    this.#note(job, () => this.#save(job));
  }

  #forget(job: UpdateJob): void {
    this.#write(() => this.options.table.remove(job.id));
    this.#unpin(job);
    this.#jobs.delete(job.id);
    this.#unwritten.delete(job);
  }

  #save(job: UpdateJob): void {
    this.options.table.save(job.id, factsOf(job));
  }

  #saveMember(job: UpdateJob, member: JobMember): void {
    this.options.table.saveMember(job.id, job.members.indexOf(member), JSON.stringify(member));
  }

  /** Members first: a job that has ended has none that is at it. */
  #writeAll(job: UpdateJob): void {
    for (const member of job.members) this.#saveMember(job, member);
    this.#save(job);
    this.#unwritten.delete(job);
  }

  #write(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#report(error as Error);
      throw new SpillwayError('NOT_READY', 'it could not be written down: the database fails, or the disk is full');
    }
  }

  /** What fails here is done again a little later: meanwhile it is true in memory, and a restart would find it as it was. */
  #note(job: UpdateJob, work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#report(error as Error);
      this.#unwritten.add(job);
      this.#plan();
    }
  }

  /** For one of so many members. Of those that have ended, the oldest give way, unless that would not do. */
  #makeRoom(wanted: number): void {
    const kept = this.list();
    let [jobs, members] = [kept.length, kept.reduce((sum, job) => sum + job.members.length, 0)];
    const isFull = (): boolean => jobs >= JOB_LIMITS.jobs || members + wanted > JOB_LIMITS.members;
    const going: UpdateJob[] = [];
    for (const job of kept.filter(({ state }) => hasEnded(state))) {
      if (!isFull()) break;
      going.push(job);
      jobs--;
      members -= job.members.length;
    }
    if (isFull()) throw new SpillwayError('TOO_MANY_TASKS', `${jobs} update jobs, of ${members} members between them, have not ended`);
    for (const job of going) this.#forget(job);
  }

  #plan(): void {
    clearTimeout(this.#timer);
    const waiting = this.list().flatMap(({ state, scheduledMs }) => (state === 'SCHEDULED' ? [scheduledMs! - this.#wallMs()] : []));
    if (this.#isClosed || (waiting.length === 0 && this.#unwritten.size === 0)) return;
    const ms = Math.min(...waiting.map((each) => (each <= 0 ? JOB_LIMITS.lookMs : each)), JOB_LIMITS.lookMs);
    this.#timer = setTimeout(() => this.look(), ms);
    // What waits here keeps no process alive.
    this.#timer.unref();
  }

  #attempt(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#report(error as Error);
    }
  }
}

const isDeployed = ({ state }: UpdateJob): boolean => state === 'SCHEDULED' || state === 'IN_PROGRESS';

const factsOf = ({ members: _, ...facts }: UpdateJob): string => JSON.stringify(facts);
