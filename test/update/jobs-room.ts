/** Update jobs over a database of their own, with members on loopback; and the same once more as another run of the server finds it. */
import { afterEach } from 'vitest';
import { join } from 'node:path';
import { Audit } from '../../src/access/audit.js';
import { Peers } from '../../src/peer/peers.js';
import { Profiles } from '../../src/peer/profiles.js';
import { AuditTable } from '../../src/state/audit.js';
import { closeDatabase, openDatabase, type Connection } from '../../src/state/database.js';
import { PeerTable } from '../../src/state/peers.js';
import { ProfileTable } from '../../src/state/profiles.js';
import { ArtifactTable, TaskTable } from '../../src/state/tasks.js';
import { UpdateJobTable } from '../../src/state/update-jobs.js';
import { Writes } from '../../src/state/writes.js';
import { Artifacts } from '../../src/task/artifacts.js';
import { isEnded } from '../../src/task/states.js';
import { Tasks } from '../../src/task/tasks.js';
import type { JobWish } from '../../src/update/draft.js';
import type { UpdateJob } from '../../src/update/job.js';
import { hasEnded } from '../../src/update/job-states.js';
import type { JobInput, KnownPackage } from '../../src/update/job-kind.js';
import { UpdateJobs, type UpdateJobsOptions } from '../../src/update/jobs.js';
import { SpillwayError } from '../../src/errors.js';
import type { TestPair } from '../peer/certificates.js';
import { temporaryFolder } from '../support/temporary.js';

export const PACKAGE: KnownPackage = {
  ...{ id: 'ab'.repeat(12), version: '0.2.0', platform: 'linux', architecture: 'x64' },
  ...{ bytes: 1000, sha256: 'cd'.repeat(32) },
};
export const FILE_NAME = `spillway-0.2.0-linux-x64-${PACKAGE.id}.tar.gz`;

/** Nothing that a member on loopback does takes as long, however busy the machine is. */
export const PATIENCE = {
  exchange: { connectMs: 20_000, idleMs: 20_000, totalMs: 20_000 },
  follow: { pollMs: { first: 10, most: 40 }, reachMs: 20_000, silentMs: 20_000, memberMs: 60_000 },
};
/** For members of which that is expected. */
export const SHORT = { exchange: { idleMs: 500 }, follow: { reachMs: 100, silentMs: 500 } };

export class FakePackages {
  readonly all: KnownPackage[] = [PACKAGE];
  /** Of each package: how often it is held. */
  readonly pins = new Map<string, number>();
  list = (): KnownPackage[] => this.all;
  find = (id: string): KnownPackage | null => this.all.find((each) => each.id === id) ?? null;
  pin = (id: string): (() => void) => {
    if (this.find(id) === null) throw new SpillwayError('PACKAGE_NOT_FOUND', 'it is not there');
    this.pins.set(id, (this.pins.get(id) ?? 0) + 1);
    return () => void this.pins.set(id, this.pins.get(id)! - 1);
  };
}

const open: JobsRoom[] = [];
afterEach(async () => {
  for (const room of open.splice(0)) await room.close();
});

export interface RoomWish {
  folder?: string;
  wallMs?: () => number;
  own?: Partial<UpdateJobsOptions['own']>;
  exchange?: Partial<typeof PATIENCE.exchange>;
  follow?: Partial<typeof PATIENCE.follow>;
}

const BY = { who: 'ann', address: 'local' };

export class JobsRoom {
  readonly packages = new FakePackages();
  readonly reports: Error[] = [];
  #isOver = false;

  private constructor(
    readonly folder: string,
    private readonly db: Connection,
    private readonly writes: Writes,
    readonly jobs: UpdateJobs,
    readonly tasks: Tasks,
    readonly peers: Peers,
    readonly profiles: Profiles,
  ) {}

  static async open({ folder = temporaryFolder().path, wallMs, own = {}, exchange = {}, follow = {} }: RoomWish = {}): Promise<JobsRoom> {
    const { db } = openDatabase(join(folder, 'spillway.db'));
    const writes = new Writes(db);
    const audit = new Audit(new AuditTable(db, undefined, writes));
    const table = new PeerTable(db);
    const profiles = new Profiles({ table: new ProfileTable(db), peers: table, audit });
    const peers = new Peers({ table, profiles, audit });
    if (profiles.findDefault() === null) profiles.add({ name: 'all', username: 'updater', password: 'open sesame', isDefault: true }, BY);
    const artifacts = await Artifacts.open({ folder: join(folder, 'packages'), table: new ArtifactTable(db) });
    const box: { room?: JobsRoom } = {};
    const report = (error: Error): void => void box.room?.reports.push(error);
    const packages = new FakePackages();
    const jobs: UpdateJobs = new UpdateJobs({
      ...{ table: new UpdateJobTable(db), packages, peers, profiles, report },
      own: { bound: '127.0.0.1', addresses: () => ['127.0.0.1'], port: () => 8470, isSecure: true, ...own },
      tasks: () => tasks,
      patience: { exchange: { ...PATIENCE.exchange, ...exchange }, follow: { ...PATIENCE.follow, ...follow } },
      ...(wallMs && { wallMs }),
    });
    const tasks = new Tasks({ table: new TaskTable(db), artifacts, kinds: [jobs.kind], report });
    const room = Object.assign(new JobsRoom(folder, db, writes, jobs, tasks, peers, profiles), { packages });
    box.room = room;
    open.push(room);
    return room;
  }

  /** Begins what an earlier run left. */
  resume(): void {
    this.tasks.resume();
    this.jobs.look();
  }

  meet(address: string, pair: TestPair): void {
    this.peers.add({ address, pin: pair.pin }, BY);
  }

  draft(members: readonly string[] | 'all', more: Omit<Partial<JobWish>, 'limits'> & { limits?: Partial<JobWish['limits']> } = {}): UpdateJob {
    const wish: JobWish = {
      ...{ name: 'night', description: '', version: PACKAGE.version, fileName: null, imageServer: null, type: 'NOT_SET', scheduledMs: null },
      ...more,
      members: members === 'all' ? 'all' : members.map((address) => ({ address, name: null })),
      limits: { maxConcurrent: 4, canary: false, stopAfterFailures: null, ...more.limits },
    };
    return this.jobs.create(wish, 'ann');
  }

  /** A job that is allowed. */
  allowed(...given: Parameters<JobsRoom['draft']>): UpdateJob {
    return this.jobs.approve(this.draft(...given).id, 'root', true);
  }

  /** Allows and deploys one now. */
  begin(...given: Parameters<JobsRoom['draft']>): UpdateJob {
    return this.jobs.deploy(this.allowed(...given).id, { type: 'NOW' }, 'ann');
  }

  /** Resolves when what runs of the job has ended, to the job. */
  async ended(job: Pick<UpdateJob, 'id'>): Promise<UpdateJob> {
    for (const { id, state, input } of this.tasks.list()) if (!isEnded(state) && (input as JobInput).job === job.id) await this.tasks.ended(id);
    const now = this.jobs.get(job.id);
    if (!hasEnded(now.state)) throw new Error(`the job is ${now.state}: ${this.reports.join()}`);
    return now;
  }

  /** Ends it as a server does. */
  async close(): Promise<void> {
    if (this.#isOver) return;
    this.#isOver = true;
    this.jobs.close();
    await this.tasks.close();
    this.writes.flush();
    closeDatabase(this.db);
  }

  /** As a full disk does. */
  refuseWrites(isRefused: boolean): void {
    this.db.exec(`PRAGMA query_only = ${isRefused ? 'ON' : 'OFF'}`);
  }

  /** Ends it as kill -9 does: nothing is written down any more. */
  async drop(): Promise<void> {
    this.writes.flush();
    this.refuseWrites(true);
    await this.close();
  }
}
