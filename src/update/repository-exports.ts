/** Exports of the repository: asked for, found again, and let go of. */
import { SpillwayError } from '../errors.js';
import { isEnded } from '../task/states.js';
import type { Task } from '../task/task.js';
import type { Tasks } from '../task/tasks.js';
import { exportBytes, type ExportContent, type ExportInput, type ExportKind, type ExportResult, type Packed } from './export-kind.js';
import type { Repository, StoredPackage } from './repository.js';

export type Export = Task<ExportInput, ExportResult>;

export class RepositoryExports {
  constructor(
    private readonly repository: Repository,
    private readonly tasks: Tasks,
    private readonly kind: ExportKind,
  ) {}

  /** Oldest first. */
  list(): Export[] {
    return this.tasks.list(this.kind.name) as Export[];
  }

  /** By its number; null where there is none. */
  find(number: number): Export | null {
    return this.list().find(({ input }) => input.number === number) ?? null;
  }

  /** By the name of its ZIP; null where there is none. */
  named(name: string): Export | null {
    return this.list().find(({ input }) => input.name === name) ?? null;
  }

  packed({ id }: Export): Packed {
    return this.kind.packed(id);
  }

  /**
   * `ids` null: all packages. They stay what they are until it has ended. Throws REQUEST_INVALID for an id that is none,
   * TASK_RUNNING where the same is being exported, TASK_QUOTA and TOO_MANY_TASKS.
   */
  start(owner: string, content: ExportContent, ids: readonly string[] | null): Export {
    const packages = this.#wanted(ids);
    const same = this.list().find((each) => !isEnded(each.state) && isSame(each.input, content, packages));
    if (same) throw new SpillwayError('TASK_RUNNING', `these packages are being exported already, by the task ${same.input.number}`);
    const number = this.#number();
    const facts = { number, name: `repository${stamp(number)}.zip`, content, packages: packages.map(({ id }) => id) };
    const totalBytes = exportBytes(packages, facts);
    const leaving = this.#leaving(totalBytes);
    const free = packages.map(({ id }) => this.repository.pin(id));
    const freeAll = (): void => free.forEach((each) => each());
    try {
      const made = this.tasks.create(this.kind, owner, { ...facts, totalBytes }, null);
      void this.tasks.ended(made.id).then(freeAll);
      for (const each of leaving) void this.end(each);
      return made;
    } catch (error) {
      freeAll();
      throw error;
    }
  }

  /** Ends one that has not ended, and lets go of one that has, and of its ZIP. Resolves when it has ended. */
  async end({ id, state }: Export): Promise<void> {
    if (isEnded(state)) return this.tasks.remove(id, { withArtifacts: true });
    if (state !== 'cancelling') this.tasks.cancel(id);
    await this.tasks.ended(id);
  }

  #wanted(ids: readonly string[] | null): StoredPackage[] {
    if (ids === null) return this.repository.list();
    const unknown = ids.find((id) => this.repository.find(id) === null);
    if (unknown !== undefined) throw new SpillwayError('REQUEST_INVALID', `there is no update package ${JSON.stringify(unknown.slice(0, 100))}`);
    return this.repository.list().filter(({ id }) => ids.includes(id));
  }

  /**
   * Which have to be let go of for one of so many bytes: the oldest, until all together are no larger than one may be, so that other
   * tasks have room as well. Their clients delete none.
   */
  #leaving(bytes: number): Export[] {
    const all = this.list();
    const active = all.filter(({ state }) => !isEnded(state)).map((each) => ({ bytes: each.input.totalBytes, packed: this.packed(each).bytes }));
    const ended = all.filter(({ state, result }) => isEnded(state) && result !== null);
    const wanted = bytes + sum(active.map((each) => each.bytes));
    const written = sum(active.map((each) => each.packed));
    let room = Math.min(this.kind.artifactBytes - wanted - sum(ended.map(bytesOf)), this.tasks.artifacts.freeBytes - wanted + written);
    const leaving: Export[] = [];
    for (const each of ended) {
      if (room >= 0) break;
      leaving.push(each);
      room += bytesOf(each);
    }
    if (room >= 0) return leaving;
    throw new SpillwayError('TASK_QUOTA', `an export of ${bytes} bytes has no room beside those that have not ended and the packages of other tasks`);
  }

  /** The seconds of now, or those behind the last one's: clocks are set back, and clients are quick. */
  #number(): number {
    return Math.max(Math.floor(Date.now() / 1000), ...this.list().map(({ input }) => input.number + 1));
  }
}

function isSame(input: ExportInput, content: ExportContent, packages: readonly StoredPackage[]): boolean {
  return input.content === content && input.packages.join() === packages.map(({ id }) => id).join();
}

const sum = (numbers: readonly number[]): number => numbers.reduce((all, each) => all + each, 0);
const bytesOf = ({ result }: Export): number => result?.bytes ?? 0;

/** YYYYMMDDhhmmss, in UTC. */
const stamp = (seconds: number): string => new Date(seconds * 1000).toISOString().slice(0, 19).replace(/\D/g, '');
