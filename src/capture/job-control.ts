/** Capture jobs over their life: made, changed, started, ended, cleared, removed. One change after another. */
import type { Clips } from '../buffer/clips.js';
import { clearBuffer } from '../buffer/clear.js';
import { checkName, type Job, type Jobs, type JobSettings } from '../buffer/jobs.js';
import { OneByOne } from '../buffer/one-by-one.js';
import { LIMITS } from '../config.js';
import { SpillwayError } from '../errors.js';
import { compileFilter } from '../filter/compile.js';
import { captureStatus, stopCapture } from './control.js';
import { configOf, interfacesOf, type JobConfig, settingsFor, usesVifg } from './job-config.js';
import { isRunning } from './job-state.js';
import { type OwnWish, type Vifg, type Vifgs } from './vifgs.js';

/** Captured frames are Ethernet, or look so. */
const EN10MB = 1;

export interface ControlledRooms {
  jobs: Jobs;
  clips: Clips;
  vifgs: Vifgs;
  /** Resolves when the job is captured, in the background. */
  startCapture: (job: Job) => Promise<unknown>;
  /** Hears of failures that no request waits for. */
  report: (error: Error) => void;
}

export class JobControl {
  readonly #changes = new OneByOne();

  constructor(private readonly rooms: ControlledRooms) {}

  /** By id alone; rejects with JOB_NOT_FOUND. */
  async get(id: string): Promise<Job> {
    const job = (await this.rooms.jobs.list()).find((each) => each.id === id);
    if (!job) throw new SpillwayError('JOB_NOT_FOUND', `there is no capture job ${JSON.stringify(id.slice(0, 100))}`);
    return job;
  }

  async configOf(job: Job, running: boolean): Promise<JobConfig> {
    return configOf(job, running, await this.rooms.vifgs.settings.read());
  }

  /** One that is to be captured and can't be is refused, and nothing is left of it. */
  create(config: JobConfig): Promise<Job> {
    return this.#changes.run(async () => {
      const { jobs, vifgs } = this.rooms;
      await this.#checkName(config.name);
      const { length } = await jobs.list();
      if (length >= LIMITS.captureJobs) throw new SpillwayError('TOO_MANY_JOBS', `there are ${length} capture jobs, as many as may be`);
      const settings = settingsFor(config, await vifgs.settings.read());
      await checkFilter(settings.filter);
      const job = await jobs.put(config.name, settings);
      if (!config.enabled) return job;
      return this.#start(job).catch(async (error: unknown) => {
        await jobs.remove(job);
        throw error;
      });
    });
  }

  /** `change` makes what is to be of what is. A capture whose settings change begins anew; its packets stay. Where it does not, all is as it was before. */
  replace(id: string, change: (before: JobConfig) => JobConfig): Promise<Job> {
    return this.#changes.run(async () => {
      const { jobs, vifgs } = this.rooms;
      const job = await this.get(id);
      const wasRunning = await isRunning(job);
      const stored = await vifgs.settings.read();
      const before = configOf(job, wasRunning, stored);
      const config = change(before);
      if (config.name !== job.name) await this.#checkName(config.name);
      const isUnchanged = isSameConfig(before, config);
      if (isUnchanged && wasRunning === config.enabled) return job;
      const settings = isUnchanged ? job.settings : settingsFor(config, stored, { settings: job.settings, config: before });
      if (settings.filter !== job.settings.filter) await checkFilter(settings.filter);
      const goesOn = wasRunning && config.enabled && isSameCapture(settings, job.settings);
      if (wasRunning && config.enabled && !goesOn) await refuseWithoutLink(job, interfacesOf(settings, stored));
      if (wasRunning && !goesOn) await stopCapture(job.folder);
      try {
        const next = await jobs.replace(job, config.name, settings);
        return config.enabled && !goesOn ? await this.#start(next) : next;
      } catch (error) {
        await jobs.replace(job, job.name, job.settings).catch(this.rooms.report);
        if (wasRunning && !goesOn) await this.rooms.startCapture(job).catch(this.rooms.report);
        throw error;
      }
    });
  }

  /** With all its packets; refused before anything is done where clips hold some. */
  remove(id: string): Promise<void> {
    return this.#changes.run(async () => {
      const { jobs, clips } = this.rooms;
      const job = await this.get(id);
      const { length } = await clips.list(job);
      if (length > 0) {
        const held = length === 1 ? 'a clip holds' : `${length} clips hold`;
        throw new SpillwayError('JOB_HAS_CLIPS', `${held} packets of the job ${job.name}: delete what holds them first`);
      }
      await stopCapture(job.folder);
      await jobs.remove(job);
    });
  }

  /** Lets go of all packets that no clip holds. A capture pauses for it. */
  clear(id: string): Promise<void> {
    return this.#changes.run(async () => {
      const job = await this.get(id);
      await refuseWithoutLink(job, job.settings.interfaces);
      await this.rooms.clips.sweep();
      const ran = await stopCapture(job.folder);
      try {
        await clearBuffer(job);
      } finally {
        if (ran) await this.#start(job);
      }
    });
  }

  /** Starts what is to be captured and isn't, as after the machine was started. */
  resume(): Promise<void> {
    return this.#changes.run(async () => {
      for (const job of await this.rooms.jobs.list())
        if (job.settings.enabled === true && !(await isRunning(job))) await this.#start(job).catch(this.rooms.report);
    });
  }

  replaceVifg(id: number, wish: OwnWish): Promise<Vifg> {
    return this.#changes.run(async () => {
      const before = await this.rooms.vifgs.get(id);
      if (wish.members.join() !== before.members.join()) await this.#refuseUsed(id, 'its members can not be changed');
      return this.rooms.vifgs.replace(id, wish);
    });
  }

  removeVifg(id: number): Promise<void> {
    return this.#changes.run(async () => {
      await this.#refuseUsed(id, 'it can not be deleted');
      await this.rooms.vifgs.remove(id);
    });
  }

  async #refuseUsed(id: number, what: string): Promise<void> {
    const user = (await this.rooms.jobs.list()).find((job) => usesVifg(job, id) && job.settings.enabled === true);
    if (user) throw new SpillwayError('VIFG_IN_USE', `vifgs/${id} is captured by the job ${user.name}: ${what} meanwhile`);
  }

  async #start(job: Job): Promise<Job> {
    const { jobs, vifgs, startCapture } = this.rooms;
    const interfaces = interfacesOf(job.settings, await vifgs.settings.read());
    const isSameAsBefore = interfaces.join() === job.settings.interfaces.join();
    const next = isSameAsBefore ? job : await jobs.replace(job, job.name, { ...job.settings, interfaces });
    await startCapture(next);
    return next;
  }

  async #checkName(name: string): Promise<void> {
    checkName(name);
    if (await this.rooms.jobs.find(name)) throw new SpillwayError('JOB_EXISTS', `there is a capture job ${name} already`);
  }
}

/** By libpcap's word, before anything is changed. */
async function checkFilter(filter: string | null): Promise<void> {
  if (filter !== null) await compileFilter(filter, EN10MB);
}

/** A capture waits for an interface that was removed; another one could not begin. */
async function refuseWithoutLink({ name, folder }: Job, interfaces: readonly string[]): Promise<void> {
  const status = await captureStatus(folder);
  const gone = status?.interfaces.find((each) => each.state === 'link_gone' && interfaces.includes(each.name));
  if (gone)
    throw new SpillwayError('INTERFACE_NOT_FOUND', `the job ${name} waits for the interface ${gone.name}, and could not begin anew without it`);
}

function isSameConfig(a: JobConfig, b: JobConfig): boolean {
  return (Object.keys(a) as (keyof JobConfig)[]).every((name) => JSON.stringify(a[name]) === JSON.stringify(b[name]));
}

function isSameCapture(a: JobSettings, b: JobSettings): boolean {
  const told = ({ enabled: _, ...rest }: JobSettings): string => JSON.stringify(Object.entries(rest).sort(([x], [y]) => (x < y ? -1 : 1)));
  return told(a) === told(b);
}
